// The webhook door: verify, map, judge, admit, commit, answer. The one place where a post's whole way in is read.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "triage/classify/classifier.h"
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

// Counts over all posts, for metrics.
struct JudgeStats {
  std::atomic<std::int64_t> posts{0}, nanos{0};
  std::atomic<std::int64_t> in_the_moment{0}, after_the_fact{0}, not_actionable{0};
  std::atomic<std::int64_t> priority[4] = {};
};

class Hooks {
 public:
  Hooks(store::Store& store, const desk::PolicyHolder& policy, std::shared_ptr<const classify::Classifier> judge,
        desk::TellEffects tell, desk::RateCheck address_rate)
      : store_(store),
        policy_(policy),
        judge_(std::move(judge)),
        tell_(std::move(tell)),
        address_rate_(std::move(address_rate)) {}

  // GET and POST /v1/hooks/{source}. The object must outlive the server.
  std::vector<net::Route> routes(std::size_t body_bytes);

  void set_sources(std::shared_ptr<const Sources> sources);
  std::shared_ptr<const Sources> sources() const;
  void set_judge(std::shared_ptr<const classify::Classifier> judge);
  std::shared_ptr<const classify::Classifier> judge() const;
  const JudgeStats& judge_stats() const { return judge_stats_; }

 private:
  boost::asio::awaitable<net::Response> handshake(net::Request& request);
  boost::asio::awaitable<net::Response> receive(net::Request& request);
  std::shared_ptr<const BoundSource> find(std::string_view name) const;
  net::Response refuse(const BoundSource& bound, const net::Request& request, const Error& error);

  store::Store& store_;
  const desk::PolicyHolder& policy_;
  std::shared_ptr<const classify::Classifier> judge_;
  desk::TellEffects tell_;
  desk::RateCheck address_rate_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Sources> sources_ = std::make_shared<Sources>();
  JudgeStats judge_stats_;
};

}  // namespace triage::app
