// Judges posts again when there is time: those whose verdict was hasty, and those that `triaged rejudge` asked for. The
// wishes are rows; each ends in the commit that carries it out, so none is lost by a crash.
#pragma once

#include <atomic>
#include <memory>

#include "app/judges.h"
#include "triage/desk/effects.h"
#include "triage/desk/policy.h"
#include "triage/net/runtime.h"
#include "triage/net/signal.h"
#include "triage/store/store.h"

namespace triage::app {

class SecondLooks {
 public:
  struct Stats {
    std::atomic<std::int64_t> same{0}, changed{0}, gone{0};  // what became of them
  };

  SecondLooks(net::Runtime& runtime, store::Store& store, Judges& judges, const desk::PolicyHolder& policy,
              desk::TellEffects tell)
      : runtime_(runtime), store_(store), judges_(judges), policy_(policy), tell_(std::move(tell)) {}

  void start();
  void stop();  // the one under way may still end; the store and the judges must outlive it

  const Stats& stats() const { return stats_; }

 private:
  boost::asio::awaitable<void> run();
  // Carries some out. Returns how long to wait before the next.
  boost::asio::awaitable<std::chrono::milliseconds> look();

  net::Runtime& runtime_;
  store::Store& store_;
  Judges& judges_;
  const desk::PolicyHolder& policy_;
  desk::TellEffects tell_;
  net::Signal stopped_;
  std::atomic<bool> stopping_{false};
  Stats stats_;
};

}  // namespace triage::app
