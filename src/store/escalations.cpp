// Escalations: who was called about a case, and what they answered.
#include <algorithm>

#include "store/database.h"
#include "store/document.h"

namespace triage::store {
namespace {

#define TRIAGED_ESCALATION_COLUMNS                                                                                     \
  "id, case_id, ladder, rungs, level, state, reason, raised_at, ack_by, last_repeat_at, acknowledged_at, resolved_at," \
  " answered_by, note, eta, action"

const Sql kGet("SELECT " TRIAGED_ESCALATION_COLUMNS " FROM escalations WHERE id = ?");
const Sql kOfCase("SELECT " TRIAGED_ESCALATION_COLUMNS " FROM escalations WHERE case_id = ? ORDER BY seq");
const Sql kAll("SELECT " TRIAGED_ESCALATION_COLUMNS " FROM escalations WHERE id < ? ORDER BY id DESC");
const Sql kByState("SELECT " TRIAGED_ESCALATION_COLUMNS
                   " FROM escalations WHERE state = ? AND id < ? ORDER BY id DESC");
const Sql kInsert("INSERT INTO escalations (" TRIAGED_ESCALATION_COLUMNS
                  ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
const Sql kUpdate(
    "UPDATE escalations SET ladder = ?, rungs = ?, level = ?, state = ?, reason = ?, raised_at = ?, ack_by = ?,"
    " last_repeat_at = ?, acknowledged_at = ?, resolved_at = ?, answered_by = ?, note = ?, eta = ?, action = ?"
    " WHERE id = ?");

EscalationRecord read_escalation(Query& row) {
  EscalationRecord e;
  e.id = row.id<EscalationId>();
  e.case_id = row.id<CaseId>();
  e.ladder = row.string();
  e.rungs = read_rungs(row.text());
  e.level = row.small();
  e.state = read_enum(row, parse_escalation_state);
  e.reason = row.string();
  e.raised_at = row.time();
  e.ack_by = row.optional_time();
  e.last_repeat_at = row.optional_time();
  e.acknowledged_at = row.optional_time();
  e.resolved_at = row.optional_time();
  e.answered_by = row.string();
  e.note = row.string();
  e.eta = row.string();
  e.action = row.string();
  return e;
}

void bind_escalation(Query& query, const EscalationRecord& e, const std::string& rungs) {
  query.bind(e.ladder, rungs, e.level, e.state, e.reason, e.raised_at, e.ack_by, e.last_repeat_at, e.acknowledged_at,
             e.resolved_at, e.answered_by, e.note, e.eta, e.action);
}

// Whether the ladder has called the team so far.
bool has_called(const EscalationRecord& e, const std::string& team) {
  const auto called = std::min(e.rungs.size(), static_cast<std::size_t>(e.level) + 1);
  return std::any_of(e.rungs.begin(), e.rungs.begin() + static_cast<std::ptrdiff_t>(called),
                     [&](const Rung& rung) { return rung.team == team; });
}

// Greater than any id.
constexpr std::string_view kBeyond = "~";

}  // namespace

std::optional<EscalationRecord> Database::escalation(const EscalationId& id) {
  auto row = c_.use(kGet);
  if (!row.bind(id).step()) return std::nullopt;
  return read_escalation(row);
}

std::vector<EscalationRecord> Database::escalations_of_case(const CaseId& id) {
  std::vector<EscalationRecord> escalations;
  auto row = c_.use(kOfCase);
  row.bind(id);
  while (row.step()) escalations.push_back(read_escalation(row));
  return escalations;
}

std::vector<EscalationRecord> Database::escalations(std::optional<EscalationState> state,
                                                    const std::optional<std::string>& team, const Page& page) {
  std::vector<EscalationRecord> escalations;
  auto row = c_.use(state ? kByState : kAll);
  if (state) row.bind(*state);
  row.bind(page.after.empty() ? kBeyond : std::string_view(page.after));
  while (escalations.size() < page.limit && row.step()) {
    auto e = read_escalation(row);
    if (!team || has_called(e, *team)) escalations.push_back(std::move(e));
  }
  return escalations;
}

void Database::insert_escalation(const EscalationRecord& e) {
  document_.clear();
  write_rungs(e.rungs, document_);
  auto row = c_.use(kInsert);
  row.bind(e.id, e.case_id);
  bind_escalation(row, e, document_);
  row.exec();
}

void Database::update_escalation(const EscalationRecord& e) {
  document_.clear();
  write_rungs(e.rungs, document_);
  auto row = c_.use(kUpdate);
  bind_escalation(row, e, document_);
  row.bind(e.id).exec();
  if (row.changes() != 1) throw std::runtime_error("update_escalation: there is no escalation " + e.id.str());
}

}  // namespace triage::store
