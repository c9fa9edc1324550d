#include "triage/net/signal.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <vector>

namespace triage::net {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

struct Signal::Impl {
  struct Waiter {
    Waiter(const asio::any_io_executor& executor, Clock::time_point until) : timer(executor, until) {}
    asio::steady_timer timer;
  };

  std::atomic<std::uint64_t> count{0};
  std::atomic<std::size_t> waiting{0};  // raise() looks here before it takes the lock
  std::atomic<bool> closed{false};
  std::mutex mutex;
  std::vector<std::shared_ptr<Waiter>> waiters;

  void add(std::shared_ptr<Waiter> waiter) {
    const std::scoped_lock lock(mutex);
    waiters.push_back(std::move(waiter));
    waiting = waiters.size();
  }

  void remove(const std::shared_ptr<Waiter>& waiter) {
    const std::scoped_lock lock(mutex);
    std::erase(waiters, waiter);
    waiting = waiters.size();
  }

  void wake_all() {
    if (waiting == 0) return;
    // Posted under the lock: a waiter that is still in the list has a living context.
    const std::scoped_lock lock(mutex);
    for (auto& waiter : waiters) {
      asio::post(waiter->timer.get_executor(), [waiter] { waiter->timer.expires_at(Clock::time_point::min()); });
    }
    waiters.clear();
    waiting = 0;
  }
};

namespace {

// Takes the waiter out again however the coroutine ends, destruction of its frame included.
template <class Impl, class Waiter>
struct Registration {
  Registration(std::shared_ptr<Impl> to, std::shared_ptr<Waiter> who) : impl(std::move(to)), waiter(std::move(who)) {
    impl->add(waiter);
  }
  ~Registration() { impl->remove(waiter); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  std::shared_ptr<Impl> impl;
  std::shared_ptr<Waiter> waiter;
};

}  // namespace

Signal::Signal() : impl_(std::make_shared<Impl>()) {}

Signal::~Signal() {
  close();
}

// The order of both sides makes a miss impossible: raise() counts and then looks for waiters, wait() registers and then
// looks at the count (all sequentially consistent).
void Signal::raise() {
  ++impl_->count;
  impl_->wake_all();
}

std::uint64_t Signal::count() const {
  return impl_->count;
}

void Signal::close() {
  impl_->closed = true;
  impl_->wake_all();
}

asio::awaitable<std::uint64_t> Signal::wait(std::uint64_t seen, std::chrono::milliseconds timeout) {
  const std::shared_ptr<Impl> impl = impl_;  // the signal may be destroyed while this waits
  if (impl->count > seen || impl->closed) co_return impl->count;

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto until = Clock::now() + std::min<std::chrono::milliseconds>(timeout, std::chrono::hours(24 * 365));
  auto waiter = std::make_shared<Impl::Waiter>(executor, until);
  const Registration<Impl, Impl::Waiter> registration(impl, waiter);
  if (impl->count > seen || impl->closed) co_return impl->count;

  boost::system::error_code ec;
  co_await waiter->timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return impl->count;
}

}  // namespace triage::net
