// Counts what still runs, so that a shutdown can wait for it from outside the io threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace triage::deliver {

class Running {
 public:
  void enter() {
    const std::scoped_lock lock(mutex_);
    ++count_;
  }

  void leave() {
    const std::scoped_lock lock(mutex_);
    --count_;
    if (count_ == 0) none_.notify_all();
  }

  // True when nothing runs any more.
  bool wait_for(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, timeout, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

}  // namespace triage::deliver
