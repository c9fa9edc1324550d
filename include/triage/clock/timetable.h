// What falls due, when: ladder rungs, response clocks, lease ends. One durable timetable: entries are rows, so what
// fell due while the server was down fires when it is back. It knows when, not what is to be done: that it asks.
#pragma once

#include <functional>
#include <memory>

#include "triage/net/runtime.h"
#include "triage/store/store.h"

namespace triage::clock {

// Does what is due, inside the writer's transaction, and sets what comes next. The entry has been cleared already. May
// run more than once for one commit (see Store::write). Called on the writer's thread.
using WhenDue = std::function<void(store::Writer&, const store::Due&, Time now)>;

class Timetable {
 public:
  Timetable(net::Runtime& runtime, store::Store& store, WhenDue when_due, std::function<void()> after_commit);
  ~Timetable();

  void start();

  // An entry due at `at` was committed: wakes the timetable if that is sooner than what it waits for. Thread-safe and
  // cheap (one atomic compare in the common case).
  void note(Time at);

  // Call from outside the io threads.
  void stop();

  struct Stats {
    std::uint64_t fired = 0;
    std::int64_t late_ms = 0;  // how late the latest firing was
  };
  Stats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace triage::clock
