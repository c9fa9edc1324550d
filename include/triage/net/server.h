// The HTTP/1.1 server: connections, deadlines, limits, TLS, drain. It knows bytes and routes, not what a post is.
//
// One io_context a thread (see runtime.h); a connection lives on one of them from accept to close, so a handler needs
// no lock for what belongs to its connection. Handlers are coroutines on that thread; blocking in one blocks its
// neighbours, so file and database work goes elsewhere and resumes the handler with boost::asio::post.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "triage/net/http.h"
#include "triage/net/runtime.h"

namespace triage::net {

struct ServerLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t connections = 4096;                       // further ones are answered 503 with Retry-After and closed
  std::chrono::milliseconds header_timeout{10'000};     // from the first byte of a request to the end of its header
  std::chrono::milliseconds body_timeout{30'000};       // from the end of the header to the end of the body
  std::chrono::milliseconds idle_timeout{75'000};       // between requests of a kept connection
  std::chrono::milliseconds write_timeout{30'000};      // for one answer to be taken by the client
  std::chrono::milliseconds handshake_timeout{10'000};  // TLS
};

struct TlsFiles {
  std::string certificate;  // PEM chain
  std::string key;          // PEM
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  unsigned short port = 8080;  // 0: any free one, see Server::port()
  std::optional<TlsFiles> tls;
  std::vector<std::string> trusted_proxies;  // CIDR; only these are believed about the client's address
  ServerLimits limits;
};

using Handler = std::function<boost::asio::awaitable<Response>(Request&)>;

struct Route {
  Method method;
  std::string pattern;         // "/v1/cases/{id}": a {name} matches one segment
  std::size_t body_bytes = 0;  // the largest body taken; 413 above it, before it is read. 0: no body expected, 64 KiB
  Handler handler;
};

// What happened on a request, for logs and metrics. Called on the connection's thread after the answer was written.
struct Exchange {
  const Request* request = nullptr;  // null when the request could not be read
  std::string_view route;            // the pattern, "" for none
  int status = 0;
  std::size_t response_bytes = 0;
  std::chrono::microseconds took{0};
};

struct ServerStats {
  std::atomic<std::int64_t> connections{0};        // open now
  std::atomic<std::int64_t> accepted{0};           // ever
  std::atomic<std::int64_t> refused{0};            // over the limit
  std::atomic<std::int64_t> timeouts{0};           // closed by a deadline in the middle of something (not idle)
  std::atomic<std::int64_t> malformed{0};          // not HTTP, or over a limit
  std::atomic<std::int64_t> handshakes_failed{0};  // TLS
};

class Server {
 public:
  // Routes and observer are fixed for the server's life. A path that only matches with another method is 405 with
  // Allow; none is 404; HEAD is answered by GET's handler without the body; OPTIONS by Allow. An exception out of a
  // handler is logged with the request id and answered 500 with a problem that says nothing of the inside. A request
  // with Expect: 100-continue is answered it. Responses carry X-Request-Id, and Date.
  Server(Runtime& runtime, ServerOptions options, std::vector<Route> routes,
         std::function<void(const Exchange&)> observer);
  ~Server();  // after stop() has finished

  // Binds and starts to accept. The error names the address and what the system said.
  Result<void> start();
  unsigned short port() const;

  // Reads certificate and key again for new connections; the old ones stay in force on an error. Thread-safe.
  Result<void> reload_tls();

  // Stops accepting; idle connections close at once, busy ones after their answer (Connection: close); what is still
  // open at the end of `grace` is cut. Returns when no connection is left. Call from outside the io threads.
  void stop(std::chrono::milliseconds grace);

  const ServerStats& stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // connections share it, so that one that ends late finds it
};

}  // namespace triage::net
