// The readers: a few threads, each with a connection of its own, that run reads in the order in which they come, each
// in one read transaction.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "triage/store/store.h"

namespace triage::store {

class ReaderPool {
 public:
  ReaderPool(std::filesystem::path file, const Options& options);
  ~ReaderPool();  // after the reads that were submitted

  void submit(Store::Read read, Store::ReadDone done);

  // Lets no read begin and waits until none runs, so that the log can start anew. False when one still ran after
  // `patience`; then nothing is paused.
  bool pause(std::chrono::milliseconds patience);
  void resume();

 private:
  struct Entry {
    Store::Read read;
    Store::ReadDone done;
  };
  void run();

  const std::filesystem::path file_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable work_, quiet_;
  std::deque<Entry> queue_;
  int running_ = 0;
  bool paused_ = false, stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace triage::store
