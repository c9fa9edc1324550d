// Coroutines wait for the store without holding a thread, and go on where they were.
#include "triage/store/await.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

namespace asio = boost::asio;

class AwaitTest : public ::testing::Test {
 protected:
  TempDir dir_;
  asio::io_context context_;  // outlives the store, whose threads post to it
  std::unique_ptr<Store> store_ = open_or_throw(options_in(dir_.data()));
};

TEST_F(AwaitTest, AWriteResumesTheCoroutineOnItsOwnExecutorWhenItIsDurable) {
  bool found = false;
  std::thread::id resumed_on;
  auto session = [&]() -> asio::awaitable<void> {
    Store::Work work = [](Writer& w) { w.insert_post(sample_post("1")); };
    const auto written = co_await store::write(*store_, std::move(work));
    EXPECT_TRUE(written.has_value());
    resumed_on = std::this_thread::get_id();
    Store::Read search = [&found](Reader& r) {
      found = r.find_post("x-main", "x", PostKind::mention, "1").has_value();
    };
    const auto seen = co_await store::read(*store_, std::move(search));
    EXPECT_TRUE(seen.has_value());
  };
  asio::co_spawn(context_, session(), asio::detached);
  context_.run();  // the context has nothing else to do, and still waits for the store
  EXPECT_TRUE(found);
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST_F(AwaitTest, FailuresAreValues) {
  std::vector<ErrorCode> codes;
  auto session = [&]() -> asio::awaitable<void> {
    Store::Work bad = [](Writer&) { throw std::runtime_error("bad work"); };
    const auto written = co_await store::write(*store_, std::move(bad));
    codes.push_back(written.error().code);
    EXPECT_EQ(written.error().detail, "bad work");
    Store::Read bad_read = [](Reader&) { throw std::runtime_error("bad read"); };
    const auto seen = co_await store::read(*store_, std::move(bad_read));
    EXPECT_FALSE(seen.has_value());
  };
  asio::co_spawn(context_, session(), asio::detached);
  context_.run();
  EXPECT_EQ(codes, std::vector<ErrorCode>{ErrorCode::internal});
}

TEST_F(AwaitTest, ManyCoroutinesOnManyThreadsShareCommits) {
  std::atomic<int> done{0};
  auto session = [&](int number) -> asio::awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      const std::string native_id = std::to_string(number) + "-" + std::to_string(i);
      Store::Work work = [native_id](Writer& w) { w.insert_post(sample_post(native_id)); };
      const auto written = co_await store::write(*store_, std::move(work));
      if (written.has_value()) ++done;
    }
  };
  for (int i = 0; i < 16; ++i) asio::co_spawn(context_, session(i), asio::detached);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { context_.run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 320);
}

}  // namespace
}  // namespace triage::store::testing
