// What falls due is done, once, also after a restart, and whatever happens to its neighbours.
#include "triage/clock/timetable.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "unit/deliver/temporary_store.h"

namespace triage::clock {
namespace {

using std::chrono::milliseconds;
using store::Due;
using store::DueKind;
using testing::eventually;
using testing::TemporaryStore;

constexpr Duration kFar = std::chrono::hours(5);

struct Entries : ::testing::Test {
  ~Entries() override { stop(); }

  void start() {
    timetable = std::make_unique<Timetable>(
        runtime, *db, [this](store::Writer& writer, const Due& due, Time now) { fire(writer, due, now); },
        [this] { ++committed; });
    timetable->start();
  }
  void stop() {
    if (timetable) timetable->stop();
    timetable.reset();
  }

  // What fires leaves a row in the same transaction, so that only what was committed counts.
  void fire(store::Writer& writer, const Due& due, Time now) {
    const std::scoped_lock lock(mutex);
    if (when_due) when_due(writer, due, now);
    writer.insert_event({0, log, now, "fired", due.subject, "{}"});
  }

  void set(const std::string& subject, Time at, DueKind kind = DueKind::rung) {
    db.write([&](store::Writer& writer) { writer.set_due({kind, subject, at}); });
  }
  std::map<std::string, int> fired() {
    std::map<std::string, int> times;
    db.read([&](store::Reader& reader) {
      for (const store::CaseEvent& event : reader.events(log)) ++times[event.actor];
    });
    return times;
  }
  std::map<std::string, Time> fired_at() {
    std::map<std::string, Time> at;
    db.read([&](store::Reader& reader) {
      for (const store::CaseEvent& event : reader.events(log)) at[event.actor] = event.at;
    });
    return at;
  }
  std::map<std::string, Time> still_there() {
    std::map<std::string, Time> at;
    db.read([&](store::Reader& reader) {
      for (const Due& due : reader.due(wall_clock_now() + 2 * kFar, 10000)) at[due.subject] = due.at;
    });
    return at;
  }
  static Time in(Duration wait) { return wall_clock_now() + wait; }

  net::Runtime runtime{1};  // the store resumes coroutines on it: it outlives the store
  TemporaryStore db;
  const CaseId log = CaseId::make(wall_clock_now());  // under whose events what fired is written
  std::unique_ptr<Timetable> timetable;
  std::atomic<int> committed{0};
  std::mutex mutex;
  WhenDue when_due;
};

using Times = std::map<std::string, int>;

TEST_F(Entries, ThatFellDueWhileTheServerWasDownFireWhenItIsBack) {
  set("overdue", in(-kFar));
  set("just", in(-milliseconds(1)));
  set("later", in(kFar));
  db.close();
  db.open();
  start();
  ASSERT_TRUE(eventually([&] { return fired().size() == 2; }));
  EXPECT_EQ(fired(), (Times{{"overdue", 1}, {"just", 1}}));
  EXPECT_EQ(still_there().size(), 1U);
  EXPECT_TRUE(eventually([&] { return timetable->stats().fired == 2 && committed > 0; }));
}

TEST_F(Entries, NeverFireBeforeTheirTime) {
  start();
  const Time at = in(milliseconds(40));
  set("soon", at);
  timetable->note(at);
  ASSERT_TRUE(eventually([&] { return fired().contains("soon"); }));
  EXPECT_GE(fired_at()["soon"], at);
}

TEST_F(Entries, ThatAreEarlierThanWhatIsWaitedForWakeIt) {
  set("far", in(kFar));
  start();
  for (int i = 0; i < 50; ++i) {
    const std::string subject = "near" + std::to_string(i);
    const Time at = in(milliseconds(i % 3));
    set(subject, at);
    timetable->note(at);
    ASSERT_TRUE(eventually([&] { return fired().contains(subject); }));
  }
  EXPECT_EQ(fired().size(), 50U);
}

TEST_F(Entries, FireOnceHoweverOftenTheyWereMoved) {
  start();
  set("moved", in(kFar));
  set("moved", in(2 * kFar));
  const Time at = in(milliseconds(5));
  set("moved", at);
  timetable->note(at);
  set("last", at + milliseconds(5));
  timetable->note(at + milliseconds(5));
  ASSERT_TRUE(eventually([&] { return fired().contains("last"); }));
  EXPECT_EQ(fired(), (Times{{"moved", 1}, {"last", 1}}));
  EXPECT_TRUE(still_there().empty());
}

TEST_F(Entries, ThatAreClearedOrMovedByAnotherDoNotFire) {
  when_due = [](store::Writer& writer, const Due& due, Time now) {
    if (due.subject != "first") return;
    writer.clear_due(DueKind::rung, "cleared");
    writer.set_due({DueKind::rung, "moved", now + kFar});
  };
  const Time at = in(-milliseconds(10));
  db.write([&](store::Writer& writer) {
    writer.set_due({DueKind::rung, "first", at});
    writer.set_due({DueKind::rung, "cleared", at + milliseconds(1)});
    writer.set_due({DueKind::lease_end, "cleared", at + milliseconds(2)});
    writer.set_due({DueKind::rung, "moved", at + milliseconds(3)});
    writer.set_due({DueKind::rung, "last", at + milliseconds(4)});
  });
  start();
  ASSERT_TRUE(eventually([&] { return fired().contains("last"); }));
  EXPECT_EQ(fired(), (Times{{"first", 1}, {"cleared", 1}, {"last", 1}}));
  EXPECT_EQ(still_there().size(), 1U);
}

TEST_F(Entries, MaySetWhatComesNext) {
  int rung = 0;
  when_due = [&rung](store::Writer& writer, const Due& due, Time now) {
    if (++rung < 5) writer.set_due({due.kind, due.subject, now + milliseconds(1)});
  };
  set("ladder", in(Duration(0)));
  start();
  ASSERT_TRUE(eventually([&] { return fired()["ladder"] == 5; }));
  EXPECT_TRUE(still_there().empty());
}

TEST_F(Entries, ThatFallDueTogetherAllFire) {
  const Time at = in(-milliseconds(1));
  db.write([&](store::Writer& writer) {
    for (int i = 0; i < 1000; ++i) writer.set_due({DueKind::first_response, std::to_string(i), at});
  });
  start();
  ASSERT_TRUE(eventually([&] { return timetable->stats().fired == 1000; }));
  const Times times = fired();
  EXPECT_EQ(times.size(), 1000U);
  for (const auto& [subject, count] : times) EXPECT_EQ(count, 1) << subject;
}

TEST_F(Entries, WhoseHandlerFailsHoldUpNoOtherAndAreTriedAgainLater) {
  when_due = [this](store::Writer& writer, const Due& due, Time now) {
    if (!due.subject.starts_with("bad")) return;
    writer.insert_event({0, log, now, "fired", "half done", "{}"});
    throw std::runtime_error("a defect");
  };
  const Time before = wall_clock_now();
  for (const std::string subject : {"a", "bad 1", "b", "bad 2", "c"}) set(subject, in(-milliseconds(1)));
  start();
  ASSERT_TRUE(eventually([&] { return fired().size() == 3; }));
  ASSERT_TRUE(eventually([&] { return still_there()["bad 1"] > before && still_there()["bad 2"] > before; }));
  EXPECT_EQ(fired(), (Times{{"a", 1}, {"b", 1}, {"c", 1}})) << "what a failed handler wrote is undone";
  EXPECT_GE(still_there()["bad 1"], before + std::chrono::seconds(59));

  // Put right, it fires when its time comes again.
  {
    const std::scoped_lock lock(mutex);
    when_due = nullptr;
  }
  const Time again = in(Duration(0));
  set("bad 1", again);
  timetable->note(again);
  ASSERT_TRUE(eventually([&] { return fired().contains("bad 1"); }));
}

TEST_F(Entries, FireWhenTheStoreIsBack) {
  set("due", in(-milliseconds(1)));
  auto lock = std::make_unique<TemporaryStore::Lock>(db.directory());
  start();
  ASSERT_TRUE(eventually([&] { return db->stats().unavailable > 0; }));
  EXPECT_EQ(fired(), Times());
  lock.reset();
  ASSERT_TRUE(eventually([&] { return fired().contains("due"); }));
  EXPECT_EQ(fired(), (Times{{"due", 1}}));
}

}  // namespace
}  // namespace triage::clock
