// What was said to be committed is on the disk.
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "unit/store/faulty_disk.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

TEST(Durability, WhatWasSaidToBeCommittedIsThereAfterAKill) {
  for (int round = 0; round < 3; ++round) {
    const TempDir dir;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = open_or_throw(options_in(dir.data()));
      const int last = 150 + 37 * round;
      for (int i = 0;; ++i) {
        store->write([i](Writer& w) { w.insert_post(sample_post(std::to_string(i))); },
                     [i, last, pipe = ends[1]](Committed outcome, const std::string&) {
                       if (outcome != Committed::yes) return;
                       if (::write(pipe, &i, sizeof i) != sizeof i) ::_exit(1);
                       if (i == last) ::raise(SIGKILL);
                     });
      }
    }
    ::close(ends[1]);
    std::vector<int> said;
    for (int i = 0; ::read(ends[0], &i, sizeof i) == sizeof i;) said.push_back(i);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_GE(said.size(), 150U);

    const auto store = open_or_throw(options_in(dir.data()));
    int missing = 0;
    ASSERT_TRUE(look(*store, [&](Reader& r) {
      for (const int i : said) {
        if (!r.find_post("x-main", "x", PostKind::mention, std::to_string(i))) ++missing;
      }
    }));
    EXPECT_EQ(missing, 0);
  }
}

TEST(Durability, ACommitIsSaidOnlyWhenItsLogIsSynced) {
  const TempDir dir;
  FaultyDisk disk;
  const auto store = open_or_throw(options_in(dir.data()));
  for (int i = 0; i < 20; ++i) {
    const int syncs = disk.log_syncs;
    std::promise<bool> unsynced;
    store->write([i](Writer& w) { w.insert_post(sample_post(std::to_string(i))); },
                 [&](Committed, const std::string&) { unsynced.set_value(disk.log_unsynced); });
    EXPECT_FALSE(unsynced.get_future().get());
    EXPECT_GT(disk.log_syncs, syncs);
  }
}

TEST(Durability, AFailedSyncIsNeverAcknowledgedAndServiceResumesByItself) {
  const TempDir dir;
  FaultyDisk disk;
  const auto store = open_or_throw(options_in(dir.data()));
  must_write(*store, [](Writer& w) { w.insert_post(sample_post("before")); });
  disk.sync_error = SQLITE_IOERR_FSYNC;
  const Told told = commit(*store, [](Writer& w) { w.insert_post(sample_post("during")); });
  EXPECT_EQ(told.outcome, Committed::unavailable);
  EXPECT_FALSE(store->healthy());
  EXPECT_NE(store->trouble(), "");
  EXPECT_EQ(error_of(told.outcome, told.detail).code, ErrorCode::unavailable);
  EXPECT_TRUE(error_of(told.outcome, told.detail).retry_after);

  disk.sync_error = 0;
  while (!store->healthy()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  must_write(*store, [](Writer& w) { w.insert_post(sample_post("afterwards")); });
  EXPECT_TRUE(look(*store, [](Reader& r) {
    EXPECT_TRUE(r.find_post("x-main", "x", PostKind::mention, "before"));
    EXPECT_FALSE(r.find_post("x-main", "x", PostKind::mention, "during"));
    EXPECT_TRUE(r.find_post("x-main", "x", PostKind::mention, "afterwards"));
  }));
}

}  // namespace
}  // namespace triage::store::testing
