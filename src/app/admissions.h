// Posts on their way in, whoever brought them: judged, put on their cases, committed. The one place where that is done.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <vector>

#include "app/judges.h"
#include "triage/desk/effects.h"
#include "triage/desk/intake.h"
#include "triage/desk/policy.h"
#include "triage/store/store.h"

namespace triage::app {

// Counts of the verdicts that posts were routed on, for metrics.
struct VerdictStats {
  std::atomic<std::int64_t> in_the_moment{0}, after_the_fact{0}, not_actionable{0};
  std::atomic<std::int64_t> priority[4] = {};

  void count(const Verdict& verdict) {
    ++(verdict.moment == Moment::in_the_moment ? in_the_moment : after_the_fact);
    if (!verdict.actionable) ++not_actionable;
    ++priority[static_cast<int>(verdict.priority)];
  }
};

class Admissions {
 public:
  Admissions(store::Store& store, const desk::PolicyHolder& policy, Judges& judges, desk::TellEffects tell)
      : store_(store), policy_(policy), judges_(judges), tell_(std::move(tell)) {}

  // The events, each post with an id and its verdict.
  boost::asio::awaitable<std::vector<desk::Judged>> judge(std::vector<Event> events, Time now);

  // Judges and commits. `with`, where it is set, runs in the same commit. `wait`: so long the writer may take to begin,
  // else nothing is stored and the error is `overloaded`; nothing: as long as it takes.
  boost::asio::awaitable<Result<std::vector<desk::Admitted>>> admit(std::vector<Event> events, Time now,
                                                                    std::optional<Duration> wait,
                                                                    std::function<void(store::Writer&)> with = {});

  std::shared_ptr<const desk::Policy> policy() const { return policy_.get(); }
  void tell(const desk::Effects& effects) const { tell_(effects); }
  store::Store& store() { return store_; }
  const VerdictStats& stats() const { return stats_; }

 private:
  store::Store& store_;
  const desk::PolicyHolder& policy_;
  Judges& judges_;
  desk::TellEffects tell_;
  VerdictStats stats_;
};

}  // namespace triage::app
