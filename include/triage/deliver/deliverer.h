// Outbox → signed callbacks, and calls to platforms. The outbox is the only queue: what is to be sent is a row that was
// committed before, and what was sent is committed after. A crash in between sends again: a callback with the same
// webhook-id; what an endpoint would take twice is marked before it leaves, and is then not known to have arrived.
//
// Each destination has a worker of its own with its own connections, so one slow or dead endpoint delays no other.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "triage/deliver/payload.h"
#include "triage/net/client.h"
#include "triage/net/runtime.h"
#include "triage/store/store.h"

namespace triage::deliver {

// What one attempt came to.
struct Outcome {
  enum class Kind {
    delivered,
    gone,     // 410
    failed,   // to be tried again
    refused,  // it will never be taken
    lost,     // it was sent, and nobody knows whether it arrived
  };
  Kind kind = Kind::failed;
  int status = 0;                       // HTTP; 0: no answer came
  std::string error;                    // for people; empty when delivered
  bool in_doubt = false;                // it may have arrived all the same
  std::optional<Duration> retry_after;  // as the endpoint asked
  std::optional<Duration> pause;        // the endpoint takes nothing at all for so long
};

// An outcome and what is to be stored with it.
struct Performed {
  Outcome outcome;
  // Runs in the commit that records the outcome, with the row as that leaves it. May run more than once. May be empty.
  std::function<void(store::Writer&, const store::DeliveryRecord& row)> commit;
  std::function<void()> committed;  // after it. May be empty
};

struct Endpoint {
  store::Destination to;
  std::size_t concurrency = 8;             // requests at a time
  std::size_t response_bytes = 64 * 1024;  // more of an answer is not read
  bool one_a_case = false;                 // of one case's rows one at a time: they are in an order that people see
  // Makes one attempt, on the worker's context.
  std::function<boost::asio::awaitable<Performed>(std::shared_ptr<net::Client>, store::DeliveryRecord row)> perform;
  // Of a row that may not be sent twice: what is stored when an attempt's end is not known, after a crash. Empty: every
  // row may be.
  std::function<bool(const store::DeliveryRecord&)> only_once;
  std::function<Performed(const store::DeliveryRecord&)> interrupted;
};

// A team's callbacks: each row's body is POSTed, signed. `keys`: raw, newest first; see decode_secret.
Endpoint callback_endpoint(std::string team, net::Url url, std::vector<std::string> keys, std::size_t concurrency = 8);

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

  // Rows for there were committed. Thread-safe, cheap: called after each commit that ordered something.
  void wake(const store::Destination& to);

  // New endpoints and options (SIGHUP): running attempts finish as they were started, and an endpoint that was held
  // back gets a fresh start; one that is switched off stays so. Rows for what has no endpoint any more wait until
  // it has one again.
  void configure(std::vector<Endpoint> endpoints, Options options);

  // Ends waits and lets running attempts finish until `grace` is over. Call from outside the io threads.
  void stop(std::chrono::milliseconds grace);

  const Stats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace triage::deliver
