// The one writer: a thread that runs all the units of work that wait in one transaction, commits, and says so.
//
// It tries without savepoints first, because works hardly ever fail. When one throws, everything is rolled back and the
// batch runs again with a savepoint around each, so that a failure undoes only itself.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/checkpointer.h"
#include "store/database.h"
#include "store/file_lock.h"
#include "store/place.h"
#include "store/reader_pool.h"

namespace triage::store {

class GroupCommit {
 public:
  GroupCommit(const Place& place, const Options& options, std::unique_ptr<Connection> connection, ReaderPool& readers);
  ~GroupCommit();  // after the works that were submitted

  void submit(Store::Work work, Store::WorkDone done);
  bool healthy() const { return healthy_.load(std::memory_order_relaxed); }
  std::string trouble() const;
  Store::Stats stats() const;

 private:
  struct Entry {
    Store::Work work;
    Store::WorkDone done;
    Committed outcome = Committed::yes;
    std::string detail;
  };
  using Clock = std::chrono::steady_clock;

  void run();
  bool take(std::vector<Entry>& batch);
  void serve(std::vector<Entry>& batch);
  void attempt(std::vector<Entry>& batch);
  bool run_all(std::vector<Entry>& batch);   // false: one threw, and nothing is left of it
  void run_each(std::vector<Entry>& batch);  // with savepoints
  bool run_one(Entry& entry, bool flush);
  void refuse(Entry& entry);
  void use(std::unique_ptr<Connection> connection);
  void begin();
  void end();
  void abandon() noexcept;
  void fall_ill(const std::string& why);
  void probe();
  void tend_log();
  void checkpoint(bool restart);

  const Place place_;
  const Options options_;
  ReaderPool& readers_;
  Turnstile turnstile_;
  Checkpointer checkpointer_;

  // The writer's thread alone.
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Database> database_;
  int wal_pages_ = 0;       // in the log after the last commit
  int pass_began_at_ = 0;   // its length when the last pass over it began; 0: none has
  bool rest_done_ = false;  // the writer has done what the last pass left
  Clock::time_point next_probe_{};

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Entry> queue_;
  bool idle_ = false, stopping_ = false;
  std::string trouble_;

  std::atomic<bool> healthy_{true};
  std::atomic<std::uint64_t> commits_{0}, works_{0}, failed_{0}, overloaded_{0}, unavailable_{0}, commit_nanos_{0},
      checkpoints_{0}, checkpoint_nanos_{0};
  std::thread thread_;
};

}  // namespace triage::store
