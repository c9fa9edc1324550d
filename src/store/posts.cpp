// Posts, tombstones, shares, and which case a conversation belongs to.
//
// A deletion leaves a row with state deleted, also when it comes before its post, so that one look at the index on the
// native id says everything: new, known, or deleted.
#include <algorithm>

#include "store/database.h"
#include "store/document.h"

namespace triage::store {
namespace {

#define TRIAGED_POST_COLUMNS                                                                                           \
  "p.id, p.source, p.platform, p.kind, p.native_id, p.state, p.revision, p.created_at, p.received_at, p.author_id,"    \
  " p.author, p.case_id, p.text, p.url, p.language, p.in_reply_to, p.conversation_id, p.lat, p.lon, p.place, p.media," \
  " p.rating, p.brand_account, p.moment, p.moment_confidence, p.actionable, p.actionable_confidence, p.intent,"        \
  " p.topic, p.sentiment, p.verdict_language, p.text_urgency, p.urgency, p.priority, p.reasons, p.judge, p.model,"     \
  " a.native_id, a.handle, a.name, a.followers, a.verified,"                                                           \
  " (SELECT count FROM shares s WHERE s.native_id = p.native_id AND s.platform = p.platform)"                          \
  " FROM posts p LEFT JOIN authors a ON a.id = p.author_id"

const Sql kGet("SELECT " TRIAGED_POST_COLUMNS " WHERE p.id = ?");
const Sql kOfCase("SELECT " TRIAGED_POST_COLUMNS " WHERE p.case_id = ? ORDER BY p.created_at, p.seq");
const Sql kFind(
    "SELECT id, kind, revision, state, case_id FROM posts WHERE native_id = ? AND platform = ? AND source = ?");
const Sql kInsert(
    "INSERT INTO posts (id, source, platform, kind, native_id, state, revision, created_at, received_at, author_id,"
    " author, case_id, text, url, language, in_reply_to, conversation_id, thread_id, thread_author, lat, lon, place,"
    " media, rating, brand_account, moment, moment_confidence, actionable, actionable_confidence, intent, topic,"
    " sentiment, verdict_language, text_urgency, urgency, priority, reasons, judge, model)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
    " ?, ?, ?, ?)");
// What a later event leaves out (url, author, geo, …) stays as it was.
const Sql kUpdate(
    "UPDATE posts SET state = ?1, revision = ?2, text = ?3, media = ?4, case_id = ?5, thread_id = ?6,"
    " thread_author = ?7, created_at = coalesce(nullif(?8, 0), created_at), author_id = coalesce(?9, author_id),"
    " author = coalesce(?10, author), url = coalesce(nullif(?11, ''), url),"
    " language = coalesce(nullif(?12, ''), language), in_reply_to = coalesce(nullif(?13, ''), in_reply_to),"
    " conversation_id = coalesce(nullif(?14, ''), conversation_id), lat = coalesce(?15, lat), lon = coalesce(?16, lon),"
    " place = coalesce(?17, place), rating = coalesce(?18, rating),"
    " brand_account = coalesce(nullif(?19, ''), brand_account), moment = ?20, moment_confidence = ?21,"
    " actionable = ?22, actionable_confidence = ?23, intent = ?24, topic = ?25, sentiment = ?26,"
    " verdict_language = ?27, text_urgency = ?28, urgency = ?29, priority = ?30, reasons = ?31, judge = ?32,"
    " model = ?33 WHERE id = ?34");
// The reasons quote the text, so they go with it.
const Sql kDelete(
    "UPDATE posts SET state = 'deleted', deleted_at = ?, text = '', media = '', lat = NULL, lon = NULL, place = NULL,"
    " reasons = NULL WHERE id = ?");
const Sql kTombstone(
    "INSERT INTO posts (id, source, platform, kind, native_id, state, revision, created_at, received_at, deleted_at,"
    " text, url, language, in_reply_to, conversation_id, media, brand_account)"
    " VALUES (?1, ?2, ?3, ?4, ?5, 'deleted', 0, ?6, ?6, ?6, '', '', '', '', '', '', '')"
    " ON CONFLICT (native_id, platform, source, kind) DO UPDATE SET state = 'deleted', deleted_at = ?6, text = '',"
    " media = '', lat = NULL, lon = NULL, place = NULL, reasons = NULL");
const Sql kCountShare(
    "INSERT INTO shares (native_id, platform, count) VALUES (?, ?, 1)"
    " ON CONFLICT (native_id, platform) DO UPDATE SET count = count + 1");
const Sql kNewest(
    "INSERT INTO sources (source, newest_post_at) VALUES (?1, ?2)"
    " ON CONFLICT (source) DO UPDATE SET newest_post_at = max(newest_post_at, ?2)");

// Posts with a case in a conversation: of one customer's cases, newest first, or of anyone's. No order is asked for
// where SQLite would have to sort: that alone costs more than all the rest.
const Sql kThreadOfAuthor(
    "SELECT seq, case_id FROM posts WHERE thread_id = ? AND thread_author = ? AND platform = ? AND brand_account = ?"
    " ORDER BY seq DESC LIMIT 1");
const Sql kThread("SELECT seq, case_id FROM posts WHERE thread_id = ? AND platform = ? AND brand_account = ?");
const Sql kNative(
    "SELECT seq, case_id FROM posts WHERE native_id = ? AND platform = ? AND brand_account = ? AND case_id IS NOT "
    "NULL");
const Sql kAuthorOfCase("SELECT author_id FROM cases WHERE id = ?");

std::optional<PostState> parse_state(std::string_view text) {
  return parse_post_state(text);
}

Verdict read_verdict(Query& row) {
  Verdict v;
  v.moment = read_enum(row, parse_moment);
  v.moment_confidence = row.real();
  v.actionable = row.boolean();
  v.actionable_confidence = row.real();
  v.intent = read_enum(row, parse_intent);
  v.topic = read_enum(row, parse_topic);
  v.sentiment = row.real();
  v.language = row.string();
  v.text_urgency = row.real();
  v.urgency = row.real();
  v.priority = read_enum(row, parse_priority);
  v.reasons = read_reasons(row.text());
  v.judge = row.string();
  v.model = row.string();
  return v;
}

constexpr int kVerdictColumns = 14;

PostRecord read_post(Query& row) {
  PostRecord record;
  Post& post = record.post;
  post.id = row.id<PostId>();
  post.source = row.string();
  post.platform = row.string();
  post.kind = parse_post_kind(row.text()).value_or(PostKind::post);
  post.native_id = row.string();
  record.state = read_enum(row, parse_state);
  post.revision = row.integer();
  post.created_at = row.time();
  post.received_at = row.time();
  record.author = row.optional_id<AuthorId>();
  if (const auto author = row.text(); !author.empty()) post.author = read_author(author);
  record.case_id = row.optional_id<CaseId>();
  post.text = row.string();
  post.url = row.string();
  post.language = row.string();
  post.in_reply_to = row.string();
  post.conversation_id = row.string();
  Geo geo;
  geo.lat = row.optional_real();
  geo.lon = row.optional_real();
  const bool placed = !row.null();
  geo.place = row.string();
  if (geo.lat || placed) post.geo = std::move(geo);
  post.media = read_media(row.text());
  post.rating = row.optional_real();
  post.brand_account = row.string();
  if (!row.null()) {
    record.verdict = read_verdict(row);
  } else {
    for (int i = 0; i < kVerdictColumns; ++i) row.skip();
  }
  if (record.author && !row.null()) {
    Author author;
    author.native_id = row.string();
    author.handle = row.string();
    author.name = row.string();
    const bool counted = !row.null();
    const auto followers = row.integer();
    if (counted) author.followers = followers;
    const bool told = !row.null();
    const bool verified = row.boolean();
    if (told) author.verified = verified;
    post.author = std::move(author);
  } else {
    for (int i = 0; i < 5; ++i) row.skip();
  }
  record.shares = row.integer();
  return record;
}

// The next parameters: a verdict's columns, all NULL without one. `reasons` is its JSON.
void bind_verdict(Query& query, const std::optional<Verdict>& verdict, const std::string& reasons) {
  if (!verdict) {
    for (int i = 0; i < kVerdictColumns; ++i) query.bind(nullptr);
    return;
  }
  const Verdict& v = *verdict;
  query.bind(v.moment, v.moment_confidence, v.actionable, v.actionable_confidence, v.intent, v.topic, v.sentiment,
             v.language, v.text_urgency, v.urgency, v.priority, reasons, v.judge, v.model);
}

std::optional<double> lat_of(const Post& post) {
  return post.geo ? post.geo->lat : std::nullopt;
}
std::optional<double> lon_of(const Post& post) {
  return post.geo ? post.geo->lon : std::nullopt;
}
std::optional<std::string_view> place_of(const Post& post) {
  return post.geo ? std::optional<std::string_view>(post.geo->place) : std::nullopt;
}

// A post that is itself the start of its conversation is found by its native id, and needs no second index entry.
std::optional<std::string_view> thread_of(const PostRecord& record) {
  const Post& post = record.post;
  if (!record.case_id || post.conversation_id.empty() || post.conversation_id == post.native_id) return std::nullopt;
  return std::string_view(post.conversation_id);
}

}  // namespace

std::optional<AuthorId> Database::thread_author(const PostRecord& record) {
  if (!thread_of(record)) return std::nullopt;
  if (record.state != PostState::own) return record.author;
  return author_of_case(*record.case_id);
}

std::optional<AuthorId> Database::author_of_case(const CaseId& id) {
  auto row = c_.use(kAuthorOfCase);
  if (!row.bind(id).step()) return std::nullopt;
  return row.optional_id<AuthorId>();
}

std::optional<PostRecord> Database::post(const PostId& id) {
  insert_new_author();
  auto row = c_.use(kGet);
  if (!row.bind(id).step()) return std::nullopt;
  return read_post(row);
}

std::vector<PostRecord> Database::posts_of_case(const CaseId& id) {
  insert_new_author();
  std::vector<PostRecord> posts;
  auto row = c_.use(kOfCase);
  row.bind(id);
  while (row.step()) posts.push_back(read_post(row));
  return posts;
}

std::vector<PostKey> Database::find_posts(std::string_view source, std::string_view platform,
                                          std::string_view native_id) {
  std::vector<PostKey> keys;
  auto row = c_.use(kFind);
  row.bind(native_id, platform, source);
  while (row.step()) {
    PostKey key;
    key.id = row.id<PostId>();
    const auto kind = parse_post_kind(row.text());
    key.kind = kind.value_or(PostKind::post);
    key.any_kind = !kind;
    key.revision = row.integer();
    key.state = read_enum(row, parse_state);
    key.case_id = row.optional_id<CaseId>();
    keys.push_back(key);
  }
  return keys;
}

std::optional<PostKey> Database::find_post(std::string_view source, std::string_view platform, PostKind kind,
                                           std::string_view native_id) {
  const auto keys = find_posts(source, platform, native_id);
  std::optional<PostKey> found;
  for (const PostKey& key : keys) {
    if (key.any_kind) {
      if (!found) found = key;
    } else if (key.kind == kind) {
      found = key;
    }
  }
  return found;
}

std::optional<CaseId> Database::case_of_conversation(std::string_view platform, std::string_view brand_account,
                                                     std::string_view conversation_id, std::string_view in_reply_to,
                                                     const std::optional<AuthorId>& author) {
  std::int64_t newest = 0;
  std::optional<CaseId> found;
  const auto take_newest = [&](Query& row) {
    while (row.step()) {
      const auto seq = row.integer();
      if (seq <= newest) continue;
      newest = seq;
      found = row.id<CaseId>();
    }
  };
  const auto by_native_id = [&](std::string_view native_id) {
    auto row = c_.use(kNative);
    row.bind(native_id, platform, brand_account);
    while (row.step()) {
      const auto seq = row.integer();
      const auto case_id = row.id<CaseId>();
      if (seq <= newest || (author && author_of_case(case_id) != author)) continue;
      newest = seq;
      found = case_id;
    }
  };
  if (!in_reply_to.empty() && in_reply_to != conversation_id) by_native_id(in_reply_to);
  if (!found && !conversation_id.empty()) {
    auto row = c_.use(author ? kThreadOfAuthor : kThread);
    row.bind(conversation_id);
    if (author) row.bind(*author);
    row.bind(platform, brand_account);
    take_newest(row);
    by_native_id(conversation_id);
  }
  return found;
}

void Database::insert_post(const PostRecord& record) {
  const Post& p = record.post;
  document_.clear();
  if (record.verdict) write_reasons(record.verdict->reasons, document_);
  second_document_.clear();
  const bool stranger = p.author && !record.author;
  std::size_t media_at = 0;
  if (stranger) write_author(*p.author, second_document_);
  media_at = second_document_.size();
  if (!p.media.empty()) write_media(p.media, second_document_);
  const std::string_view documents = second_document_;
  const auto author = stranger ? std::optional(documents.substr(0, media_at)) : std::nullopt;

  const auto thread = thread_of(record);
  const auto of_author = thread_author(record);
  auto row = c_.use(kInsert);
  row.bind(p.id, p.source, p.platform, p.kind, p.native_id, record.state, p.revision, p.created_at, p.received_at,
           record.author, author, record.case_id, p.text, p.url, p.language, p.in_reply_to, p.conversation_id, thread,
           of_author, lat_of(p), lon_of(p), place_of(p), documents.substr(media_at), p.rating, p.brand_account);
  bind_verdict(row, record.verdict, document_);
  row.exec();

  if (record.state == PostState::own) return;  // our own words are no sign that the platform speaks
  const auto known =
      std::find_if(newest_.begin(), newest_.end(), [&](const auto& entry) { return entry.first == p.source; });
  if (known == newest_.end()) {
    newest_.emplace_back(p.source, p.received_at);
  } else {
    known->second = std::max(known->second, p.received_at);
  }
}

void Database::flush() {
  insert_new_author();
  for (const auto& [source, at] : newest_) c_.use(kNewest).bind(source, at).exec();
  newest_.clear();
}

void Database::update_post(const PostRecord& record) {
  const Post& p = record.post;
  document_.clear();
  if (record.verdict) write_reasons(record.verdict->reasons, document_);
  std::string media;
  if (!p.media.empty()) write_media(p.media, media);
  std::optional<std::string> author;
  if (p.author && !record.author) write_author(*p.author, author.emplace());

  const auto thread = thread_of(record);
  const auto of_author = thread_author(record);
  auto row = c_.use(kUpdate);
  row.bind(record.state, p.revision, p.text, media, record.case_id, thread, of_author, p.created_at, record.author,
           author, p.url, p.language, p.in_reply_to, p.conversation_id, lat_of(p), lon_of(p), place_of(p), p.rating,
           p.brand_account);
  bind_verdict(row, record.verdict, document_);
  row.bind(p.id).exec();
  if (row.changes() != 1) throw std::runtime_error("update_post: there is no post " + p.id.str());
}

void Database::delete_post(const PostId& id, Time now) {
  c_.use(kDelete).bind(now, id).exec();
}

void Database::insert_tombstone(std::string_view source, std::string_view platform, std::optional<PostKind> kind,
                                std::string_view native_id, Time now) {
  const PostId id = PostId::make(now);
  const std::string_view kind_name = kind ? to_string(*kind) : std::string_view();
  c_.use(kTombstone).bind(id, source, platform, kind_name, native_id, now).exec();
}

void Database::count_share(std::string_view platform, std::string_view shared_native_id) {
  c_.use(kCountShare).bind(shared_native_id, platform).exec();
}

}  // namespace triage::store
