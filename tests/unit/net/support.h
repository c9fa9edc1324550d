// What the tests of this room share: a server with some routes on a free port, and a client that sends the very bytes
// that a test gives it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "triage/net/server.h"
#include "triage/net/signal.h"
#include "triage/net/sse_parser.h"

namespace triage::net {

inline void PrintTo(const ServerEvent& event, std::ostream* out) {
  *out << '{' << event.event << '|' << event.data << '|' << event.id << '}';
}

}  // namespace triage::net

namespace triage::net::testing {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Only ends a test that would hang; no test passes or fails by it.
constexpr std::chrono::seconds kPatience{20};

inline bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

struct Answer {
  int status = 0;
  Headers headers;
  std::string body;
  std::string header(std::string_view name) const { return std::string(find_header(headers, name).value_or("")); }
};

// A TCP connection that says exactly what it is told to.
class Wire {
 public:
  explicit Wire(unsigned short port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr generic{};
    std::memcpy(&generic, &to, sizeof generic);
    connected_ = ::connect(fd_, &generic, sizeof to) == 0;
  }
  ~Wire() { close(); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }

  // False when the other side has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Reads up to and including `mark`; what comes after it stays for the next read.
  std::string read_until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = pending_.find(mark)) == std::string::npos) {
      if (!more()) return {};
    }
    std::string out = pending_.substr(0, at + mark.size());
    pending_.erase(0, out.size());
    return out;
  }

  // One answer; `head` for the answer to HEAD. Status 0 when the connection ended before it was whole.
  Answer read(bool head = false) {
    Answer out;
    const std::string top = read_until("\r\n\r\n");
    if (top.size() < 12) return out;
    for (std::size_t line = top.find("\r\n") + 2; line + 2 < top.size();) {
      const std::size_t end = top.find("\r\n", line);
      const std::size_t colon = top.find(": ", line);
      out.headers.emplace_back(top.substr(line, colon - line), top.substr(colon + 2, end - colon - 2));
      line = end + 2;
    }
    const auto length = find_header(out.headers, "Content-Length");
    const std::size_t size = head || !length ? 0 : std::stoul(std::string(*length));
    while (pending_.size() < size) {
      if (!more()) return out;
    }
    out.body = pending_.substr(0, size);
    pending_.erase(0, size);
    out.status = std::stoi(top.substr(9, 3));
    return out;
  }

  Answer ask(std::string_view bytes) {
    send(bytes);
    return read();
  }

  // Everything up to the end of the connection.
  std::string read_to_end() {
    while (more()) {
    }
    return std::exchange(pending_, {});
  }

  // True when the other side ends the connection and had nothing more to say.
  bool ends() { return pending_.empty() && !more() && ended_; }

 private:
  bool more() {
    char buffer[65536];
    const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
    ended_ = got == 0 || (got < 0 && errno == ECONNRESET);
    if (got <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string pending_;
};

inline std::string get(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}

inline std::string post(std::string_view target, std::string_view body, std::string_view more = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

// A server with routes that tests use, started on a free port of the loopback.
class TestServer {
 public:
  explicit TestServer(ServerOptions options = {}, std::vector<Route> more = {}) : runtime(2) {
    options.port = 0;
    std::vector<Route> routes = common_routes();
    for (auto& route : more) routes.push_back(std::move(route));
    server.emplace(runtime, std::move(options), std::move(routes), [this](const Exchange& exchange) {
      const std::scoped_lock lock(mutex);
      seen.push_back({exchange.request ? exchange.request->path : "-", std::string(exchange.route), exchange.status});
    });
    const auto started = server->start();
    EXPECT_TRUE(started) << started.error().detail;
  }
  ~TestServer() {
    gate.close();
    server->stop(kPatience);
  }

  unsigned short port() const { return server->port(); }

  struct Seen {
    std::string path;
    std::string route;
    int status;
  };
  std::vector<Seen> exchanges() {
    const std::scoped_lock lock(mutex);
    return seen;
  }

  std::atomic<int> echoes{0};   // calls of /echo's handler
  std::atomic<int> waiting{0};  // handlers in /wait
  Signal gate;                  // lets them go
  std::mutex mutex;
  std::vector<Seen> seen;
  Runtime runtime;
  std::optional<Server> server;

 private:
  std::vector<Route> common_routes() {
    using Work = asio::awaitable<Response>;
    return {
        {Method::get, "/hello", 0, [](Request&) -> Work { co_return Response::text(200, "hello"); }},
        {Method::post, "/echo", 100'000,
         [this](Request& request) -> Work {
           ++echoes;
           co_return Response::text(200, request.body);
         }},
        {Method::post, "/small", 10, [](Request& request) -> Work { co_return Response::text(200, request.body); }},
        {Method::get, "/items/{id}", 0,
         [](Request& request) -> Work { co_return Response::text(200, std::string(request.param("id"))); }},
        {Method::get, "/items/special", 0, [](Request&) -> Work { co_return Response::text(200, "the special one"); }},
        {Method::del, "/items/{id}", 0, [](Request&) -> Work { co_return Response::empty(204); }},
        {Method::get, "/query", 0,
         [](Request& request) -> Work {
           std::string out;
           for (const auto& [name, value] : request.query) out += name + '=' + value + ';';
           co_return Response::text(200, out);
         }},
        {Method::get, "/fail", 0,
         [](Request&) -> Work {
           throw std::runtime_error("the password is hunter2");
           co_return Response{};
         }},
        {Method::get, "/wait", 0,
         [this](Request&) -> Work {
           ++waiting;
           auto released = gate.wait(0, 1h);
           co_await std::move(released);
           co_return Response::text(200, "at last");
         }},
        {Method::get, "/forever", 0,
         [this](Request&) -> Work {
           ++waiting;
           Signal never;
           auto released = never.wait(0, 1h);
           co_await std::move(released);
           co_return Response::text(200, "never");
         }},
        {Method::get, "/huge", 0, [](Request&) -> Work { co_return Response::text(200, std::string(64 << 20, 'h')); }},
        {Method::get, "/whoami", 0,
         [](Request& request) -> Work {
           co_return Response::text(
               200, request.remote + (request.forwarded ? " forwarded" : "") + (request.tls ? " tls" : ""));
         }},
        {Method::get, "/inject", 0,
         [](Request&) -> Work {
           Response out = Response::text(200, "x");
           out.headers.emplace_back("X-Bad", "a\r\nSet-Cookie: b");
           out.headers.emplace_back("X-Good", "good");
           out.headers.emplace_back("Content-Length", "1000");
           co_return out;
         }},
    };
  }
};

inline ServerOptions with_limits(const std::function<void(ServerLimits&)>& change) {
  ServerOptions options;
  change(options.limits);
  return options;
}

}  // namespace triage::net::testing
