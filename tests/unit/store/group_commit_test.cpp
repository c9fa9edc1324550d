// One writer: works share commits, and a failure is its own only.
#include <thread>

#include "store/sqlite.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

class GroupCommitTest : public StoreTest {
 protected:
  bool has(const std::string& native_id) {
    return ask([&](Reader& r) { return r.find_post("x-main", "x", PostKind::mention, native_id); }).has_value();
  }
};

TEST_F(GroupCommitTest, WorksThatWaitShareOneCommitInTheOrderOfSubmission) {
  std::vector<std::future<Told>> told;
  std::vector<int> order;
  std::uint64_t before = 0;
  {
    HeldWriter held(*store_);
    before = store_->stats().commits;
    for (int i = 0; i < 50; ++i) {
      told.push_back(submit(*store_, [i, &order](Writer& w) {
        order.push_back(i);
        w.insert_post(sample_post(std::to_string(i)));
      }));
    }
    EXPECT_EQ(store_->stats().queued, 50U);
  }
  for (auto& t : told) EXPECT_EQ(t.get().outcome, Committed::yes);
  EXPECT_EQ(store_->stats().commits, before + 2);  // the held one, and all the others
  ASSERT_EQ(order.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_F(GroupCommitTest, AWorkThatThrowsUndoesOnlyItself) {
  std::vector<std::future<Told>> told;
  {
    HeldWriter held(*store_);
    for (int i = 0; i < 9; ++i) {
      told.push_back(submit(*store_, [i](Writer& w) {
        w.insert_post(sample_post(std::to_string(i)));
        if (i == 4) throw std::runtime_error("the fourth is bad");
      }));
    }
  }
  for (std::size_t i = 0; i < told.size(); ++i) {
    const Told t = told[i].get();
    EXPECT_EQ(t.outcome, i == 4 ? Committed::failed : Committed::yes);
    EXPECT_EQ(t.detail, i == 4 ? "the fourth is bad" : "");
    EXPECT_EQ(has(std::to_string(i)), i != 4);
  }
  EXPECT_TRUE(store_->healthy());
  EXPECT_EQ(store_->stats().failed, 1U);
}

TEST_F(GroupCommitTest, ALoneWorkThatThrowsLeavesNothing) {
  const Told told = commit(*store_, [](Writer& w) {
    w.insert_post(sample_post("1"));
    throw 7;
  });
  EXPECT_EQ(told.outcome, Committed::failed);
  EXPECT_FALSE(has("1"));
  must_write(*store_, [](Writer& w) { w.insert_post(sample_post("1")); });
  EXPECT_TRUE(has("1"));
}

TEST_F(GroupCommitTest, AStatementThatFailsInTheMiddleIsReadyForTheNextWork) {
  // Twice the same native id breaks the unique index in the middle of insert_post.
  const auto twice = [](Writer& w) {
    w.insert_post(sample_post("same"));
    w.insert_post(sample_post("same"));
  };
  EXPECT_EQ(commit(*store_, twice).outcome, Committed::failed);
  must_write(*store_, [](Writer& w) { w.insert_post(sample_post("same")); });
}

TEST_F(GroupCommitTest, AFailedWorkLeavesNoTraceInTheFigures) {
  std::future<Told> bad, good;
  {
    HeldWriter held(*store_);
    bad = submit(*store_, [](Writer& w) {
      w.insert_post(sample_post("bad", after(std::chrono::hours(1))));
      throw std::runtime_error("bad");
    });
    good = submit(*store_, [](Writer& w) { w.insert_post(sample_post("good")); });
  }
  EXPECT_EQ(good.get().outcome, Committed::yes);
  const auto figures = ask([](Reader& r) { return r.figures(); });
  ASSERT_EQ(figures.newest_post_by_source.size(), 1U);
  EXPECT_EQ(figures.newest_post_by_source[0].second, kNow);
}

TEST_F(GroupCommitTest, AFullQueueAnswersOverloadedAtOnce) {
  store_.reset();
  Options options = options_in(dir_.data());
  options.queue_depth = 3;
  store_ = open_or_throw(options);
  std::vector<std::future<Told>> told;
  {
    HeldWriter held(*store_);
    for (int i = 0; i < 5; ++i) told.push_back(submit(*store_, [](Writer&) {}));
    // The writer is held, so only an answer without it can be there.
    EXPECT_EQ(told[3].get().outcome, Committed::overloaded);
    EXPECT_EQ(told[4].get().outcome, Committed::overloaded);
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(told[i].get().outcome, Committed::yes);
  EXPECT_EQ(store_->stats().overloaded, 2U);
}

TEST_F(GroupCommitTest, ABatchIsNotLargerThanItsLimit) {
  store_.reset();
  Options options = options_in(dir_.data());
  options.batch = 4;
  store_ = open_or_throw(options);
  std::vector<std::future<Told>> told;
  std::uint64_t before = 0;
  {
    HeldWriter held(*store_);
    before = store_->stats().commits;
    for (int i = 0; i < 8; ++i) told.push_back(submit(*store_, [](Writer&) {}));
  }
  for (auto& t : told) EXPECT_EQ(t.get().outcome, Committed::yes);
  EXPECT_EQ(store_->stats().commits, before + 3);
}

TEST_F(GroupCommitTest, TheEndFinishesWhatWasSubmitted) {
  std::vector<std::future<Told>> told;
  {
    HeldWriter held(*store_);
    for (int i = 0; i < 20; ++i) {
      told.push_back(submit(*store_, [i](Writer& w) { w.insert_post(sample_post(std::to_string(i))); }));
    }
    held.release();
    store_.reset();
  }
  for (auto& t : told) EXPECT_EQ(t.get().outcome, Committed::yes);
  store_ = open_or_throw(options_in(dir_.data()));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(has(std::to_string(i)));
}

TEST_F(GroupCommitTest, WorksOfManyThreadsAllCommitOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> yes{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto told = commit(
            *store_, [&](Writer& w) { w.insert_post(sample_post(std::to_string(t) + "-" + std::to_string(i))); });
        if (told.outcome == Committed::yes) ++yes;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(yes, 200);
  for (int t = 0; t < 4; ++t) EXPECT_TRUE(has(std::to_string(t) + "-49"));
}

TEST_F(GroupCommitTest, AReadSeesAllThatWasCommittedBeforeItAndNothingAfter) {
  must_write(*store_, [](Writer& w) { w.insert_post(sample_post("first")); });
  EXPECT_TRUE(look(*store_, [&](Reader& r) {
    EXPECT_TRUE(r.find_post("x-main", "x", PostKind::mention, "first"));
    must_write(*store_, [](Writer& w) { w.insert_post(sample_post("second")); });
    EXPECT_FALSE(r.find_post("x-main", "x", PostKind::mention, "second"));
  }));
  EXPECT_TRUE(has("second"));
}

TEST_F(GroupCommitTest, AReadThatThrowsIsToldAndTheReaderGoesOn) {
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(look(*store_, [](Reader&) { throw std::runtime_error("bad read"); }));
  EXPECT_TRUE(look(*store_, [](Reader& r) { r.figures(); }));
}

TEST_F(GroupCommitTest, TheLogStaysBoundedWhileReadersReadWithoutPause) {
  store_.reset();
  Options options = options_in(dir_.data());
  options.wal_pages = 64;
  store_ = open_or_throw(options);
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        look(*store_, [](Reader& r) {
          r.figures();
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          r.find_post("x-main", "x", PostKind::mention, "1");
        });
      }
    });
  }
  std::uintmax_t largest = 0;
  std::vector<CaseId> cases;
  for (int i = 0; i < 400; ++i) {
    // Scattered over the pages: what was read from the wrong place would show.
    must_write(*store_, [&](Writer& w) {
      w.insert_post(sample_post(std::to_string(i * 7919 % 1000)));
      if (cases.size() < 100) {
        const CaseRecord fresh = sample_case();
        w.insert_case(fresh);
        cases.push_back(fresh.id);
      }
      auto c = *w.find_case(cases[static_cast<std::size_t>(i * 31) % cases.size()]);
      c.urgency = i;
      w.update_case(c);
    });
    largest = std::max(largest, std::filesystem::file_size(dir_.database().string() + "-wal"));
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  // 400 commits log about 5,000 pages.
  EXPECT_LT(largest, 1000U * 4120U);
  store_.reset();
  EXPECT_EQ(Connection(dir_.database(), {}).text("PRAGMA integrity_check"), "ok");
}

TEST_F(GroupCommitTest, EverySnapshotIsOneCommitsStateWhileTheLogIsWrittenBackUnderIt) {
  store_.reset();
  Options options = options_in(dir_.data());
  options.wal_pages = 48;
  store_ = open_or_throw(options);
  constexpr std::size_t kCases = 400;
  std::vector<CaseId> cases;
  must_write(*store_, [&](Writer& w) {
    cases.clear();
    for (std::size_t i = 0; i < kCases; ++i) {
      const CaseRecord c = sample_case();
      w.insert_case(c);
      cases.push_back(c.id);
    }
  });
  // Every work takes from one case what it gives to another, so that the sum over all is always zero.
  std::atomic<bool> stop{false};
  std::atomic<int> snapshots{0}, wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        int sum = 0;
        const bool ok = look(*store_, [&](Reader& r) {
          sum = 0;
          for (const CaseId& id : cases) sum += r.find_case(id)->reopened;
        });
        ++snapshots;
        if (!ok || sum != 0) ++wrong;
      }
    });
  }
  std::vector<std::future<Told>> told;
  for (std::size_t i = 0; i < 1500; ++i) {
    told.push_back(submit(*store_, [&cases, i](Writer& w) {
      auto from = *w.find_case(cases[i * 7919 % kCases]);
      --from.reopened;
      w.update_case(from);
      auto to = *w.find_case(cases[(i * 104729 + 1) % kCases]);
      ++to.reopened;
      w.update_case(to);
    }));
    if (i % 8 == 7) told[i].wait();
  }
  for (auto& t : told) EXPECT_EQ(t.get().outcome, Committed::yes);
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(snapshots, 0);
  store_.reset();
  EXPECT_EQ(Connection(dir_.database(), {}).text("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace triage::store::testing
