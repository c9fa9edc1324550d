// Cases, and what happened to them: notes and events.
#include "store/cases.h"

#include "store/database.h"
#include "store/document.h"

namespace triage::store {
namespace {

const Sql kGet("SELECT " TRIAGED_CASE_COLUMNS " FROM cases WHERE id = ?");
const Sql kOfAuthor("SELECT " TRIAGED_CASE_COLUMNS
                    " FROM cases WHERE author_id = ? AND platform = ? AND brand_account = ?"
                    " ORDER BY last_post_at DESC LIMIT ?");
// By the index cases_crowd alone.
const Sql kCrowd(
    "SELECT count(*) FROM (SELECT 1 FROM cases WHERE site = ? AND topic = ? AND moment = 'in_the_moment'"
    " AND last_post_at BETWEEN ? AND ? AND author_id IS NOT ? LIMIT ?)");
const Sql kHistory("SELECT " TRIAGED_CASE_COLUMNS
                   " FROM cases WHERE author_id = ? ORDER BY opened_at DESC, seq DESC LIMIT ?");
const Sql kInsert("INSERT INTO cases (" TRIAGED_CASE_COLUMNS
                  ", queue_band, queue_due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                  " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
const Sql kUpdate(
    "UPDATE cases SET version = ?, state = ?, team = ?, claim_token = ?, claim_name = ?, claim_until = ?,"
    " platform = ?, brand_account = ?, author_id = ?, moment = ?, priority = ?, urgency = ?, intent = ?, topic = ?,"
    " language = ?, site = ?, actionable = ?, overdue = ?, opened_at = ?, updated_at = ?, last_post_at = ?,"
    " newest_post = ?, posts_since_reply = ?, waiting_since = ?, first_response_due = ?, first_response_at = ?,"
    " resolved_at = ?, outcome = ?, resolution_note = ?, reopened = ?, decision = ?, queue_band = ?, queue_due = ?"
    " WHERE id = ? AND version = ?");

const Sql kNotes("SELECT id, case_id, at, token_id, name, text FROM notes WHERE case_id = ? ORDER BY seq");
const Sql kInsertNote("INSERT INTO notes (id, case_id, at, token_id, name, text) VALUES (?, ?, ?, ?, ?, ?)");
const Sql kEvents("SELECT seq, case_id, at, type, actor, data FROM events WHERE case_id = ? ORDER BY seq");
const Sql kInsertEvent("INSERT INTO events (case_id, at, type, actor, data) VALUES (?, ?, ?, ?, ?)");

constexpr std::int64_t kNever = INT64_MAX;

// All columns after id and version, and what orders the queue.
void bind_case(Query& query, const CaseRecord& c, const std::string& decision) {
  query.bind(c.state, c.team);
  if (c.claim) {
    query.bind(c.claim->token, c.claim->name, c.claim->until);
  } else {
    query.bind(nullptr, nullptr, nullptr);
  }
  query.bind(c.platform, c.brand_account, c.author, c.moment, c.priority, c.urgency, c.intent, c.topic, c.language,
             c.site, c.actionable, c.overdue, c.opened_at, c.updated_at, c.last_post_at, c.newest_post,
             c.posts_since_reply, c.waiting_since, c.first_response_due, c.first_response_at, c.resolved_at, c.outcome,
             c.resolution_note, c.reopened, decision);
  if (is_open(c.state)) {
    const int band = static_cast<int>(queue_band(c));
    query.bind(band, c.first_response_due ? to_millis(*c.first_response_due) : kNever);
  } else {
    query.bind(nullptr, nullptr);
  }
}

std::vector<CaseRecord> read_cases(Query& row) {
  std::vector<CaseRecord> cases;
  while (row.step()) cases.push_back(read_case(row));
  return cases;
}

}  // namespace

CaseRecord read_case(Query& row) {
  CaseRecord c;
  c.id = row.id<CaseId>();
  c.version = row.integer();
  c.state = read_enum(row, parse_case_state);
  c.team = row.string();
  if (row.null()) {
    row.skip();
    row.skip();
    row.skip();
  } else {
    Claim claim;
    claim.token = row.id<TokenId>();
    claim.name = row.string();
    claim.until = row.time();
    c.claim = std::move(claim);
  }
  c.platform = row.string();
  c.brand_account = row.string();
  c.author = row.optional_id<AuthorId>();
  c.moment = read_enum(row, parse_moment);
  c.priority = read_enum(row, parse_priority);
  c.urgency = row.real();
  c.intent = read_enum(row, parse_intent);
  c.topic = read_enum(row, parse_topic);
  c.language = row.string();
  const bool has_site = !row.null();
  auto site = row.string();
  if (has_site) c.site = std::move(site);
  c.actionable = row.boolean();
  c.overdue = row.boolean();
  c.opened_at = row.time();
  c.updated_at = row.time();
  c.last_post_at = row.time();
  c.newest_post = row.id<PostId>();
  c.posts_since_reply = row.small();
  c.waiting_since = row.optional_time();
  c.first_response_due = row.optional_time();
  c.first_response_at = row.optional_time();
  c.resolved_at = row.optional_time();
  if (row.null()) {
    row.skip();
  } else {
    c.outcome = read_enum(row, parse_outcome);
  }
  c.resolution_note = row.string();
  c.reopened = row.small();
  c.decision = read_decision(row.text());
  return c;
}

std::optional<CaseRecord> Database::find_case(const CaseId& id) {
  auto row = c_.use(kGet);
  if (!row.bind(id).step()) return std::nullopt;
  return read_case(row);
}

std::vector<CaseRecord> Database::cases_of_author(const AuthorId& author, std::string_view platform,
                                                  std::string_view brand_account, std::size_t limit) {
  auto row = c_.use(kOfAuthor);
  return read_cases(row.bind(author, platform, brand_account, limit));
}

int Database::crowd(std::string_view site, Topic topic, const std::optional<AuthorId>& author, Time since, Time until,
                    int most) {
  auto row = c_.use(kCrowd);
  row.bind(site, to_string(topic), since, until, author, most).step();
  return row.small();
}

std::vector<CaseRecord> Database::history(const AuthorId& id, std::size_t limit) {
  auto row = c_.use(kHistory);
  return read_cases(row.bind(id, limit));
}

void Database::insert_case(const CaseRecord& c) {
  document_.clear();
  write_decision(c.decision, document_);
  auto row = c_.use(kInsert);
  row.bind(c.id, c.version);
  bind_case(row, c, document_);
  row.exec();
}

void Database::update_case(CaseRecord& c) {
  document_.clear();
  write_decision(c.decision, document_);
  auto row = c_.use(kUpdate);
  row.bind(c.version + 1);
  bind_case(row, c, document_);
  row.bind(c.id, c.version).exec();
  if (row.changes() != 1) {
    throw std::runtime_error("update_case: case " + c.id.str() + " is not at version " + std::to_string(c.version));
  }
  ++c.version;
}

std::vector<NoteRecord> Database::notes(const CaseId& id) {
  std::vector<NoteRecord> notes;
  auto row = c_.use(kNotes);
  row.bind(id);
  while (row.step()) {
    NoteRecord note;
    note.id = row.id<NoteId>();
    note.case_id = row.id<CaseId>();
    note.at = row.time();
    note.token = row.id<TokenId>();
    note.name = row.string();
    note.text = row.string();
    notes.push_back(std::move(note));
  }
  return notes;
}

void Database::insert_note(const NoteRecord& note) {
  c_.use(kInsertNote).bind(note.id, note.case_id, note.at, note.token, note.name, note.text).exec();
}

std::vector<CaseEvent> Database::events(const CaseId& id) {
  std::vector<CaseEvent> events;
  auto row = c_.use(kEvents);
  row.bind(id);
  while (row.step()) {
    CaseEvent event;
    event.seq = row.integer();
    event.case_id = row.id<CaseId>();
    event.at = row.time();
    event.type = row.string();
    event.actor = row.string();
    event.data = row.string();
    events.push_back(std::move(event));
  }
  return events;
}

void Database::insert_event(const CaseEvent& event) {
  c_.use(kInsertEvent).bind(event.case_id, event.at, event.type, event.actor, event.data).exec();
}

}  // namespace triage::store
