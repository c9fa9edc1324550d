// Tokens, and what was answered under an Idempotency-Key.
#include "store/database.h"

namespace triage::store {
namespace {

constexpr Duration kAnswerKept = std::chrono::hours(24);

const Sql kTokens("SELECT id, name, role, team, hash, created_at, revoked_at, last_used_at FROM tokens ORDER BY id");
const Sql kInsert(
    "INSERT INTO tokens (id, name, role, team, hash, created_at, revoked_at, last_used_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
const Sql kRevoke("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
const Sql kTouch("UPDATE tokens SET last_used_at = ? WHERE id = ?");

const Sql kAnswer("SELECT request_hash, status, body, etag FROM answers WHERE token_id = ? AND key = ? AND at > ?");
// A key that was used more than a day ago is a new one.
const Sql kKeep(
    "INSERT INTO answers (token_id, key, at, request_hash, status, body, etag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
    " ON CONFLICT (token_id, key) DO UPDATE SET at = ?3, request_hash = ?4, status = ?5, body = ?6, etag = ?7");
const Sql kForget("DELETE FROM answers WHERE at < ?");

}  // namespace

std::vector<TokenRecord> Database::tokens() {
  std::vector<TokenRecord> tokens;
  auto row = c_.use(kTokens);
  while (row.step()) {
    TokenRecord token;
    token.id = row.id<TokenId>();
    token.name = row.string();
    token.role = read_enum(row, parse_role);
    token.team = row.string();
    token.hash = row.string();
    token.created_at = row.time();
    token.revoked_at = row.optional_time();
    token.last_used_at = row.optional_time();
    tokens.push_back(std::move(token));
  }
  return tokens;
}

void Database::insert_token(const TokenRecord& t) {
  c_.use(kInsert).bind(t.id, t.name, t.role, t.team, t.hash, t.created_at, t.revoked_at, t.last_used_at).exec();
}

bool Database::revoke_token(const TokenId& id, Time now) {
  auto row = c_.use(kRevoke);
  row.bind(now, id).exec();
  return row.changes() == 1;
}

void Database::touch_token(const TokenId& id, Time now) {
  c_.use(kTouch).bind(now, id).exec();
}

std::optional<IdempotentAnswer> Database::idempotent_answer(const TokenId& token, std::string_view key, Time now) {
  auto row = c_.use(kAnswer);
  if (!row.bind(token, key, now - kAnswerKept).step()) return std::nullopt;
  IdempotentAnswer answer;
  answer.request_hash = row.string();
  answer.status = row.small();
  answer.body = row.string();
  answer.etag = row.string();
  return answer;
}

void Database::keep_idempotent_answer(const TokenId& token, std::string_view key, const IdempotentAnswer& answer,
                                      Time now) {
  c_.use(kKeep).bind(token, key, now, answer.request_hash, answer.status, answer.body, answer.etag).exec();
}

void Database::forget_idempotent_answers(Time before) {
  c_.use(kForget).bind(before).exec();
}

}  // namespace triage::store
