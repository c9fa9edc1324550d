// Signal: nobody who waits misses a raise, from whatever thread it comes.
#include "triage/net/signal.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <future>

#include "support.h"
#include "triage/net/runtime.h"

namespace triage::net::testing {
namespace {

TEST(Signal, WakesEveryWaiterOnEveryThread) {
  Runtime runtime(3);
  Signal signal;
  std::vector<std::future<std::uint64_t>> waits;
  for (int i = 0; i < 9; ++i) {
    waits.push_back(asio::co_spawn(runtime.next(), signal.wait(0, 1h), asio::use_future));
  }
  signal.raise();
  for (auto& wait : waits) EXPECT_EQ(wait.get(), 1U);
}

TEST(Signal, ReturnsAtOnceWhenItWasRaisedBefore) {
  Runtime runtime(1);
  Signal signal;
  signal.raise();
  signal.raise();
  EXPECT_EQ(asio::co_spawn(runtime.next(), signal.wait(1, 1h), asio::use_future).get(), 2U);
}

TEST(Signal, GivesUpAfterTheTimeout) {
  Runtime runtime(1);
  Signal signal;
  EXPECT_EQ(asio::co_spawn(runtime.next(), signal.wait(0, 1ms), asio::use_future).get(), 0U);
}

TEST(Signal, MissesNoRaiseBetweenLookingAndWaiting) {
  Runtime runtime(2);
  Signal there;
  Signal back;
  constexpr std::uint64_t kRounds = 5'000;
  const auto follow = [&]() -> asio::awaitable<void> {
    for (std::uint64_t seen = 0; seen < kRounds;) {
      auto waiting = there.wait(seen, 1h);
      seen = co_await std::move(waiting);
      back.raise();
    }
  };
  const auto lead = [&]() -> asio::awaitable<void> {
    for (std::uint64_t round = 0; round < kRounds; ++round) {
      there.raise();
      auto waiting = back.wait(round, 1h);
      co_await std::move(waiting);
    }
  };
  auto followed = asio::co_spawn(runtime.at(0), follow, asio::use_future);
  auto led = asio::co_spawn(runtime.at(1), lead, asio::use_future);
  // A raise that was missed would leave one of them waiting for an hour.
  EXPECT_EQ(led.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(followed.wait_for(kPatience), std::future_status::ready);
  there.close();
  back.close();
}

TEST(Signal, CloseEndsAllWaitsNowAndLater) {
  Runtime runtime(1);
  Signal signal;
  auto before = asio::co_spawn(runtime.next(), signal.wait(0, 1h), asio::use_future);
  signal.close();
  EXPECT_EQ(before.get(), 0U);
  EXPECT_EQ(asio::co_spawn(runtime.next(), signal.wait(0, 1h), asio::use_future).get(), 0U);
}

TEST(Signal, IsCancelledWithItsCoroutine) {
  Runtime runtime(1);
  Signal signal;
  asio::cancellation_signal cancel;
  auto wait =
      asio::co_spawn(runtime.at(0), signal.wait(0, 1h), asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
  asio::post(runtime.at(0), [&] { cancel.emit(asio::cancellation_type::terminal); });
  EXPECT_THROW(wait.get(), boost::system::system_error);
}

TEST(Signal, AWaiterMayOutliveIt) {
  Runtime runtime(1);
  std::future<std::uint64_t> wait;
  {
    Signal signal;
    wait = asio::co_spawn(runtime.next(), signal.wait(0, 1h), asio::use_future);
    std::promise<void> waiting;
    asio::post(runtime.at(0), [&] { waiting.set_value(); });
    waiting.get_future().get();
  }
  EXPECT_EQ(wait.get(), 0U);
}

TEST(Signal, AWaiterMayBeDestroyedWithItsContext) {
  Signal signal;
  {
    Runtime runtime(1);
    asio::co_spawn(runtime.at(0), signal.wait(0, 1h), [](const std::exception_ptr&, std::uint64_t) {});
  }
  signal.raise();
  EXPECT_EQ(signal.count(), 1U);
}

}  // namespace
}  // namespace triage::net::testing
