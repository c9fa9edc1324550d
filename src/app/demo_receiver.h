// The callback receiver that is built into `triaged demo`: stands in for the operations teams' own systems, verifies
// each signature as they would, and prints one readable line a callback.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "triage/ingest/source.h"
#include "triage/net/runtime.h"
#include "triage/net/server.h"

namespace triage::app {

// "airport-ops  ← escalation.raised  critical 91  queue  port-ansel-t2  \"…\"  ack: URL". `body` is a callback's.
std::string callback_line(std::string_view team, std::string_view body);

class DemoReceiver {
 public:
  using Print = std::function<void(const std::string& line)>;

  // `secret` is what callbacks are signed with (whsec_…).
  DemoReceiver(const std::string& secret, Print print);
  ~DemoReceiver();

  // Listens on a free port of the loopback.
  Result<void> start();
  std::string url() const;  // teams' callbacks go to url()/TEAM
  void stop();

  std::int64_t received() const { return received_; }
  std::int64_t refused() const { return refused_; }  // signature missing or wrong

 private:
  boost::asio::awaitable<net::Response> take(net::Request& request);

  net::Runtime runtime_;
  std::unique_ptr<ingest::Source> verifier_;
  Print print_;
  std::atomic<std::int64_t> received_{0}, refused_{0};
  std::unique_ptr<net::Server> server_;
};

}  // namespace triage::app
