// Outbox → signed callbacks. The outbox is the only queue: what is to be sent is a row that was committed before, and
// what was sent is committed after. A crash in between sends again with the same webhook-id.
//
// Each team has a worker of its own with its own connections, so one slow or dead endpoint delays no other.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "triage/deliver/payload.h"
#include "triage/net/client.h"
#include "triage/net/runtime.h"
#include "triage/store/store.h"

namespace triage::deliver {

struct Endpoint {
  std::string team;
  net::Url url;
  std::vector<std::string> keys;  // raw, newest first; see decode_secret
  std::size_t concurrency = 8;    // requests at a time
};

struct Options {
  bool allow_private_addresses = false;
  std::chrono::milliseconds timeout{10'000};
  // Waits after the first, second, … failed attempt, each with ±20 % jitter; after the last it is a dead letter.
  std::vector<Duration> schedule;
  int breaker_failures = 5;  // so many failures in a row hold the endpoint back: one probe at a time until one succeeds
  Duration breaker_wait = std::chrono::seconds(5);  // before the first probe; doubles to breaker_wait_max
  Duration breaker_wait_max = std::chrono::minutes(1);
  // So many 410 in a row switch the endpoint off until it is enabled again. Only the switch is kept across restarts:
  // the count starts anew, so that no endpoint is ever switched off on fewer.
  int gone_limit = 3;
  std::string ca_file;
};

struct Stats {
  // Counters of committed outcomes: `failed` counts attempts, `cancelled` those rows that were cancelled on their way.
  std::atomic<std::int64_t> delivered{0}, failed{0}, dead{0}, cancelled{0};
  // How many there are now.
  std::atomic<std::int64_t> in_flight{0}, endpoints_off{0}, breakers_open{0};
};

class Deliverer {
 public:
  // `endpoint_off` is called, on an io thread, when an endpoint was switched off (410, repeated): the row is committed;
  // the caller lets the ladders climb.
  Deliverer(net::Runtime& runtime, store::Store& store, std::vector<Endpoint> endpoints, Options options,
            std::function<void(std::string team)> endpoint_off);
  ~Deliverer();

  void start();

  // Rows for `team` were committed. Thread-safe, cheap: called after each commit that ordered a callback.
  void wake(std::string_view team);

  // New endpoints and options (SIGHUP): running attempts finish as they were started, and an endpoint that was held
  // back gets a fresh start; one that is switched off stays so. Rows for a team that has no endpoint any more wait
  // until it has one again.
  void configure(std::vector<Endpoint> endpoints, Options options);

  // Ends waits and lets running attempts finish until `grace` is over. Call from outside the io threads.
  void stop(std::chrono::milliseconds grace);

  const Stats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace triage::deliver
