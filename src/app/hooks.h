// The webhook door: verify, map, judge, admit, commit, answer. The one place where a post's whole way in is read.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/judges.h"
#include "triage/desk/api.h"
#include "triage/desk/effects.h"
#include "triage/desk/policy.h"
#include "triage/ingest/source.h"
#include "triage/net/server.h"
#include "triage/store/store.h"

namespace triage::app {

// Counters of one source, for metrics and readiness.
struct SourceStats {
  std::atomic<std::int64_t> requests{0}, accepted{0}, duplicates{0}, ignored{0};
  std::atomic<std::int64_t> signatures_failed{0}, handshakes{0}, handshakes_failed{0}, rejected{0};
  std::atomic<std::int64_t> last_event_ms{0};  // wall clock; 0: none since start and none stored
  const Time since = wall_clock_now();         // these counters count from here
};

struct BoundSource {
  std::unique_ptr<ingest::Source> source;
  std::shared_ptr<SourceStats> stats;
};
using Sources = std::map<std::string, std::shared_ptr<const BoundSource>, std::less<>>;

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

class Hooks {
 public:
  Hooks(store::Store& store, const desk::PolicyHolder& policy, Judges& judges, desk::TellEffects tell,
        desk::RateCheck address_rate)
      : store_(store),
        policy_(policy),
        judges_(judges),
        tell_(std::move(tell)),
        address_rate_(std::move(address_rate)) {}

  // GET and POST /v1/hooks/{source}. The object must outlive the server.
  std::vector<net::Route> routes(std::size_t body_bytes);

  void set_sources(std::shared_ptr<const Sources> sources);
  std::shared_ptr<const Sources> sources() const;
  const VerdictStats& verdict_stats() const { return verdict_stats_; }

 private:
  boost::asio::awaitable<net::Response> handshake(net::Request& request);
  boost::asio::awaitable<net::Response> receive(net::Request& request);
  std::shared_ptr<const BoundSource> find(std::string_view name) const;
  net::Response refuse(const BoundSource& bound, const net::Request& request, const Error& error);

  store::Store& store_;
  const desk::PolicyHolder& policy_;
  Judges& judges_;
  desk::TellEffects tell_;
  desk::RateCheck address_rate_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Sources> sources_ = std::make_shared<Sources>();
  VerdictStats verdict_stats_;
};

}  // namespace triage::app
