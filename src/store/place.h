// Where things lie in the data directory, and how a database there is opened.
#pragma once

#include <filesystem>
#include <memory>

#include "store/sqlite.h"

namespace triage::store {

class Place {
 public:
  explicit Place(std::filesystem::path directory) : directory_(std::move(directory)) {}

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path database() const { return directory_ / "triaged.db"; }
  std::filesystem::path server_lock() const { return directory_ / "triaged.lock"; }
  std::filesystem::path turnstile() const { return directory_ / "triaged.turn"; }

  void make_directory() const;  // (0700) where it is missing. Throws Unavailable
  void make() const;            // also an empty database file (0600)

 private:
  std::filesystem::path directory_;
};

constexpr int kReaderCacheKib = 4 * 1024;

// A connection that writes: checked to be our database and brought up to date. A refusal is an error that says why;
// only a disk that fails throws Unavailable.
Result<std::unique_ptr<Connection>> connect_for_writing(const Place& place, const Connection::Settings& settings,
                                                        bool may_migrate);

// How the server's writer connects.
Connection::Settings writer_settings(std::chrono::milliseconds busy_timeout);

}  // namespace triage::store
