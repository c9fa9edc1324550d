// One coroutine: sleep until the next entry is due, or until note() says that an earlier one came, then let the writer
// fire what is due. An entry whose handler throws is put off by a minute, so that it holds up no other.
#include "triage/clock/timetable.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

#include "triage/net/signal.h"
#include "triage/store/await.h"

namespace triage::clock {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kBatch = 64;  // entries in one unit of work: others share its commit and must not wait long
constexpr Duration kLongestSleep = std::chrono::minutes(1);  // the system clock may be set meanwhile
constexpr Duration kStoreRetry = std::chrono::seconds(1);
constexpr Duration kPutOff = std::chrono::minutes(1);
constexpr std::chrono::seconds kStopPatience{15};
constexpr std::int64_t kAnyTime = std::numeric_limits<std::int64_t>::max();

using Key = std::pair<store::DueKind, std::string>;

Key key_of(const store::Due& due) {
  return {due.kind, due.subject};
}

// What one unit of work did. Set anew each time that it runs.
struct Pass {
  std::size_t fired = 0;
  std::optional<store::Due> at_fault;  // the entry whose handler was running when the work threw
  Duration late{0};
};

}  // namespace

struct Timetable::Impl {
  Impl(net::Runtime& on, store::Store& with, WhenDue due, std::function<void()> committed)
      : runtime(on), store(with), when_due(std::move(due)), after_commit(std::move(committed)) {}

  asio::awaitable<void> run();
  asio::awaitable<Duration> pass();
  asio::awaitable<Result<void>> fire(const std::set<Key>& put_off, Pass& result);
  void store_failed(const Error& error);

  net::Runtime& runtime;
  store::Store& store;
  const WhenDue when_due;
  const std::function<void()> after_commit;

  net::Signal changed;
  std::atomic<std::int64_t> waits_for{kAnyTime};  // an entry due before this wakes it
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> fired{0};
  std::atomic<std::int64_t> late_ms{0};

  std::set<Key> faulty;  // to be put off by the next unit of work
  bool store_trouble = false;

  std::mutex mutex;
  std::condition_variable ended;
  bool running = false;
};

asio::awaitable<void> Timetable::Impl::run() {
  while (!stopping) {
    const std::uint64_t seen = changed.count();
    waits_for = kAnyTime;  // until the next entry is known, any that is noted counts
    const Duration sleep = co_await pass();
    if (stopping) break;
    co_await changed.wait(seen, sleep);
  }
}

// Fires what is due, if anything is. Returns how long to sleep.
asio::awaitable<Duration> Timetable::Impl::pass() {
  const auto next = std::make_shared<std::optional<Time>>();
  store::Store::Read look = [next](store::Reader& reader) { *next = reader.next_due(); };
  const Result<void> looked = co_await store::read(store, std::move(look));
  if (!looked) {
    store_failed(looked.error());
    co_return kStoreRetry;
  }
  if (!*next) co_return kLongestSleep;
  const Time now = wall_clock_now();
  if (**next > now) {
    waits_for = to_millis(**next);
    co_return std::min(**next - now, kLongestSleep);
  }

  Pass result;
  const Result<void> committed = co_await fire(faulty, result);
  if (result.at_fault) {
    faulty.insert(key_of(*result.at_fault));
    co_return Duration(0);  // once more at once, without that one
  }
  if (!committed) {
    store_failed(committed.error());
    co_return kStoreRetry;
  }
  faulty.clear();
  if (std::exchange(store_trouble, false)) spdlog::info("timetable: the store serves again");
  fired += result.fired;
  if (result.fired > 0) {
    late_ms = result.late.count();
    if (after_commit) after_commit();
  }
  co_return Duration(0);  // more may be due
}

// One unit of work: clears what is due and asks what is to be done, and puts off what is to be put off.
asio::awaitable<Result<void>> Timetable::Impl::fire(const std::set<Key>& put_off, Pass& result) {
  const auto pass = std::make_shared<Pass>();
  store::Store::Work work = [pass, put_off, this](store::Writer& writer) {
    *pass = Pass();
    const Time now = wall_clock_now();
    for (std::size_t i = 0; i < kBatch; ++i) {
      // One by one: what is done for an entry may move or clear those after it.
      const std::vector<store::Due> earliest = writer.due(now, 1);
      if (earliest.empty()) break;
      const store::Due& due = earliest.front();
      if (put_off.contains(key_of(due))) {
        writer.set_due({due.kind, due.subject, now + kPutOff});
        continue;
      }
      pass->at_fault = due;
      writer.clear_due(due.kind, due.subject);
      when_due(writer, due, now);
      pass->at_fault.reset();
      pass->late = now - due.at;
      ++pass->fired;
    }
  };
  const Result<void> committed = co_await store::write(store, std::move(work));
  // A store that does not serve is nobody's fault: only a work that threw has a culprit.
  if (committed || committed.error().code != ErrorCode::internal) pass->at_fault.reset();
  if (pass->at_fault) {
    spdlog::error("timetable: {} of {} failed and is put off by {}: {}", to_string(pass->at_fault->kind),
                  pass->at_fault->subject, format_duration(kPutOff), committed.error().detail);
  }
  result = *pass;
  co_return committed;
}

void Timetable::Impl::store_failed(const Error& error) {
  if (!store_trouble) spdlog::warn("timetable: the store does not serve: {}", error.detail);
  store_trouble = true;
}

Timetable::Timetable(net::Runtime& runtime, store::Store& store, WhenDue when_due, std::function<void()> after_commit)
    : impl_(std::make_unique<Impl>(runtime, store, std::move(when_due), std::move(after_commit))) {}

Timetable::~Timetable() {
  stop();
}

void Timetable::start() {
  Impl& impl = *impl_;
  {
    const std::scoped_lock lock(impl.mutex);
    if (std::exchange(impl.running, true)) return;
  }
  asio::io_context& context = impl.runtime.next();
  asio::co_spawn(context, impl.run(), asio::bind_executor(context, [&impl](std::exception_ptr error) {
                   if (error) spdlog::critical("timetable: ended by an exception; nothing falls due any more");
                   const std::scoped_lock lock(impl.mutex);
                   impl.running = false;
                   impl.ended.notify_all();
                 }));
}

void Timetable::note(Time at) {
  if (to_millis(at) < impl_->waits_for) impl_->changed.raise();
}

void Timetable::stop() {
  Impl& impl = *impl_;
  impl.stopping = true;
  impl.changed.close();
  std::unique_lock lock(impl.mutex);
  if (impl.runtime.at(0).stopped()) return;
  if (!impl.ended.wait_for(lock, kStopPatience, [&impl] { return !impl.running; })) {
    spdlog::error("timetable: a unit of work does not end; it is left behind");
  }
}

Timetable::Stats Timetable::stats() const {
  return {impl_->fired, impl_->late_ms};
}

}  // namespace triage::clock
