// SQLite in RAII: a connection that keeps each statement prepared, and a use of a statement that is reset whatever
// happens. Nothing here knows the schema. A database that cannot serve throws Unavailable; a wrong statement or a
// violated constraint throws std::runtime_error, because that is a defect.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "triage/model/id.h"
#include "triage/model/time.h"
#include "triage/store/store.h"

namespace triage::store {

// A statement's text, numbered when the program starts, so that every connection finds its prepared copy by index.
// For namespace scope only.
class Sql {
 public:
  explicit Sql(const char* text);
  const char* text() const { return text_; }
  std::size_t number() const { return number_; }

 private:
  const char* text_;
  std::size_t number_;
};

class Connection;

// One use of a prepared statement: bind, step through the rows, gone. The destructor resets the statement. Bound text
// is not copied: it must outlive the use.
class Query {
 public:
  Query(Connection& connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}
  ~Query() { sqlite3_reset(statement_); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Binds the next parameters, in order.
  template <class... T>
  Query& bind(T&&... values) {
    static_assert((!std::is_same_v<T, std::string> && ...), "a temporary string would be gone before the step");
    (put(values), ...);
    return *this;
  }

  bool step();  // true: a row is there
  void exec();  // to the end, for statements without rows
  int changes() const;

  // The columns of the row, each call the next one.
  std::string_view text();
  std::string string() { return std::string(text()); }
  std::int64_t integer() { return sqlite3_column_int64(statement_, column_++); }
  int small() { return sqlite3_column_int(statement_, column_++); }
  bool boolean() { return integer() != 0; }
  double real() { return sqlite3_column_double(statement_, column_++); }
  Time time() { return from_millis(integer()); }
  bool null() const { return sqlite3_column_type(statement_, column_) == SQLITE_NULL; }
  void skip() { ++column_; }

  template <class IdType>
  IdType id() {
    if (const auto found = IdType::parse(text())) return *found;
    not_an_id();
  }
  template <class IdType>
  std::optional<IdType> optional_id() {
    if (null()) return skip(), std::nullopt;
    return id<IdType>();
  }
  std::optional<Time> optional_time() {
    if (null()) return skip(), std::nullopt;
    return time();
  }
  std::optional<double> optional_real() {
    if (null()) return skip(), std::nullopt;
    return real();
  }

 private:
  void put(std::nullptr_t) { check(sqlite3_bind_null(statement_, ++parameter_)); }
  void put(std::string_view value) {
    // An empty view may have no address, which SQLite would take for NULL.
    const char* data = value.empty() ? "" : value.data();
    check(sqlite3_bind_text64(statement_, ++parameter_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void put(const char* value) { put(std::string_view(value)); }
  void put(double value) { check(sqlite3_bind_double(statement_, ++parameter_, value)); }
  void put(Time value) { put(to_millis(value)); }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void put(Integer value) {
    check(sqlite3_bind_int64(statement_, ++parameter_, static_cast<sqlite3_int64>(value)));
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void put(Enum value) {
    put(to_string(value));
  }
  template <class Tag>
  void put(const Id<Tag>& value) {
    put(value.view());
  }
  template <class T>
  void put(const std::optional<T>& value) {
    if (value) {
      put(*value);
    } else {
      put(nullptr);
    }
  }

  void check(int code);
  [[noreturn]] void not_an_id() const;

  Connection& connection_;
  sqlite3_stmt* statement_;
  int parameter_ = 0;
  int column_ = 0;
};

class Connection {
 public:
  struct Settings {
    std::chrono::milliseconds busy_timeout{5000};
    int cache_kib = 4096;
    bool create = false;
    bool read_only = false;
    const char* vfs = nullptr;  // SQLite's own
  };

  // Throws Unavailable with a sentence that names the file.
  Connection(const std::filesystem::path& file, const Settings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Query use(const Sql& sql);
  // For statements whose text depends on a filter: kept prepared too, the latest few.
  Query use(const std::string& sql);

  void exec(const char* sql);  // several statements, no parameters
  std::int64_t integer(const char* sql);
  std::string text(const char* sql);

  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  void rollback() noexcept;  // nothing when no transaction is open

  // An Unavailable was thrown since the last clear, whether or not someone caught it. Until then use() throws it again.
  bool failed() const { return failed_; }
  void clear_failed() { failed_ = false; }

  sqlite3* raw() { return db_; }
  [[noreturn]] void fail(int code, const char* sql);

 private:
  void refuse_after_failure() const;
  sqlite3_stmt* prepare(const char* sql);

  sqlite3* db_ = nullptr;
  std::filesystem::path file_;
  std::vector<sqlite3_stmt*> statements_;
  std::vector<std::pair<std::string, sqlite3_stmt*>> filtered_;  // the latest used last
  bool failed_ = false;
};

// Sets SQLite up. Before anything else is asked of it.
void start_library();

// Whether a result code says that the database cannot serve, rather than that a statement was wrong.
bool is_unavailable(int code);

}  // namespace triage::store
