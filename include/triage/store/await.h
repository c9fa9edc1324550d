// The store for coroutines: co_await a write or a read, resumed on the coroutine's own executor, whose context must
// outlive the store.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "triage/store/store.h"

namespace triage::store {

namespace detail {

struct Said {
  Committed outcome = Committed::unavailable;
  std::string detail;
};

// A coroutine that waits: kept by the store until it has something to say, then resumed on its own executor.
template <class Handler>
class Waiting {
 public:
  using Executor = boost::asio::associated_executor_t<Handler>;

  explicit Waiting(Handler&& handler)
      : guard_(boost::asio::get_associated_executor(handler)), handler_(std::move(handler)) {}

  static void resume(std::shared_ptr<Waiting> self, Committed outcome, const std::string& detail) {
    self->said_.outcome = outcome;
    if (outcome != Committed::yes) self->said_.detail = detail;
    const auto executor = self->guard_.get_executor();
    boost::asio::post(executor, [self = std::move(self)] {
      // Out of `self` first: the handler's end may end what the guard holds.
      Handler handler = std::move(self->handler_);
      Said said = std::move(self->said_);
      self->guard_.reset();
      std::move(handler)(std::move(said));
    });
  }

 private:
  boost::asio::executor_work_guard<Executor> guard_;
  Handler handler_;
  Said said_;
};

}  // namespace detail

// Runs `work` (see Store::write; it may run more than once) and returns when it is durable.
inline boost::asio::awaitable<Result<void>> write(Store& store, Store::Work work) {
  auto start = [&store](auto handler, Store::Work w) {
    using Waiting = detail::Waiting<decltype(handler)>;
    auto waiting = std::make_shared<Waiting>(std::move(handler));
    store.write(std::move(w), [waiting](Committed outcome, const std::string& text) mutable {
      Waiting::resume(std::move(waiting), outcome, text);
    });
  };
  detail::Said said = co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(detail::Said)>(
      start, boost::asio::use_awaitable, std::move(work));
  if (said.outcome != Committed::yes) co_return error_of(said.outcome, said.detail);
  co_return Result<void>(boost::system::in_place_value);
}

// Runs `work` on a snapshot.
inline boost::asio::awaitable<Result<void>> read(Store& store, Store::Read work) {
  auto start = [&store](auto handler, Store::Read r) {
    using Waiting = detail::Waiting<decltype(handler)>;
    auto waiting = std::make_shared<Waiting>(std::move(handler));
    store.read(std::move(r), [waiting](bool ok, const std::string& text) mutable {
      Waiting::resume(std::move(waiting), ok ? Committed::yes : Committed::unavailable, text);
    });
  };
  detail::Said said = co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(detail::Said)>(
      start, boost::asio::use_awaitable, std::move(work));
  if (said.outcome != Committed::yes) co_return error_of(said.outcome, said.detail);
  co_return Result<void>(boost::system::in_place_value);
}

}  // namespace triage::store
