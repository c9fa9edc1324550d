// Holds an endpoint back that keeps failing: after so many failures in a row one probe at a time, with doubling waits,
// until one succeeds. It knows counts and times, not why an attempt failed.
#pragma once

#include <algorithm>
#include <chrono>

#include "triage/model/time.h"

namespace triage::deliver {

class Breaker {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    int failures = 5;
    Duration wait{5'000};
    Duration wait_max{60'000};
  };

  void set_limits(const Limits& limits) { limits_ = limits; }

  bool open() const { return open_; }
  // When the next probe may leave, while it is open.
  Clock::time_point probe_at() const { return probe_at_; }

  void succeeded() {
    open_ = false;
    failures_ = 0;
  }

  // `probe`: the attempt was started while it was open. Stragglers from before do not lengthen the wait.
  void failed(Clock::time_point now, bool probe) {
    ++failures_;
    if (!open_ && failures_ >= std::max(limits_.failures, 1)) {
      open_ = true;
      wait_ = limits_.wait;
      probe_at_ = now + wait_;
    } else if (open_ && probe) {
      wait_ = std::min(wait_ * 2, std::max(limits_.wait_max, limits_.wait));
      probe_at_ = now + wait_;
    }
  }

 private:
  Limits limits_;
  bool open_ = false;
  int failures_ = 0;  // in a row
  Duration wait_{};
  Clock::time_point probe_at_{};
};

}  // namespace triage::deliver
