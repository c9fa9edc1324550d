// What an operations team can rely on: over real sockets, from a real store.
#include "triage/deliver/deliverer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "triage/deliver/signature.h"
#include "unit/deliver/receiver.h"

namespace triage::deliver {
namespace {

using std::chrono::milliseconds;
using store::DeliveryState;
using testing::eventually;
using testing::Received;
using testing::Receiver;
using testing::TemporaryStore;

const std::string kKey(24, 'k');
constexpr Duration kNever = std::chrono::hours(5);

// A receiver's script: these statuses in turn, then 200.
Receiver::Script statuses(std::vector<int> in_turn) {
  return [in_turn](std::size_t nth, const Received&) {
    return net::Response::empty(nth < in_turn.size() ? in_turn[nth] : 200);
  };
}
// Always the same.
Receiver::Script always(int status) {
  return [status](std::size_t, const Received&) { return net::Response::empty(status); };
}

struct Deliveries : ::testing::Test {
  Deliveries() {
    options.allow_private_addresses = true;
    options.schedule.assign(20, Duration(1));
    options.breaker_failures = 1000;
  }
  ~Deliveries() override { stop(); }

  static Endpoint endpoint(const net::Url& url, const std::string& team = "ops", std::size_t concurrency = 8) {
    return callback_endpoint(team, url, {kKey}, concurrency);
  }

  void start(std::vector<Endpoint> endpoints) {
    deliverer = std::make_unique<Deliverer>(runtime, *db, std::move(endpoints), options, [this](std::string team) {
      const std::scoped_lock lock(mutex);
      switched_off.push_back(std::move(team));
    });
    deliverer->start();
  }
  void stop(milliseconds grace = std::chrono::seconds(10)) {
    if (deliverer) deliverer->stop(grace);
    deliverer.reset();
  }
  // As after the end of the process: what was in memory is gone.
  void restart(std::vector<Endpoint> endpoints, milliseconds grace = std::chrono::seconds(10)) {
    stop(grace);
    db.close();
    db.open();
    start(std::move(endpoints));
  }

  DeliveryId order(const std::string& team = "ops", const std::string& body = R"({"type":"escalation.raised"})") {
    return order_many(1, team, body).front();
  }
  std::vector<DeliveryId> order_many(std::size_t count, const std::string& team = "ops",
                                     const std::string& body = "{}") {
    std::vector<DeliveryId> ids;
    const Time now = wall_clock_now();
    for (std::size_t i = 0; i < count; ++i) ids.push_back(DeliveryId::make(now));
    db.write([&](store::Writer& writer) {
      for (const DeliveryId& id : ids) {
        store::DeliveryRecord row;
        row.id = id;
        row.to = store::to_team(team);
        row.type = "escalation.raised";
        row.body = body;
        row.created_at = row.next_attempt_at = now;
        writer.insert_delivery(row);
      }
    });
    if (deliverer) deliverer->wake(store::to_team(team));
    return ids;
  }

  store::DeliveryRecord row(const DeliveryId& id) {
    std::optional<store::DeliveryRecord> found;
    db.read([&](store::Reader& reader) { found = reader.delivery(id); });
    return found.value();
  }
  void change(const DeliveryId& id, const std::function<void(store::DeliveryRecord&)>& how) {
    db.write([&](store::Writer& writer) {
      store::DeliveryRecord changed = writer.delivery(id).value();
      how(changed);
      writer.update_delivery(changed);
    });
  }
  bool becomes(const DeliveryId& id, DeliveryState state) {
    return eventually([&] { return row(id).state == state; });
  }
  bool all_become(const std::vector<DeliveryId>& ids, DeliveryState state) {
    return std::all_of(ids.begin(), ids.end(), [&](const DeliveryId& id) { return becomes(id, state); });
  }
  bool tried(const DeliveryId& id, int attempts) {
    return eventually([&] { return row(id).attempts == attempts; });
  }

  // The store resumes coroutines on the io threads: they outlive it.
  net::Runtime runtime{2}, single{1};
  TemporaryStore db;
  Options options;
  std::unique_ptr<Deliverer> deliverer;
  std::mutex mutex;
  std::vector<std::string> switched_off;
};

TEST_F(Deliveries, ACommittedCallbackArrivesSignedAndIsRecorded) {
  Receiver ops;
  start({endpoint(ops.url("/hook"))});
  const DeliveryId id = order("ops", R"({"text":"Stuck 😡"})");
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));

  ASSERT_EQ(ops.count(), 1U);
  const Received got = ops.received()[0];
  EXPECT_EQ(got.path, "/hook");
  EXPECT_EQ(got.id(), id.str());
  EXPECT_EQ(got.body, R"({"text":"Stuck 😡"})");
  EXPECT_EQ(net::find_header(got.headers, "content-type").value_or(""), "application/json");
  const auto seconds = std::stoll(std::string(net::find_header(got.headers, "webhook-timestamp").value_or("0")));
  const auto expected = sign(id.view(), from_millis(seconds * 1000), got.body, {kKey});
  EXPECT_EQ(net::find_header(got.headers, "webhook-signature"), net::find_header(expected, "webhook-signature"));

  const store::DeliveryRecord after = row(id);
  EXPECT_EQ(after.attempts, 1);
  EXPECT_EQ(after.last_status, 200);
  EXPECT_EQ(after.last_error, "");
  EXPECT_TRUE(after.done_at);
  EXPECT_TRUE(eventually([&] { return deliverer->stats().delivered == 1; }));
}

TEST_F(Deliveries, EachCallbackIsSentOnceHoweverOftenTheDelivererIsWoken) {
  Receiver ops;
  start({endpoint(ops.url())});
  std::atomic<bool> done{false};
  auto waker = std::async(std::launch::async, [&] {
    while (!done) {
      deliverer->wake(store::to_team("ops"));
      // Ten thousand times a second, and yet the others get a core.
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  // Long bodies, so that rows are often committed while they are being read.
  const std::string body(100'000, 'x');
  std::vector<DeliveryId> ids;
  try {
    for (int i = 0; i < 15; ++i) {
      for (const DeliveryId& id : order_many(20, "ops", body)) ids.push_back(id);
    }
    EXPECT_TRUE(all_become(ids, DeliveryState::delivered));
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  done = true;
  waker.wait();
  std::map<std::string, int> times;
  for (const Received& got : ops.received()) ++times[got.id()];
  EXPECT_EQ(times.size(), ids.size());
  EXPECT_EQ(ops.count(), ids.size());
}

TEST_F(Deliveries, ARetryHasTheSameIdAndTheSameBody) {
  Receiver ops(statuses({500, 404, 302}));
  start({endpoint(ops.url())});
  const DeliveryId id = order("ops", R"({"n": 1})");
  ASSERT_TRUE(becomes(id, DeliveryState::delivered));
  ASSERT_EQ(ops.count(), 4U);
  for (const Received& got : ops.received()) {
    EXPECT_EQ(got.id(), id.str());
    EXPECT_EQ(got.body, R"({"n": 1})");
  }
  EXPECT_EQ(row(id).attempts, 4);
}

TEST_F(Deliveries, ARedirectIsAFailureAndIsNotFollowed) {
  Receiver elsewhere;
  const std::string there = "http://127.0.0.1:" + elsewhere.url().port + "/hook";
  Receiver ops([&](std::size_t, const Received&) {
    net::Response response = net::Response::empty(307);
    response.headers.emplace_back("Location", there);
    return response;
  });
  options.schedule = {Duration(1)};
  start({endpoint(ops.url())});
  const DeliveryId id = order();
  ASSERT_TRUE(becomes(id, DeliveryState::dead));
  EXPECT_EQ(row(id).last_status, 307);
  EXPECT_THAT(row(id).last_error, ::testing::HasSubstr("redirects are not followed"));
  EXPECT_EQ(elsewhere.count(), 0U);
}

// The waits of the schedule are hours here: only Retry-After can bring the second attempt.
TEST_F(Deliveries, RetryAfterComesBeforeTheSchedule) {
  for (const int status : {429, 503}) {
    Receiver ops([status](std::size_t nth, const Received&) {
      net::Response response = net::Response::empty(nth == 0 ? status : 200);
      response.headers.emplace_back("Retry-After", "0");
      return response;
    });
    options.schedule = {kNever, kNever};
    start({endpoint(ops.url())});
    const DeliveryId id = order();
    ASSERT_TRUE(becomes(id, DeliveryState::delivered)) << status;
    EXPECT_EQ(row(id).attempts, 2) << "an attempt that is told to wait is an attempt";
    stop();
  }
}

TEST_F(Deliveries, RetryAfterIsReadAsSecondsOrAsADateAndHasALimit) {
  const std::vector<std::pair<std::string, Duration>> cases = {
      {"1800", std::chrono::minutes(30)},
      {"999999999999", std::chrono::hours(1)},
      {"Fri, 31 Dec 2100 23:59:59 GMT", std::chrono::hours(1)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", Duration(0)},
      {"soon", std::chrono::minutes(10)},  // not a Retry-After: the schedule counts
      {"-5", std::chrono::minutes(10)},
      {"Fri, 32 Dec 2100 23:59:59 GMT", std::chrono::minutes(10)},
  };
  for (const auto& [text, wait] : cases) {
    Receiver ops([text = text](std::size_t nth, const Received&) {
      net::Response response = net::Response::empty(nth == 0 ? 503 : 200);
      response.headers.emplace_back("Retry-After", text);
      return response;
    });
    options.schedule = {std::chrono::minutes(10), std::chrono::minutes(10)};
    start({endpoint(ops.url())});
    const Time before = wall_clock_now();
    const DeliveryId id = order();
    ASSERT_TRUE(eventually([&] { return row(id).attempts >= 1; }));
    if (wait == Duration(0)) {
      EXPECT_TRUE(becomes(id, DeliveryState::delivered)) << text;
    } else {
      const Time next = row(id).next_attempt_at;
      EXPECT_GE(next, before + wait * 8 / 10) << text;
      EXPECT_LE(next, wall_clock_now() + wait * 12 / 10) << text;
    }
    stop();
  }
}

TEST_F(Deliveries, WhatTheScheduleCouldNotBringIsADeadLetterThatCanBeSeenAndSentAgain) {
  Receiver ops(statuses({500, 500, 503}));
  options.schedule = {Duration(1), Duration(1)};
  start({endpoint(ops.url())});
  const DeliveryId id = order();
  ASSERT_TRUE(becomes(id, DeliveryState::dead));
  EXPECT_EQ(row(id).attempts, 3);
  EXPECT_EQ(row(id).last_status, 503);
  EXPECT_TRUE(row(id).done_at);
  EXPECT_TRUE(eventually([&] { return deliverer->stats().dead == 1; }));
  db.read([&](store::Reader& reader) {
    const auto dead = reader.deliveries(DeliveryState::dead, store::to_team("ops"), {});
    ASSERT_EQ(dead.size(), 1U);
    EXPECT_EQ(dead[0].id, id);
  });

  change(id, [](store::DeliveryRecord& again) {
    again.state = DeliveryState::waiting;
    again.attempts = 0;
    again.done_at.reset();
    again.next_attempt_at = wall_clock_now();
  });
  deliverer->wake(store::to_team("ops"));
  EXPECT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_EQ(ops.received().back().id(), id.str());
}

TEST_F(Deliveries, AnEndpointThatIsGoneIsSwitchedOffAndStaysSoUntilItIsEnabled) {
  Receiver ops(statuses({410, 410, 410}));
  options.gone_limit = 3;
  start({endpoint(ops.url())});
  const DeliveryId first = order();
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return !switched_off.empty();
  }));
  const auto enabled = [&] {
    std::optional<store::EndpointRecord> record;
    db.read([&](store::Reader& reader) {
      for (const auto& known : reader.endpoints()) {
        if (known.team == "ops") record = known;
      }
    });
    return record.value_or(store::EndpointRecord()).enabled;
  };
  EXPECT_FALSE(enabled()) << "it was committed before the ladders were told";
  EXPECT_EQ(row(first).state, DeliveryState::waiting);
  EXPECT_EQ(row(first).attempts, 3);
  EXPECT_EQ(deliverer->stats().endpoints_off, 1);

  const DeliveryId second = order();
  restart({endpoint(ops.url())});
  const DeliveryId third = order();
  ASSERT_TRUE(eventually([&] { return deliverer->stats().endpoints_off == 1; }));

  db.write([](store::Writer& writer) { writer.set_endpoint({"ops", true, "", wall_clock_now()}); });
  deliverer->wake(store::to_team("ops"));
  ASSERT_TRUE(all_become({first, second, third}, DeliveryState::delivered));
  EXPECT_EQ(row(first).attempts, 4);
  EXPECT_EQ(row(second).attempts, 1) << "while it was off nothing was tried";
  EXPECT_EQ(row(third).attempts, 1);
  EXPECT_EQ(ops.count(), 6U);
  EXPECT_EQ(deliverer->stats().endpoints_off, 0);
  EXPECT_THAT(switched_off, ::testing::ElementsAre("ops"));
}

TEST_F(Deliveries, OnlyGoneInARowSwitchesAnEndpointOff) {
  Receiver ops(statuses({410, 410, 500, 410, 410}));
  options.gone_limit = 3;
  start({endpoint(ops.url())});
  const DeliveryId id = order();
  EXPECT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_EQ(row(id).attempts, 6);
  EXPECT_TRUE(switched_off.empty());
}

TEST_F(Deliveries, AHangingEndpointDelaysNoOther) {
  Receiver hanging(always(0)), ops;
  // Both on one thread.
  deliverer = std::make_unique<Deliverer>(
      single, *db, std::vector<Endpoint>{endpoint(hanging.url(), "slow", 2), endpoint(ops.url())}, options, nullptr);
  deliverer->start();
  const auto stuck = order_many(10, "slow");
  ASSERT_TRUE(eventually([&] { return hanging.count() == 2; }));
  EXPECT_TRUE(all_become(order_many(50), DeliveryState::delivered));
  EXPECT_EQ(hanging.count(), 2U);
  hanging.release();
  EXPECT_TRUE(all_become(stuck, DeliveryState::delivered));
}

TEST_F(Deliveries, AnEndpointThatDoesNotAnswerInTimeIsAFailedAttempt) {
  Receiver hanging(always(0));
  options.timeout = milliseconds(20);
  options.schedule = {};
  start({endpoint(hanging.url())});
  const DeliveryId id = order();
  ASSERT_TRUE(becomes(id, DeliveryState::dead));
  EXPECT_EQ(row(id).last_status, 0);
  EXPECT_NE(row(id).last_error, "");
}

TEST_F(Deliveries, NoMoreRequestsRunAtATimeThanTheEndpointAllows) {
  // Nobody is answered before three are there: a lower bound would wait for ever.
  Receiver ops(always(0));
  start({endpoint(ops.url(), "ops", 3)});
  const auto ids = order_many(30);
  ASSERT_TRUE(eventually([&] { return ops.count() >= 3; }));
  ops.release();
  EXPECT_TRUE(all_become(ids, DeliveryState::delivered));
  EXPECT_EQ(ops.most_at_once(), 3U);
}

TEST_F(Deliveries, AFailingEndpointIsHeldBackAndItsRowsAreNotBurnt) {
  Receiver ops(statuses({500, 500, 500}));
  options.breaker_failures = 3;
  options.breaker_wait = options.breaker_wait_max = kNever;
  options.schedule.assign(1, kNever);
  start({endpoint(ops.url(), "ops", 1)});
  auto ids = order_many(10);
  ASSERT_TRUE(eventually([&] { return deliverer->stats().breakers_open == 1 && deliverer->stats().failed == 3; }));
  ids.push_back(order());
  stop();
  EXPECT_EQ(ops.count(), 3U);
  int untouched = 0;
  for (const DeliveryId& id : ids) {
    EXPECT_EQ(row(id).state, DeliveryState::waiting);
    if (row(id).attempts == 0) ++untouched;
  }
  EXPECT_EQ(untouched, 8);

  // A restart probes anew; the three that failed wait for their time.
  start({endpoint(ops.url(), "ops", 1)});
  EXPECT_TRUE(eventually([&] { return deliverer->stats().delivered == 8; }));
  EXPECT_EQ(ops.count(), 11U);
}

TEST_F(Deliveries, AHeldBackEndpointIsProbedOneAtATimeUntilItRecovers) {
  std::atomic<bool> recovered{false};
  std::atomic<int> probes{0};
  Receiver ops([&](std::size_t, const Received&) {
    ++probes;
    return net::Response::empty(recovered ? 200 : 500);
  });
  options.breaker_failures = 4;
  options.breaker_wait = Duration(1);
  options.breaker_wait_max = Duration(4);
  options.schedule.assign(1000, Duration(1));
  start({endpoint(ops.url(), "ops", 4)});
  const auto ids = order_many(20);
  ASSERT_TRUE(eventually([&] { return probes >= 12; }));
  EXPECT_EQ(deliverer->stats().breakers_open, 1);
  recovered = true;
  EXPECT_TRUE(all_become(ids, DeliveryState::delivered));
  EXPECT_EQ(deliverer->stats().breakers_open, 0);
}

TEST_F(Deliveries, WhileAProbeRunsNothingElseIsSentThere) {
  Receiver failing([](std::size_t nth, const Received&) { return net::Response::empty(nth < 3 ? 500 : 0); });
  Receiver other;
  options.breaker_failures = 3;
  options.breaker_wait = Duration(1);
  options.schedule = {kNever};
  start({endpoint(failing.url()), endpoint(other.url(), "other")});
  order_many(3);
  ASSERT_TRUE(eventually([&] { return deliverer->stats().breakers_open == 1; }));
  const auto ids = order_many(10);
  ASSERT_TRUE(eventually([&] { return failing.count() == 4; }));
  for (int i = 0; i < 10; ++i) {
    deliverer->wake(store::to_team("ops"));
    EXPECT_TRUE(becomes(order("other"), DeliveryState::delivered));
  }
  EXPECT_EQ(failing.count(), 4U);
  failing.release();
  EXPECT_TRUE(all_become(ids, DeliveryState::delivered));
}

TEST_F(Deliveries, WhatWaitedIsDeliveredAfterARestartWithTheSameId) {
  Receiver ops(always(0));
  start({endpoint(ops.url(), "ops", 1)});
  const auto ids = order_many(3, "ops", R"({"waited":true})");
  ASSERT_TRUE(eventually([&] { return ops.count() == 1; }));
  stop(milliseconds(0));  // the first is on its way and cut
  for (const DeliveryId& id : ids) {
    EXPECT_EQ(row(id).state, DeliveryState::waiting);
    EXPECT_EQ(row(id).attempts, 0);
  }
  ops.release();
  restart({endpoint(ops.url(), "ops", 1)});
  ASSERT_TRUE(all_become(ids, DeliveryState::delivered));
  const auto got = ops.received();
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].id(), ids[0].str());
  std::set<std::string> after_restart;
  for (std::size_t i = 1; i < got.size(); ++i) {
    after_restart.insert(got[i].id());
    EXPECT_EQ(got[i].body, R"({"waited":true})");
  }
  EXPECT_EQ(after_restart, (std::set<std::string>{ids[0].str(), ids[1].str(), ids[2].str()}));
}

TEST_F(Deliveries, StoppingLetsARunningAttemptFinishAndRecordsIt) {
  Receiver ops(always(0));
  start({endpoint(ops.url(), "ops", 1)});
  const auto ids = order_many(2);
  ASSERT_TRUE(eventually([&] { return ops.count() == 1; }));
  std::thread stopping([&] { deliverer->stop(std::chrono::seconds(30)); });
  ops.release();
  stopping.join();
  EXPECT_EQ(row(ids[0]).state, DeliveryState::delivered);
  EXPECT_EQ(deliverer->stats().in_flight, 0);
}

TEST_F(Deliveries, AddressesThatAreNotPublicAreRefusedByDefault) {
  Receiver ops;
  options.allow_private_addresses = false;
  options.schedule = {kNever};
  start({endpoint(ops.url())});
  const DeliveryId id = order();
  ASSERT_TRUE(tried(id, 1));
  EXPECT_EQ(row(id).state, DeliveryState::waiting);
  EXPECT_EQ(row(id).last_status, 0);
  EXPECT_THAT(row(id).last_error, ::testing::HasSubstr("127.0.0.1"));
  EXPECT_EQ(ops.count(), 0U);

  // The configuration allows it, and the row is sent again.
  options.allow_private_addresses = true;
  deliverer->configure({endpoint(ops.url())}, options);
  change(id, [](store::DeliveryRecord& again) { again.next_attempt_at = wall_clock_now(); });
  deliverer->wake(store::to_team("ops"));
  EXPECT_TRUE(becomes(id, DeliveryState::delivered));
}

TEST_F(Deliveries, ARowThatWasCancelledBeforeItsTurnIsNotSent) {
  Receiver ops(always(0));
  start({endpoint(ops.url(), "ops", 1)});
  const auto ids = order_many(3);
  ASSERT_TRUE(eventually([&] { return ops.count() == 1; }));
  change(ids[1], [](store::DeliveryRecord& ended) { ended.state = DeliveryState::cancelled; });
  ops.release();
  EXPECT_TRUE(all_become({ids[0], ids[2]}, DeliveryState::delivered));
  EXPECT_EQ(row(ids[1]).state, DeliveryState::cancelled);
  EXPECT_EQ(row(ids[1]).attempts, 0);
  EXPECT_EQ(ops.count(), 2U);
}

TEST_F(Deliveries, ARowThatIsCancelledOnItsWayStaysSoUnlessItArrived) {
  options.schedule = {};  // a failure would be the end of a row that waits
  for (const int status : {500, 200}) {
    std::atomic<bool> cancelled{false};
    std::atomic<bool> arrived{false};
    Receiver ops([&](std::size_t, const Received&) {
      arrived = true;
      eventually([&] { return cancelled.load(); });
      return net::Response::empty(status);
    });
    start({endpoint(ops.url())});
    const DeliveryId id = order();
    ASSERT_TRUE(eventually([&] { return arrived.load(); }));
    change(id, [](store::DeliveryRecord& ended) { ended.state = DeliveryState::cancelled; });
    cancelled = true;
    ASSERT_TRUE(tried(id, 1));
    EXPECT_EQ(row(id).state, status == 200 ? DeliveryState::delivered : DeliveryState::cancelled);
    EXPECT_EQ(row(id).last_status, status);
    stop();
    EXPECT_EQ(ops.count(), 1U);
  }
}

TEST_F(Deliveries, AnOutcomeIsRecordedWhenTheStoreIsBackAndTheCallbackIsNotSentAgain) {
  std::unique_ptr<TemporaryStore::Lock> lock;
  Receiver ops([&](std::size_t nth, const Received&) {
    if (nth == 0) lock = std::make_unique<TemporaryStore::Lock>(db.directory());
    return net::Response::empty(200);
  });
  start({endpoint(ops.url())});
  const DeliveryId id = order();
  ASSERT_TRUE(eventually([&] { return db->stats().unavailable > 0; }));
  EXPECT_EQ(row(id).state, DeliveryState::waiting);
  deliverer->wake(store::to_team("ops"));
  lock.reset();
  EXPECT_TRUE(becomes(id, DeliveryState::delivered));
  EXPECT_EQ(row(id).attempts, 1);
  EXPECT_EQ(ops.count(), 1U);
}

TEST_F(Deliveries, AReloadMovesAnEndpointAndRowsWithoutOneWait) {
  Receiver before, after;
  start({endpoint(before.url())});
  ASSERT_TRUE(becomes(order(), DeliveryState::delivered));

  deliverer->configure({}, options);
  const DeliveryId waits = order();
  const DeliveryId stranger = order("nobody");
  deliverer->configure({endpoint(after.url()), endpoint(after.url("/new"), "nobody")}, options);
  EXPECT_TRUE(all_become({waits, stranger}, DeliveryState::delivered));
  EXPECT_EQ(before.count(), 1U);
  EXPECT_EQ(after.count(), 2U);
  EXPECT_EQ(row(waits).attempts, 1);
}

TEST_F(Deliveries, ARowIsNotSentBeforeItsTime) {
  Receiver ops;
  start({endpoint(ops.url())});
  const DeliveryId now = order();
  ASSERT_TRUE(becomes(now, DeliveryState::delivered));
  const DeliveryId later = DeliveryId::make(wall_clock_now());
  const Time at = wall_clock_now() + milliseconds(50);
  db.write([&](store::Writer& writer) {
    store::DeliveryRecord row;
    row.id = later;
    row.to = store::to_team("ops");
    row.type = "escalation.raised";
    row.created_at = wall_clock_now();
    row.next_attempt_at = at;
    writer.insert_delivery(row);
  });
  deliverer->wake(store::to_team("ops"));
  ASSERT_TRUE(becomes(later, DeliveryState::delivered));
  EXPECT_GE(row(later).done_at.value(), at);
}

}  // namespace
}  // namespace triage::deliver
