// An operations team's endpoint: a real HTTP server on loopback that keeps what it got and answers as it is told.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "triage/net/client.h"
#include "triage/net/server.h"
#include "unit/deliver/temporary_store.h"

namespace triage::testing {

struct Received {
  std::string path;
  net::Headers headers;
  std::string body;
  std::string id() const { return std::string(net::find_header(headers, "webhook-id").value_or("")); }
};

class Receiver {
 public:
  // The answer to the nth request (from 0). Status 0: none until release().
  using Script = std::function<net::Response(std::size_t nth, const Received& received)>;

  explicit Receiver(Script script = nullptr) : script_(std::move(script)), runtime_(1) {
    net::ServerOptions options;
    options.port = 0;
    const auto handler = [this](net::Request& request) { return answer(request); };
    std::vector<net::Route> routes;
    routes.push_back({net::Method::post, "/{name}", 1 << 20, handler});
    server_ = std::make_unique<net::Server>(runtime_, options, std::move(routes), nullptr);
    const auto started = server_->start();
    if (!started) throw std::runtime_error(started.error().detail);
  }
  ~Receiver() {
    release();
    server_->stop(std::chrono::milliseconds(0));
    runtime_.stop();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  net::Url url(const std::string& path = "/hook") const {
    return *net::parse_url("http://127.0.0.1:" + std::to_string(server_->port()) + path);
  }

  std::vector<Received> received() const {
    const std::scoped_lock lock(mutex_);
    return received_;
  }
  std::size_t count() const {
    const std::scoped_lock lock(mutex_);
    return received_.size();
  }
  std::size_t most_at_once() const {
    const std::scoped_lock lock(mutex_);
    return most_;
  }
  void release() { released_ = true; }

 private:
  boost::asio::awaitable<net::Response> answer(net::Request& request) {
    const Received received{request.path, request.headers, request.body};
    std::size_t nth = 0;
    {
      const std::scoped_lock lock(mutex_);
      nth = received_.size();
      received_.push_back(received);
      most_ = std::max(most_, ++present_);
    }
    net::Response response = script_ ? script_(nth, received) : net::Response::empty(200);
    if (response.status == 0) {
      const auto executor = co_await boost::asio::this_coro::executor;
      boost::asio::steady_timer timer(executor);
      while (!released_) {
        timer.expires_after(std::chrono::milliseconds(1));
        co_await timer.async_wait(boost::asio::use_awaitable);
      }
      response = net::Response::empty(200);
    }
    const std::scoped_lock lock(mutex_);
    --present_;
    co_return response;
  }

  const Script script_;
  net::Runtime runtime_;
  std::unique_ptr<net::Server> server_;
  std::atomic<bool> released_{false};
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::size_t present_ = 0, most_ = 0;
};

}  // namespace triage::testing
