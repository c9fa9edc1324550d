// One connection beside a running server, for commands.
#include "store/copy.h"
#include "store/database.h"
#include "store/file_lock.h"
#include "store/place.h"

namespace triage::store {
namespace {

constexpr std::chrono::milliseconds kBusyTimeout{5000};

class SqliteSession final : public Session {
 public:
  SqliteSession(const Place& place, std::unique_ptr<Connection> connection)
      : place_(place), connection_(std::move(connection)), database_(*connection_) {}

  Result<void> write(const std::function<void(Writer&)>& work) override {
    return transact("BEGIN IMMEDIATE", true, [&] { work(database_); });
  }

  Result<void> read(const std::function<void(Reader&)>& read) override {
    return transact("BEGIN", false, [&] { read(database_); });
  }

  Result<void> backup(const std::filesystem::path& file) override {
    return copy_database(*connection_, file, [](Connection&) {});
  }

 private:
  template <class Body>
  Result<void> transact(const char* begin, bool writes, Body body) {
    try {
      std::optional<FileLock> turn;
      if (writes) turn = FileLock::take(place_.turnstile(), kBusyTimeout);
      connection_->clear_failed();
      connection_->exec(begin);
      body();
      database_.flush();
      if (connection_->failed()) throw Unavailable("the database failed during a write");
      connection_->exec("COMMIT");
      return Result<void>(boost::system::in_place_value);
    } catch (const Unavailable& failure) {
      undo();
      return make_error(ErrorCode::unavailable, failure.text);
    } catch (const std::exception& defect) {
      undo();
      return make_error(ErrorCode::internal, defect.what());
    }
  }

  void undo() {
    database_.forget();
    connection_->rollback();
  }

  Place place_;
  std::unique_ptr<Connection> connection_;
  Database database_;
};

}  // namespace

Result<std::unique_ptr<Session>> open_session(const std::filesystem::path& directory, bool create) {
  const Place place(directory);
  try {
    std::error_code error;
    if (create) {
      place.make();
    } else if (!std::filesystem::exists(place.database(), error)) {
      return make_error(ErrorCode::not_found, "there is no database in the data directory " + directory.string());
    }
    // Without a server, a database of an older version may be brought up to date; not under a server's feet.
    const auto lock = FileLock::take(place.server_lock(), std::chrono::milliseconds(0));
    Connection::Settings settings;
    settings.busy_timeout = kBusyTimeout;
    auto connection = connect_for_writing(place, settings, lock.has_value());
    if (!connection) return connection.error();
    return std::unique_ptr<Session>(std::make_unique<SqliteSession>(place, std::move(*connection)));
  } catch (const std::exception& failure) {
    return make_error(ErrorCode::unavailable, failure.what());
  }
}

}  // namespace triage::store
