// The insides of Connection and Query.
#include "store/sqlite.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

namespace triage::store {
namespace {

constexpr std::size_t kFilteredKept = 32;

std::size_t& statement_count() {
  static std::size_t count = 0;
  return count;
}

}  // namespace

// Memory statistics take a global lock at every allocation, and nobody reads them. Too late when somebody else has
// started SQLite; then it is merely slower.
void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

Sql::Sql(const char* text) : text_(text), number_(statement_count()++) {}

bool is_unavailable(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
      return true;
    default:
      return false;
  }
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  column_ = 0;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.fail(code, sqlite3_sql(statement_));
}

void Query::exec() {
  while (step()) {
  }
}

int Query::changes() const {
  return sqlite3_changes(connection_.raw());
}

std::string_view Query::text() {
  const int column = column_++;
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Query::check(int code) {
  if (code != SQLITE_OK) connection_.fail(code, sqlite3_sql(statement_));
}

void Query::not_an_id() const {
  throw std::runtime_error(std::string("a column that is not an id was read by: ") + sqlite3_sql(statement_));
}

Connection::Connection(const std::filesystem::path& file, const Settings& settings) : file_(file) {
  start_library();
  int flags = SQLITE_OPEN_NOMUTEX | (settings.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  if (settings.create) flags |= SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(file.c_str(), &db_, flags, settings.vfs);
  if (code != SQLITE_OK) {
    const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
    sqlite3_close_v2(db_);
    throw Unavailable("cannot open " + file.string() + ": " + why);
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, static_cast<int>(settings.busy_timeout.count()));
  try {
    // secure_delete=FAST overwrites what is deleted wherever that costs no extra I/O, so that an erased text is gone.
    exec(("PRAGMA cache_size=-" + std::to_string(settings.cache_kib) +
          "; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST; PRAGMA foreign_keys=OFF;"
          "PRAGMA wal_autocheckpoint=0")
             .c_str());
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Connection::~Connection() {
  for (auto* statement : statements_) sqlite3_finalize(statement);
  for (auto& [sql, statement] : filtered_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

sqlite3_stmt* Connection::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
  return statement;
}

// A failing disk makes SQLite roll back by itself, and each further statement would commit on its own.
void Connection::refuse_after_failure() const {
  if (failed_) throw Unavailable(file_.string() + ": an earlier statement of this transaction failed");
}

Query Connection::use(const Sql& sql) {
  refuse_after_failure();
  if (sql.number() >= statements_.size()) statements_.resize(statement_count(), nullptr);
  auto*& statement = statements_[sql.number()];
  if (statement == nullptr) statement = prepare(sql.text());
  return Query(*this, statement);
}

Query Connection::use(const std::string& sql) {
  refuse_after_failure();
  const auto found = std::find_if(filtered_.begin(), filtered_.end(), [&](const auto& e) { return e.first == sql; });
  if (found != filtered_.end()) {
    std::rotate(found, found + 1, filtered_.end());
  } else {
    auto* statement = prepare(sql.c_str());
    if (filtered_.size() == kFilteredKept) {
      sqlite3_finalize(filtered_.front().second);
      filtered_.erase(filtered_.begin());
    }
    filtered_.emplace_back(sql, statement);
  }
  return Query(*this, filtered_.back().second);
}

void Connection::exec(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
}

std::int64_t Connection::integer(const char* sql) {
  sqlite3_stmt* statement = prepare(sql);
  const int code = sqlite3_step(statement);
  const std::int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code, sql);
  return value;
}

std::string Connection::text(const char* sql) {
  sqlite3_stmt* statement = prepare(sql);
  const int code = sqlite3_step(statement);
  std::string value;
  if (code == SQLITE_ROW) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    if (data != nullptr) value = data;
  }
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code, sql);
  return value;
}

void Connection::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Connection::fail(int code, const char* sql) {
  const std::string why = sqlite3_errmsg(db_);
  if (is_unavailable(code)) {
    failed_ = true;
    throw Unavailable(file_.string() + ": " + why + " (" + std::to_string(sqlite3_extended_errcode(db_)) + ")");
  }
  throw std::runtime_error("SQLite: " + why + " (" + std::to_string(code) + ") in: " + (sql != nullptr ? sql : ""));
}

}  // namespace triage::store
