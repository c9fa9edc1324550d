// A disk that fails on demand, below everything that SQLite opens while the object lives. It also knows what was
// written to the log and not synced yet.
#pragma once

#include <atomic>

namespace triage::store::testing {

class FaultyDisk {
 public:
  FaultyDisk();  // becomes the way to the disk for databases that are opened from now on; one at a time
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // Result codes of SQLite that these answer instead of doing anything; 0: they work.
  std::atomic<int> read_error{0}, write_error{0}, sync_error{0};
  std::atomic<int> log_syncs{0};
  std::atomic<bool> log_unsynced{false};
};

}  // namespace triage::store::testing
