// Making and opening the database.
#include "store/place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "store/schema.h"
#include "store/write_buffer.h"

namespace triage::store {
namespace fs = std::filesystem;

void Place::make_directory() const {
  std::error_code error;
  if (!fs::exists(directory_, error)) {
    if (directory_.has_parent_path()) fs::create_directories(directory_.parent_path(), error);
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
      throw Unavailable("cannot make the directory " + directory_.string() + ": " +
                        std::generic_category().message(errno));
    }
  }
}

void Place::make() const {
  make_directory();
  // SQLite gives its log and shared memory the mode of the database.
  const int descriptor = ::open(database().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
  } else if (errno != EEXIST) {
    throw Unavailable("cannot make " + database().string() + ": " + std::generic_category().message(errno));
  }
}

Connection::Settings writer_settings(std::chrono::milliseconds busy_timeout) {
  Connection::Settings settings;
  settings.busy_timeout = busy_timeout;
  settings.cache_kib = 8 * 1024;  // larger is slower: new pages would always be cold ones
  settings.vfs = write_buffer_vfs();
  return settings;
}

Result<std::unique_ptr<Connection>> connect_for_writing(const Place& place, const Connection::Settings& settings,
                                                        bool may_migrate) {
  auto connection = std::make_unique<Connection>(place.database(), settings);
  const std::string name = place.database().string();
  switch (inspect(*connection)) {
    case Schema::foreign:
      return make_error(ErrorCode::unprocessable, name + " is not a database of triaged; it is left as it is");
    case Schema::newer:
      return make_error(ErrorCode::unprocessable, name + " was made by a newer version of triaged (schema " +
                                                      std::to_string(connection->integer("PRAGMA user_version")) +
                                                      ", this one knows " + std::to_string(migrations().size()) +
                                                      "); it is left as it is");
    case Schema::empty:
    case Schema::ours:
      break;
  }
  const auto version = static_cast<std::size_t>(connection->integer("PRAGMA user_version"));
  if (version < migrations().size() && !may_migrate) {
    return make_error(ErrorCode::conflict, "a server of an older version runs on " + place.directory().string() +
                                               "; stop it, or use its own version of this command");
  }
  const std::string mode = connection->text("PRAGMA journal_mode=WAL");
  if (mode != "wal") throw Unavailable(name + " cannot be put into WAL mode (it is in mode " + mode + ")");
  migrate(*connection);
  return connection;
}

}  // namespace triage::store
