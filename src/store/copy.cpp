// Online backup and restore.
#include "store/copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "store/file_lock.h"
#include "store/place.h"
#include "store/schema.h"

namespace triage::store {
namespace fs = std::filesystem;
namespace {

// The copy under way: removed unless it was given its name.
class Unfinished {
 public:
  explicit Unfinished(const fs::path& wanted) : path_(wanted.string() + ".partial-" + std::to_string(::getpid())) {
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
      throw Unavailable("cannot make " + path_.string() + ": " + std::generic_category().message(errno));
    ::close(descriptor);
  }
  ~Unfinished() {
    std::error_code error;
    fs::remove(path_, error);
    fs::remove(path_.string() + "-journal", error);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void sync(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) throw Unavailable("cannot sync " + path.string() + ": " + std::generic_category().message(error));
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

Error overwrites(const fs::path& file) {
  return make_error(ErrorCode::conflict, file.string() + " is there already; it is left as it is");
}

// All at once, in one read transaction: other writers neither wait for it nor make it start again.
void copy_pages(Connection& from, Connection& to) {
  sqlite3_backup* backup = sqlite3_backup_init(to.raw(), "main", from.raw(), "main");
  if (backup == nullptr) to.fail(sqlite3_errcode(to.raw()), "backup");
  int code = sqlite3_backup_step(backup, -1);
  const int end = sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE) code = end;
  if (code != SQLITE_OK) throw Unavailable(std::string("the copy failed: ") + sqlite3_errstr(code));
}

}  // namespace

Result<void> copy_database(Connection& from, const fs::path& file, const std::function<void(Connection&)>& finish) {
  try {
    std::error_code error;
    if (fs::exists(fs::symlink_status(file, error))) return overwrites(file);
    const Unfinished copy(file);
    {
      Connection to(copy.path(), {});
      copy_pages(from, to);
      to.text("PRAGMA journal_mode=DELETE");
      finish(to);
    }
    sync(copy.path(), O_RDWR);
    if (::link(copy.path().c_str(), file.c_str()) != 0) {
      if (errno == EEXIST) return overwrites(file);
      throw Unavailable("cannot make " + file.string() + ": " + std::generic_category().message(errno));
    }
    sync(folder_of(file), O_RDONLY | O_DIRECTORY);
    return Result<void>(boost::system::in_place_value);
  } catch (const std::exception& failure) {
    return make_error(ErrorCode::unavailable, failure.what());
  }
}

Result<void> restore(const fs::path& file, const fs::path& directory, bool release_deliveries) {
  const auto refuse = [&](const std::string& why) {
    return make_error(ErrorCode::unprocessable, file.string() + " " + why + "; nothing was restored");
  };
  try {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return refuse("is not there, or is not a file");
    Connection::Settings settings;
    settings.read_only = true;
    Connection backup(file, settings);
    try {
      const Schema schema = inspect(backup);
      if (schema == Schema::newer) return refuse("was made by a newer version of triaged");
      if (schema != Schema::ours) return refuse("is not a backup of triaged");
      const std::string verdict = backup.text("PRAGMA integrity_check(1)");
      if (verdict != "ok") return refuse("is damaged: " + verdict);
    } catch (const Unavailable& failure) {
      return refuse("cannot be read as a backup (" + failure.text + ")");
    }

    const Place place(directory);
    place.make_directory();
    const auto lock = FileLock::take(place.server_lock(), std::chrono::milliseconds(0));
    if (!lock) {
      return make_error(ErrorCode::conflict, "a server runs on the data directory " + directory.string());
    }
    const fs::path log = place.database().string() + "-wal";
    if (fs::exists(log, error)) return overwrites(log);
    return copy_database(backup, place.database(), [&](Connection& copy) {
      migrate(copy);
      if (!release_deliveries) copy.exec("UPDATE deliveries SET state = 'held' WHERE state IN ('waiting', 'sending')");
    });
  } catch (const std::exception& failure) {
    return make_error(ErrorCode::unavailable, failure.what());
  }
}

}  // namespace triage::store
