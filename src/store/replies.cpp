// What agents answered, and how far platforms were read.
#include "store/database.h"

namespace triage::store {
namespace {

#define TRIAGED_REPLY_COLUMNS \
  "id, case_id, post_id, source, delivery_id, at, token_id, name, text, state, native_id, url, sent_at, error"

const Sql kGet("SELECT " TRIAGED_REPLY_COLUMNS " FROM replies WHERE id = ?");
const Sql kOfCase("SELECT " TRIAGED_REPLY_COLUMNS " FROM replies WHERE case_id = ? ORDER BY seq");
const Sql kOfDelivery("SELECT " TRIAGED_REPLY_COLUMNS " FROM replies WHERE delivery_id = ?");
const Sql kInsert("INSERT INTO replies (" TRIAGED_REPLY_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
const Sql kUpdate("UPDATE replies SET state = ?, native_id = ?, url = ?, sent_at = ?, error = ? WHERE id = ?");
const Sql kCursor("SELECT cursor, etag, last_modified, changed_at FROM cursors WHERE source = ? AND pull = ?");
const Sql kSetCursor(
    "INSERT INTO cursors (source, pull, cursor, etag, last_modified, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
    " ON CONFLICT (source, pull) DO UPDATE SET cursor = ?3, etag = ?4, last_modified = ?5, changed_at = ?6");

ReplyRecord read_reply(Query& row) {
  ReplyRecord r;
  r.id = row.id<ReplyId>();
  r.case_id = row.id<CaseId>();
  r.post = row.id<PostId>();
  r.source = row.string();
  r.delivery = row.id<DeliveryId>();
  r.at = row.time();
  r.token = row.id<TokenId>();
  r.name = row.string();
  r.text = row.string();
  r.state = read_enum(row, parse_reply_state);
  r.native_id = row.string();
  r.url = row.string();
  r.sent_at = row.optional_time();
  r.error = row.string();
  return r;
}

}  // namespace

std::optional<ReplyRecord> Database::reply(const ReplyId& id) {
  auto row = c_.use(kGet);
  if (!row.bind(id).step()) return std::nullopt;
  return read_reply(row);
}

std::vector<ReplyRecord> Database::replies_of_case(const CaseId& id) {
  std::vector<ReplyRecord> replies;
  auto row = c_.use(kOfCase);
  row.bind(id);
  while (row.step()) replies.push_back(read_reply(row));
  return replies;
}

std::optional<ReplyRecord> Database::reply_of_delivery(const DeliveryId& id) {
  auto row = c_.use(kOfDelivery);
  if (!row.bind(id).step()) return std::nullopt;
  return read_reply(row);
}

void Database::insert_reply(const ReplyRecord& r) {
  c_.use(kInsert)
      .bind(r.id, r.case_id, r.post, r.source, r.delivery, r.at, r.token, r.name, r.text, r.state, r.native_id, r.url,
            r.sent_at, r.error)
      .exec();
}

void Database::update_reply(const ReplyRecord& r) {
  auto row = c_.use(kUpdate);
  row.bind(r.state, r.native_id, r.url, r.sent_at, r.error, r.id).exec();
  if (row.changes() != 1) throw std::runtime_error("update_reply: there is no reply " + r.id.str());
}

std::optional<CursorRecord> Database::cursor(std::string_view source, std::string_view pull) {
  auto row = c_.use(kCursor);
  if (!row.bind(source, pull).step()) return std::nullopt;
  CursorRecord cursor;
  cursor.source = source;
  cursor.pull = pull;
  cursor.cursor = row.string();
  cursor.etag = row.string();
  cursor.last_modified = row.string();
  cursor.changed_at = row.time();
  return cursor;
}

void Database::set_cursor(const CursorRecord& c) {
  c_.use(kSetCursor).bind(c.source, c.pull, c.cursor, c.etag, c.last_modified, c.changed_at).exec();
}

}  // namespace triage::store
