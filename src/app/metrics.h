// GET /metrics: what the rooms count, in Prometheus' text format, through prometheus-cpp.
#pragma once

#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "app/hooks.h"
#include "app/second_looks.h"
#include "triage/clock/timetable.h"
#include "triage/deliver/deliverer.h"
#include "triage/net/server.h"
#include "triage/store/store.h"

namespace triage::app {

class Metrics {
 public:
  Metrics();

  // One answered request. Thread-safe.
  void observe(const net::Exchange& exchange);

  struct Parts {
    const net::ServerStats& server;
    store::Store::Stats store;
    bool healthy;
    store::Reader::Figures figures;
    const deliver::Stats& deliver;
    clock::Timetable::Stats clock;
    const VerdictStats& verdicts;
    const Judges::Stats& judges;
    const SecondLooks::Stats& second_looks;
    std::shared_ptr<const Sources> sources;
    Bench bench;
    Time now;
  };
  std::string text(const Parts& parts) const;

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Histogram>& durations_;
  std::mutex mutex_;
  std::map<std::pair<std::string_view, int>, prometheus::Histogram*> by_route_;
};

}  // namespace triage::app
