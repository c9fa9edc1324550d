// The configured sources, as all that use them share them. A reload replaces the whole; counters outlive it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "app/platform_session.h"
#include "triage/ingest/api.h"
#include "triage/ingest/source.h"
#include "triage/model/time.h"

namespace triage::app {

// Counters of one source, for metrics and readiness.
struct SourceStats {
  std::atomic<std::int64_t> requests{0}, accepted{0}, duplicates{0}, ignored{0};
  std::atomic<std::int64_t> signatures_failed{0}, handshakes{0}, handshakes_failed{0}, rejected{0};
  std::atomic<std::int64_t> pulls{0}, pull_failures{0}, streams_open{0};
  std::atomic<std::int64_t> fetched{0}, fetch_failures{0}, replies_sent{0}, reply_failures{0};
  std::atomic<std::int64_t> last_event_ms{0};  // wall clock; 0: none since start and none stored
  const Time since = wall_clock_now();         // these counters count from here

  // Whether an ignored event calls itself so for the first time: what is news once is noise the thousandth time.
  bool is_new_kind(const std::string& kind) {
    constexpr std::size_t kMost = 1000;
    const std::scoped_lock lock(kinds_mutex);
    return kinds.size() < kMost && kinds.insert(kind).second;
  }

 private:
  std::mutex kinds_mutex;
  std::set<std::string> kinds;
};

struct BoundSource {
  std::unique_ptr<ingest::Source> source;
  std::shared_ptr<SourceStats> stats;
  std::shared_ptr<PlatformSession> session = std::make_shared<PlatformSession>();
};
using Sources = std::map<std::string, std::shared_ptr<const BoundSource>, std::less<>>;

}  // namespace triage::app
