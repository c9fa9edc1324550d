// Endpoints that do something else than call back: what an agent's reply can rely on. Over real sockets, from a real
// store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "triage/deliver/deliverer.h"
#include "unit/deliver/receiver.h"

namespace triage::deliver {
namespace {

using std::chrono::milliseconds;
using store::DeliveryRecord;
using store::DeliveryState;
using testing::eventually;
using testing::Received;
using testing::Receiver;
using testing::TemporaryStore;
using Clock = std::chrono::steady_clock;
using More = std::function<void(const DeliveryRecord&, Performed&)>;

constexpr Duration kNever = std::chrono::hours(5);

// The platform answers with what becomes of the row.
constexpr int kTaken = 200, kRefused = 422, kInDoubt = 504, kFailed = 500;

Outcome::Kind kind_of(int status) {
  switch (status) {
    case kTaken:
      return Outcome::Kind::delivered;
    case kRefused:
      return Outcome::Kind::refused;
    case kInDoubt:
      return Outcome::Kind::lost;
    default:
      return Outcome::Kind::failed;
  }
}

Performed with(Outcome::Kind kind, std::string error = "") {
  Performed performed;
  performed.outcome.kind = kind;
  performed.outcome.error = std::move(error);
  return performed;
}

boost::asio::awaitable<Performed> call(std::shared_ptr<net::Client> client, net::Url url, DeliveryRecord row,
                                       More more) {
  net::ClientRequest request;
  request.url = std::move(url);
  request.headers.emplace_back("webhook-id", row.id.str());
  request.body = row.body;
  auto sending = client->send(request);
  const Result<net::ClientResponse> answer = co_await std::move(sending);
  Performed performed;
  if (!answer) {
    performed.outcome.error = answer.error().detail;
  } else {
    performed.outcome.kind = kind_of(answer->status);
    performed.outcome.status = answer->status;
    if (answer->status != kTaken) performed.outcome.error = "it answered " + std::to_string(answer->status);
  }
  if (more) more(row, performed);
  co_return performed;
}

// What the deliverer sees of a store, with its reads counted.
class Counted : public store::Store {
 public:
  explicit Counted(TemporaryStore& db) : db_(db) {}
  void write(Work work, WorkDone done) override { db_->write(std::move(work), std::move(done)); }
  void read(Read read, ReadDone done) override {
    ++reads;
    db_->read(std::move(read), std::move(done));
  }
  bool healthy() const override { return db_->healthy(); }
  std::string trouble() const override { return db_->trouble(); }
  Stats stats() const override { return db_->stats(); }
  std::atomic<int> reads{0};

 private:
  TemporaryStore& db_;
};

struct PlatformDeliveries : ::testing::Test {
  PlatformDeliveries() {
    options.allow_private_addresses = true;
    options.schedule.assign(20, Duration(1));
    options.breaker_failures = 1000;
  }
  ~PlatformDeliveries() override { stop(); }

  static Endpoint endpoint(const net::Url& url, More more = nullptr, const std::string& source = "x") {
    Endpoint endpoint;
    endpoint.to = store::to_source(source);
    endpoint.perform = [url, more](std::shared_ptr<net::Client> client, DeliveryRecord row) {
      return call(std::move(client), url, std::move(row), more);
    };
    return endpoint;
  }
  // One whose platform would take a row twice. What was cut off is `after`.
  Endpoint once(const net::Url& url, Outcome::Kind after = Outcome::Kind::lost) {
    Endpoint made = endpoint(url);
    made.only_once = [](const DeliveryRecord& row) { return row.type == "reply"; };
    made.interrupted = [this, after](const DeliveryRecord& row) {
      const std::scoped_lock lock(mutex);
      interrupted.push_back(row.body);
      return with(after, "it was cut off");
    };
    return made;
  }

  void start(std::vector<Endpoint> endpoints) {
    deliverer = std::make_unique<Deliverer>(runtime, counted, std::move(endpoints), options, nullptr);
    deliverer->start();
  }
  void stop(milliseconds grace = std::chrono::seconds(10)) {
    if (deliverer) deliverer->stop(grace);
    deliverer.reset();
  }
  // As after the end of the process: what was in memory is gone.
  void restart(std::vector<Endpoint> endpoints) {
    stop(milliseconds(0));
    db.close();
    db.open();
    start(std::move(endpoints));
  }

  struct Wanted {
    std::string body;
    std::optional<CaseId> case_id = std::nullopt;
    std::string type = "reply";
    DeliveryState state = DeliveryState::waiting;
  };
  std::vector<DeliveryId> order_all(const std::vector<Wanted>& wanted, const store::Destination& to) {
    std::vector<DeliveryId> ids;
    const Time now = wall_clock_now();
    for (std::size_t i = 0; i < wanted.size(); ++i) ids.push_back(DeliveryId::make(now));
    db.write([&](store::Writer& writer) {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        DeliveryRecord row;
        row.id = ids[i];
        row.to = to;
        row.type = wanted[i].type;
        row.case_id = wanted[i].case_id;
        row.body = wanted[i].body;
        row.state = wanted[i].state;
        row.created_at = row.next_attempt_at = now;
        writer.insert_delivery(row);
      }
    });
    if (deliverer) deliverer->wake(to);
    return ids;
  }
  DeliveryId order(Wanted wanted, const std::string& source = "x") {
    return order_all({std::move(wanted)}, store::to_source(source)).front();
  }
  DeliveryId order(const std::string& body, const std::string& source = "x") { return order(Wanted{body}, source); }

  DeliveryRecord row(const DeliveryId& id) {
    std::optional<DeliveryRecord> found;
    db.read([&](store::Reader& reader) { found = reader.delivery(id); });
    return found.value();
  }
  bool becomes(const DeliveryId& id, DeliveryState state) {
    return eventually([&] { return row(id).state == state; });
  }
  bool all_become(const std::vector<DeliveryId>& ids, DeliveryState state) {
    return std::all_of(ids.begin(), ids.end(), [&](const DeliveryId& id) { return becomes(id, state); });
  }
  std::vector<std::string> cut_off() {
    const std::scoped_lock lock(mutex);
    return interrupted;
  }
  static std::vector<std::string> bodies(const Receiver& platform) {
    std::vector<std::string> out;
    for (const Received& got : platform.received()) out.push_back(got.body);
    return out;
  }

  // The store resumes coroutines on the io threads: they outlive it.
  net::Runtime runtime{2};
  TemporaryStore db;
  Counted counted{db};
  Options options;
  std::unique_ptr<Deliverer> deliverer;
  std::mutex mutex;
  std::vector<std::string> interrupted;
};

Receiver::Script statuses(std::vector<int> in_turn) {
  return [in_turn](std::size_t nth, const Received&) {
    return net::Response::empty(nth < in_turn.size() ? in_turn[nth] : kTaken);
  };
}
Receiver::Script always(int status) {
  return [status](std::size_t, const Received&) { return net::Response::empty(status); };
}

// ---- what becomes of a row -----------------------------------------------------------------------------------------

TEST_F(PlatformDeliveries, WhatAPlatformTookIsDelivered) {
  Receiver platform;
  start({endpoint(platform.url())});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_THAT(bodies(platform), ::testing::ElementsAre("hello"));
  EXPECT_EQ(row(id).attempts, 1);
  EXPECT_EQ(row(id).last_status, kTaken);
  EXPECT_TRUE(row(id).done_at);
  EXPECT_TRUE(eventually([&] { return deliverer->stats().delivered == 1; }));
}

TEST_F(PlatformDeliveries, WhatFailedIsTriedAgainUntilTheScheduleEnds) {
  Receiver platform(statuses({kFailed, kFailed}));
  start({endpoint(platform.url())});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_EQ(row(id).attempts, 3);
  stop();

  Receiver down(always(kFailed));
  options.schedule.assign(2, Duration(1));
  start({endpoint(down.url())});
  const DeliveryId other = order("hello");
  ASSERT_TRUE(becomes(other, DeliveryState::dead));
  EXPECT_EQ(row(other).attempts, 3);
}

TEST_F(PlatformDeliveries, WhatIsRefusedOrInDoubtIsDeadAtOnce) {
  for (const int status : {kRefused, kInDoubt}) {
    Receiver platform(always(status));
    start({endpoint(platform.url())});
    const DeliveryId id = order("hello");
    ASSERT_TRUE(becomes(id, DeliveryState::dead)) << status;
    EXPECT_EQ(row(id).attempts, 1);
    EXPECT_EQ(row(id).last_status, status);
    EXPECT_EQ(row(id).last_error, "it answered " + std::to_string(status));
    EXPECT_TRUE(row(id).done_at);
    EXPECT_TRUE(eventually([&] { return deliverer->stats().dead == 1; }));
    stop();
    EXPECT_EQ(platform.count(), 1U);
  }
}

TEST_F(PlatformDeliveries, AnAttemptThatEndsByAnExceptionFailed) {
  Endpoint broken;
  std::atomic<int> attempts{0};
  broken.to = store::to_source("x");
  broken.perform = [&](std::shared_ptr<net::Client>, DeliveryRecord) -> boost::asio::awaitable<Performed> {
    if (++attempts == 1) throw std::runtime_error("the document cannot be read");
    co_return with(Outcome::Kind::delivered);
  };
  options.schedule = {kNever};
  start({broken});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(eventually([&] { return row(id).attempts == 1; }));
  EXPECT_EQ(row(id).state, DeliveryState::waiting);
  EXPECT_EQ(row(id).last_error, "the document cannot be read");
  EXPECT_EQ(deliverer->stats().in_flight, 0);
}

TEST_F(PlatformDeliveries, ATeamAndASourceOfOneNameAreServedEachByItsOwnEndpoint) {
  Receiver team, platform;
  start({callback_endpoint("shop", team.url(), {std::string(24, 'k')}), endpoint(platform.url(), nullptr, "shop")});
  const DeliveryId callback = order_all({{"to the team"}}, store::to_team("shop")).front();
  const DeliveryId reply = order("to the platform", "shop");
  ASSERT_TRUE(all_become({callback, reply}, DeliveryState::delivered));
  EXPECT_THAT(bodies(team), ::testing::ElementsAre("to the team"));
  EXPECT_THAT(bodies(platform), ::testing::ElementsAre("to the platform"));
}

TEST_F(PlatformDeliveries, RefusalsAreAnswersAndHoldNothingBack) {
  Receiver platform(
      [](std::size_t nth, const Received&) { return net::Response::empty(nth < 10 ? kRefused : kTaken); });
  options.breaker_failures = 3;
  options.breaker_wait = options.breaker_wait_max = kNever;
  start({endpoint(platform.url())});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(becomes(order("nonsense"), DeliveryState::dead));
  EXPECT_EQ(deliverer->stats().breakers_open, 0);
  EXPECT_TRUE(becomes(order("hello"), DeliveryState::delivered));
}

TEST_F(PlatformDeliveries, ARefusalEndsARowOfFailures) {
  // Never three in a row, the last row aside.
  Receiver platform(statuses({kFailed, kFailed, kRefused, kFailed, kFailed, kTaken}));
  options.breaker_failures = 3;
  options.breaker_wait = options.breaker_wait_max = kNever;
  options.schedule = {kNever};
  start({endpoint(platform.url())});
  for (int i = 0; i < 6; ++i) {
    const DeliveryId id = order("hello");
    ASSERT_TRUE(eventually([&] { return row(id).attempts == 1; })) << i;
  }
  EXPECT_EQ(deliverer->stats().breakers_open, 0);
}

// ---- what is stored with an outcome --------------------------------------------------------------------------------

TEST_F(PlatformDeliveries, WhatGoesWithAnOutcomeIsCommittedWithItAndSeesTheRowAsItIsLeft) {
  Receiver platform([](std::size_t, const Received& got) { return net::Response::empty(std::stoi(got.body)); });
  std::vector<std::string> told;
  const More more = [&](const DeliveryRecord& row, Performed& performed) {
    const std::string key = row.body;
    performed.commit = [key](store::Writer& writer, const DeliveryRecord& after) {
      const DeliveryRecord stored = writer.delivery(after.id).value();
      EXPECT_EQ(stored.state, after.state) << "the row is written before";
      EXPECT_EQ(stored.attempts, after.attempts);
      writer.set_cursor({"x", key, std::string(to_string(after.state)), "", "", after.next_attempt_at});
    };
    performed.committed = [&, key, id = row.id] {
      // All of it is there when that is told.
      db.read([&](store::Reader& reader) {
        const std::scoped_lock lock(mutex);
        const auto cursor = reader.cursor("x", key);
        told.push_back(cursor ? key + " " + cursor->cursor + " " + std::to_string(reader.delivery(id)->attempts)
                              : key + " is not stored");
      });
    };
  };
  options.schedule.assign(5, kNever);
  start({endpoint(platform.url(), more)});
  const auto told_so_far = [&] {
    const std::scoped_lock lock(mutex);
    return told;
  };
  std::map<int, DeliveryId> ids;
  for (const int status : {kTaken, kFailed, kRefused, kInDoubt}) {
    ids[status] = order(std::to_string(status));
    ASSERT_TRUE(eventually([&] { return told_so_far().size() == ids.size(); }));
  }
  EXPECT_THAT(told_so_far(), ::testing::ElementsAre("200 delivered 1", "500 waiting 1", "422 dead 1", "504 dead 1"));
  db.read([&](store::Reader& reader) {
    EXPECT_EQ(reader.cursor("x", "500")->changed_at, reader.delivery(ids[kFailed])->next_attempt_at)
        << "when it is tried again is known too";
  });
}

TEST_F(PlatformDeliveries, ACommitThatFailsLeavesNothingAndIsMadeAgainWithoutSendingAgain) {
  Receiver platform;
  std::atomic<int> runs{0}, told{0};
  const More more = [&](const DeliveryRecord&, Performed& performed) {
    performed.commit = [&](store::Writer& writer, const DeliveryRecord& after) {
      EXPECT_EQ(after.state, DeliveryState::delivered);
      EXPECT_EQ(after.attempts, 1);
      EXPECT_FALSE(writer.cursor("x", "new"));
      writer.set_cursor({"x", "new", "1", "", "", wall_clock_now()});
      if (++runs == 1) throw std::runtime_error("something is not as it should be");
    };
    performed.committed = [&] { ++told; };
  };
  start({endpoint(platform.url(), more)});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  ASSERT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(row(id).attempts, 1);
  EXPECT_EQ(platform.count(), 1U);
  db.read([](store::Reader& reader) { EXPECT_TRUE(reader.cursor("x", "new")); });
}

TEST_F(PlatformDeliveries, AnOutcomeWhoseNeighbourFailsIsStoredOnceThoughItsCommitRunsTwice) {
  Receiver platform;
  std::atomic<int> runs{0}, told{0};
  std::atomic<bool> held{false};
  std::promise<void> inside, go_on;
  const More more = [&](const DeliveryRecord&, Performed& performed) {
    performed.commit = [&](store::Writer& writer, const DeliveryRecord& after) {
      ++runs;
      EXPECT_EQ(after.attempts, 1);
      EXPECT_FALSE(writer.cursor("x", "new"));
      writer.set_cursor({"x", "new", "1", "", "", wall_clock_now()});
    };
    performed.committed = [&] { ++told; };
    // The writer is kept busy, so that the outcome and what comes next share a commit.
    db->write(
        [&](store::Writer&) {
          inside.set_value();
          go_on.get_future().wait();
        },
        nullptr);
    inside.get_future().wait();
    held = true;
  };
  start({endpoint(platform.url(), more)});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(eventually([&] { return held && db->stats().queued == 1; }));
  db->write([](store::Writer&) { throw std::runtime_error("a neighbour"); }, nullptr);
  go_on.set_value();
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  ASSERT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(row(id).attempts, 1);
  EXPECT_EQ(platform.count(), 1U);
}

// ---- what may not be sent twice ------------------------------------------------------------------------------------

TEST_F(PlatformDeliveries, WhatMayNotBeSentTwiceIsMarkedBeforeItLeaves) {
  Receiver platform(always(0));
  start({once(platform.url())});
  const DeliveryId reply = order("hello");
  const DeliveryId fetch = order(Wanted{"who", std::nullopt, "fetch"});
  ASSERT_TRUE(eventually([&] { return platform.count() == 2; }));
  EXPECT_EQ(row(reply).state, DeliveryState::sending);
  EXPECT_EQ(row(fetch).state, DeliveryState::waiting) << "this one may be";
  platform.release();
  ASSERT_TRUE(all_become({reply, fetch}, DeliveryState::delivered));
  EXPECT_EQ(row(reply).attempts, 1);
  EXPECT_TRUE(cut_off().empty());
}

TEST_F(PlatformDeliveries, WhatIsUnderWayIsNotStartedAgainHoweverOftenTheDelivererIsWoken) {
  Receiver platform(always(0));
  start({once(platform.url())});
  std::vector<DeliveryId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(order(std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return platform.count() == 5; }));
  for (int i = 0; i < 50; ++i) {
    deliverer->wake(store::to_source("x"));
    if (i % 10 == 0) deliverer->configure({once(platform.url())}, options);
    std::this_thread::sleep_for(milliseconds(1));
  }
  platform.release();
  ASSERT_TRUE(all_become(ids, DeliveryState::delivered));
  EXPECT_THAT(bodies(platform), ::testing::UnorderedElementsAre("0", "1", "2", "3", "4"));
  EXPECT_TRUE(cut_off().empty()) << "a reload interrupts nothing";
}

TEST_F(PlatformDeliveries, AnAttemptThatIsKnownToHaveFailedIsMadeAgain) {
  Receiver platform(statuses({kFailed}));
  start({once(platform.url())});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_EQ(row(id).attempts, 2);
  EXPECT_EQ(platform.count(), 2U);
}

TEST_F(PlatformDeliveries, WhatACrashCutOffGetsItsOutcomeOnceAndIsNotSentAgain) {
  Receiver platform(always(0));
  start({once(platform.url())});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(eventually([&] { return platform.count() == 1; }));
  stop(milliseconds(0));  // it is on its way
  EXPECT_EQ(row(id).state, DeliveryState::sending);
  EXPECT_EQ(row(id).attempts, 0);
  platform.release();

  restart({once(platform.url())});
  ASSERT_TRUE(becomes(id, DeliveryState::dead));
  EXPECT_THAT(cut_off(), ::testing::ElementsAre("hello"));
  EXPECT_EQ(row(id).attempts, 1);
  EXPECT_EQ(row(id).last_error, "it was cut off");
  EXPECT_TRUE(becomes(order("next"), DeliveryState::delivered));

  restart({once(platform.url())});
  EXPECT_TRUE(becomes(order("last"), DeliveryState::delivered));
  EXPECT_THAT(cut_off(), ::testing::ElementsAre("hello"));
  EXPECT_THAT(bodies(platform), ::testing::ElementsAre("hello", "next", "last"));
}

TEST_F(PlatformDeliveries, WhatACrashCutOffIsSentAgainWhereThatIsSafe) {
  Receiver platform;
  const DeliveryId id = order(Wanted{"hello", std::nullopt, "reply", DeliveryState::sending});
  start({once(platform.url(), Outcome::Kind::failed)});
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_THAT(cut_off(), ::testing::ElementsAre("hello"));
  EXPECT_EQ(platform.count(), 1U);
  EXPECT_EQ(row(id).attempts, 2) << "the one that was cut off is an attempt";
}

TEST_F(PlatformDeliveries, WhatACrashCutOffWaitsForTheEndpointOfItsOwnSource) {
  Receiver platform;
  const DeliveryId ours = order(Wanted{"ours", std::nullopt, "reply", DeliveryState::sending});
  const DeliveryId other = order(Wanted{"other", std::nullopt, "reply", DeliveryState::sending}, "y");
  start({once(platform.url())});
  ASSERT_TRUE(becomes(ours, DeliveryState::dead));
  EXPECT_THAT(cut_off(), ::testing::ElementsAre("ours"));
  EXPECT_EQ(row(other).state, DeliveryState::sending);

  Endpoint late = once(platform.url());
  late.to = store::to_source("y");
  deliverer->configure({once(platform.url()), late}, options);
  ASSERT_TRUE(becomes(other, DeliveryState::dead));
  EXPECT_THAT(cut_off(), ::testing::ElementsAre("ours", "other"));
}

TEST_F(PlatformDeliveries, WhatGoesWithAnInterruptionIsCommittedWithIt) {
  Receiver platform;
  const DeliveryId id = order(Wanted{"hello", std::nullopt, "reply", DeliveryState::sending});
  std::atomic<bool> told{false};
  Endpoint made = once(platform.url());
  made.interrupted = [&](const DeliveryRecord& row) {
    Performed performed = with(Outcome::Kind::lost, "it was cut off");
    performed.commit = [body = row.body](store::Writer& writer, const DeliveryRecord& after) {
      writer.set_cursor({"x", body, std::string(to_string(after.state)), "", "", wall_clock_now()});
    };
    performed.committed = [&] { told = true; };
    return performed;
  };
  start({made});
  ASSERT_TRUE(becomes(id, DeliveryState::dead));
  db.read([](store::Reader& reader) { EXPECT_EQ(reader.cursor("x", "hello")->cursor, "dead"); });
  EXPECT_TRUE(eventually([&] { return told.load(); }));
}

TEST_F(PlatformDeliveries, AnAttemptThatEndsByAnExceptionMayHaveArrivedAndIsNotMadeAgain) {
  Receiver platform;
  Endpoint made = once(platform.url());
  made.perform = [url = platform.url()](std::shared_ptr<net::Client> client,
                                        DeliveryRecord row) -> boost::asio::awaitable<Performed> {
    auto calling = call(std::move(client), url, std::move(row), nullptr);
    co_await std::move(calling);
    throw std::runtime_error("its answer cannot be read");
  };
  start({made});
  const DeliveryId id = order("hello");
  ASSERT_TRUE(becomes(id, DeliveryState::dead));
  EXPECT_THAT(cut_off(), ::testing::ElementsAre("hello"));
  EXPECT_EQ(platform.count(), 1U);
}

TEST_F(PlatformDeliveries, ARowThatIsCancelledBeforeItIsMarkedDoesNotLeave) {
  Receiver platform;
  start({once(platform.url())});
  // The deliverer finds the row, and its mark waits behind the cancellation.
  std::promise<void> inside, go_on;
  const DeliveryId id = DeliveryId::make(wall_clock_now());
  db->write(
      [&](store::Writer& writer) {
        DeliveryRecord row;
        row.id = id;
        row.to = store::to_source("x");
        row.type = "reply";
        row.body = "hello";
        row.created_at = row.next_attempt_at = wall_clock_now();
        writer.insert_delivery(row);
      },
      [&](store::Committed, const std::string&) {
        db->write(
            [&](store::Writer& writer) {
              inside.set_value();
              go_on.get_future().wait();
              DeliveryRecord row = writer.delivery(id).value();
              row.state = DeliveryState::cancelled;
              writer.update_delivery(row);
            },
            nullptr);
      });
  inside.get_future().wait();
  deliverer->wake(store::to_source("x"));
  ASSERT_TRUE(eventually([&] { return db->stats().queued == 1; }));
  go_on.set_value();
  EXPECT_TRUE(becomes(order("next"), DeliveryState::delivered));
  EXPECT_EQ(row(id).state, DeliveryState::cancelled);
  EXPECT_EQ(row(id).attempts, 0);
  EXPECT_THAT(bodies(platform), ::testing::ElementsAre("next"));
  EXPECT_TRUE(eventually([&] { return deliverer->stats().in_flight == 0; }));
}

TEST_F(PlatformDeliveries, ARowThatWasCancelledBeforeItsTurnIsNotSent) {
  Receiver platform(always(0));
  Endpoint one = once(platform.url());
  one.concurrency = 1;
  start({one});
  const DeliveryId first = order("first"), second = order("second"), third = order("third");
  ASSERT_TRUE(eventually([&] { return platform.count() == 1; }));
  db.write([&](store::Writer& writer) {
    DeliveryRecord row = writer.delivery(second).value();
    row.state = DeliveryState::cancelled;
    writer.update_delivery(row);
  });
  platform.release();
  ASSERT_TRUE(all_become({first, third}, DeliveryState::delivered));
  EXPECT_EQ(row(second).state, DeliveryState::cancelled);
  EXPECT_THAT(bodies(platform), ::testing::ElementsAre("first", "third"));
}

// ---- pauses --------------------------------------------------------------------------------------------------------

TEST_F(PlatformDeliveries, APauseHoldsAllRowsOfItsEndpointAndOfNoOther) {
  Receiver platform, other;
  const More pause = [](const DeliveryRecord&, Performed& performed) { performed.outcome.pause = kNever; };
  start({endpoint(platform.url(), pause), endpoint(other.url(), nullptr, "y")});
  ASSERT_TRUE(becomes(order("first"), DeliveryState::delivered)) << "the answer that asked for it counts";
  std::vector<DeliveryId> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(order("held"));
    EXPECT_TRUE(becomes(order("beside", "y"), DeliveryState::delivered));
  }
  EXPECT_EQ(platform.count(), 1U);
  for (const DeliveryId& id : held) {
    EXPECT_EQ(row(id).state, DeliveryState::waiting);
    EXPECT_EQ(row(id).attempts, 0);
  }
  // A reload is a fresh start.
  deliverer->configure({endpoint(platform.url())}, options);
  EXPECT_TRUE(all_become(held, DeliveryState::delivered));
}

TEST_F(PlatformDeliveries, APauseEndsByItself) {
  Receiver platform;
  constexpr milliseconds kPause(80);
  Clock::time_point said, left;
  const More pause = [&](const DeliveryRecord& row, Performed& performed) {
    if (row.body == "first") {
      said = Clock::now();
      performed.outcome.pause = kPause;
      performed.outcome.kind = Outcome::Kind::failed;
    } else {
      left = Clock::now();
    }
  };
  options.schedule.assign(3, kNever);  // the first does not come again
  start({endpoint(platform.url(), pause)});
  const DeliveryId first = order("first");
  ASSERT_TRUE(eventually([&] { return row(first).attempts == 1; }));
  ASSERT_TRUE(becomes(order("second"), DeliveryState::delivered));
  EXPECT_GE(left - said, kPause);
}

// ---- replies of one case -------------------------------------------------------------------------------------------

TEST_F(PlatformDeliveries, RowsOfOneCaseGoOneAfterAnotherAndOthersBesideThem) {
  std::mutex guard;
  std::map<char, int> present;
  int most_of_a_case = 0;
  Receiver platform(always(0));
  Endpoint made;
  made.to = store::to_source("x");
  made.concurrency = 8;
  made.one_a_case = true;
  made.perform = [&](std::shared_ptr<net::Client> client, DeliveryRecord row) -> boost::asio::awaitable<Performed> {
    const char name = row.body[0];
    {
      const std::scoped_lock lock(guard);
      most_of_a_case = std::max(most_of_a_case, name == '-' ? 0 : ++present[name]);
    }
    auto calling = call(std::move(client), platform.url(), std::move(row), nullptr);
    Performed performed = co_await std::move(calling);
    const std::scoped_lock lock(guard);
    if (name != '-') --present[name];
    co_return performed;
  };
  start({made});
  const CaseId a = CaseId::make(wall_clock_now()), b = CaseId::make(wall_clock_now());
  const auto ids =
      order_all({{"a1", a}, {"a2", a}, {"a3", a}, {"b1", b}, {"b2", b}, {"-1"}, {"-2"}}, store::to_source("x"));
  // Nothing is answered yet: one of each case, and both that belong to none.
  ASSERT_TRUE(eventually([&] { return platform.count() == 4; }));
  EXPECT_THAT(bodies(platform), ::testing::UnorderedElementsAre("a1", "b1", "-1", "-2"));
  platform.release();
  ASSERT_TRUE(all_become(ids, DeliveryState::delivered));
  EXPECT_EQ(most_of_a_case, 1);
  std::vector<std::string> of_a;
  for (const std::string& body : bodies(platform)) {
    if (body[0] == 'a') of_a.push_back(body);
  }
  EXPECT_THAT(of_a, ::testing::ElementsAre("a1", "a2", "a3"));
}

TEST_F(PlatformDeliveries, ALongRowOfOneCaseKeepsNoOtherWaitingAndCostsNothingWhileItWaits) {
  Receiver platform(
      [](std::size_t, const Received& got) { return net::Response::empty(got.body == "a0" ? 0 : kTaken); });
  Endpoint made = endpoint(platform.url());
  made.concurrency = 4;
  made.one_a_case = true;
  start({made});
  const CaseId a = CaseId::make(wall_clock_now()), b = CaseId::make(wall_clock_now());
  std::vector<Wanted> wanted;
  for (int i = 0; i < 40; ++i) wanted.push_back({"a" + std::to_string(i), a});
  wanted.push_back({"b", b});
  const auto ids = order_all(wanted, store::to_source("x"));
  ASSERT_TRUE(eventually([&] { return platform.count() >= 1; }));
  // A hundred looks at the outbox are plenty; without a pause between them there would be thousands.
  EXPECT_TRUE(eventually([&] { return row(ids.back()).state == DeliveryState::delivered || counted.reads > 1000; }));
  EXPECT_EQ(row(ids.back()).state, DeliveryState::delivered);
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LT(counted.reads, 100);
  platform.release();
  ASSERT_TRUE(all_become(ids, DeliveryState::delivered));
  EXPECT_EQ(platform.count(), ids.size());
}

}  // namespace
}  // namespace triage::deliver
