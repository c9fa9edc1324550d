// Wakes coroutines on any io thread when something changed: long polls, the deliverer, live streams.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

namespace triage::net {

class Signal {
 public:
  Signal();
  ~Signal();

  // Counts up by one and wakes every waiter. Thread-safe, never blocks long, costs little without waiters.
  void raise();

  // How often it was raised. Thread-safe.
  std::uint64_t count() const;

  // Waits, on the awaiting coroutine's executor, until count() > seen or `timeout` has passed; returns count(). A
  // raise between reading `seen` and waiting is never missed. Cancelled with the coroutine; close() ends all waits.
  boost::asio::awaitable<std::uint64_t> wait(std::uint64_t seen, std::chrono::milliseconds timeout);

  // Ends all waits at once, now and later (shutdown). Thread-safe.
  void close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace triage::net
