// The parts put together: the server's lock, the writer, the readers.
#include "triage/store/store.h"

#include "store/group_commit.h"

namespace triage::store {
namespace {

class SqliteStore final : public Store {
 public:
  SqliteStore(FileLock lock, const Place& place, const Options& options, std::unique_ptr<Connection> connection)
      : lock_(std::move(lock)),
        readers_(place.database(), options),
        writer_(place, options, std::move(connection), readers_) {}

  void write(Work work, WorkDone done) override { writer_.submit(std::move(work), std::move(done)); }
  void read(Read read, ReadDone done) override { readers_.submit(std::move(read), std::move(done)); }
  bool healthy() const override { return writer_.healthy(); }
  std::string trouble() const override { return writer_.trouble(); }
  Stats stats() const override { return writer_.stats(); }

 private:
  // In this order, so that the writer ends first and the lock is given up last. Whichever connection closes last
  // checkpoints.
  FileLock lock_;
  ReaderPool readers_;
  GroupCommit writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open(const Options& options) {
  const Place place(options.directory);
  try {
    place.make();
    // A command that looks whether a server is here holds the lock for an instant.
    auto lock = FileLock::take(place.server_lock(), std::chrono::milliseconds(300));
    if (!lock) {
      return make_error(ErrorCode::conflict, "another server runs on the data directory " + options.directory.string());
    }
    auto connection = connect_for_writing(place, writer_settings(options.busy_timeout), true);
    if (!connection) return connection.error();
    return std::unique_ptr<Store>(
        std::make_unique<SqliteStore>(std::move(*lock), place, options, std::move(*connection)));
  } catch (const std::exception& failure) {
    return make_error(ErrorCode::unavailable, failure.what());
  }
}

Error error_of(Committed outcome, const std::string& detail) {
  switch (outcome) {
    case Committed::overloaded:
      return Error{
          ErrorCode::unavailable, "the server is behind with its writes; try again", {}, std::chrono::seconds(1)};
    case Committed::unavailable:
      return Error{ErrorCode::unavailable, "the database cannot serve now: " + detail, {}, std::chrono::seconds(2)};
    case Committed::failed:
    case Committed::yes:
      break;
  }
  return make_error(ErrorCode::internal, detail);
}

}  // namespace triage::store
