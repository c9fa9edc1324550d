// The store for coroutines: co_await a write or a read, resumed on the coroutine's own executor.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>

#include "triage/store/store.h"

namespace triage::store {

// Turns an outcome into the error that the edge answers: 503 with Retry-After for overload and a failing disk, 500 for
// a failed work.
Error error_of(Committed outcome, const std::string& detail);

// Runs `work` (see Store::write; it may run more than once) and returns when it is durable.
inline boost::asio::awaitable<Result<void>> write(Store& store, Store::Work work) {
  auto start = [&store](auto handler, Store::Work w) {
    auto executor = boost::asio::get_associated_executor(handler);
    auto guard = boost::asio::make_work_guard(executor);
    auto held = std::make_shared<decltype(handler)>(std::move(handler));
    store.write(std::move(w), [held, guard](Committed outcome, const std::string& detail) {
      auto finish = [held, outcome, detail]() mutable { std::move (*held)(outcome, std::move(detail)); };
      boost::asio::post(guard.get_executor(), std::move(finish));
    });
  };
  auto [outcome, detail] =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Committed, std::string)>(
          start, boost::asio::use_awaitable, std::move(work));
  if (outcome == Committed::yes) co_return Result<void>(boost::system::in_place_value);
  co_return error_of(outcome, detail);
}

inline boost::asio::awaitable<Result<void>> read(Store& store, Store::Read work) {
  auto start = [&store](auto handler, Store::Read r) {
    auto executor = boost::asio::get_associated_executor(handler);
    auto guard = boost::asio::make_work_guard(executor);
    auto held = std::make_shared<decltype(handler)>(std::move(handler));
    store.read(std::move(r), [held, guard](bool ok, const std::string& detail) {
      auto finish = [held, ok, detail]() mutable { std::move (*held)(ok, std::move(detail)); };
      boost::asio::post(guard.get_executor(), std::move(finish));
    });
  };
  auto [ok, detail] =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(bool, std::string)>(
          start, boost::asio::use_awaitable, std::move(work));
  if (ok) co_return Result<void>(boost::system::in_place_value);
  co_return error_of(Committed::unavailable, detail);
}

}  // namespace triage::store
