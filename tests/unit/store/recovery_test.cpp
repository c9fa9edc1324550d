// A disk that is full, failing or read-only: a clear no, and service again by itself when it is back.
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "unit/store/faulty_disk.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

void wait_until_healthy(const Store& store) {
  while (!store.healthy()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

class Recovery : public ::testing::TestWithParam<int> {};

TEST_P(Recovery, WritesAreRefusedWhileTheDiskFailsAndResumeWithoutTraffic) {
  const TempDir dir;
  FaultyDisk disk;
  const auto store = open_or_throw(options_in(dir.data()));
  must_write(*store, [](Writer& w) { w.insert_post(sample_post("before")); });

  disk.write_error = GetParam();
  std::vector<std::future<Told>> told;
  {
    HeldWriter held(*store);
    for (int i = 0; i < 5; ++i) {
      told.push_back(submit(*store, [i](Writer& w) { w.insert_post(sample_post(std::to_string(i))); }));
    }
  }
  for (auto& t : told) EXPECT_EQ(t.get().outcome, Committed::unavailable);
  EXPECT_FALSE(store->healthy());
  EXPECT_EQ(commit(*store, [](Writer& w) { w.insert_post(sample_post("still")); }).outcome, Committed::unavailable);
  // What was committed can be read all the time.
  EXPECT_TRUE(look(*store, [](Reader& r) { EXPECT_TRUE(r.find_post("x-main", "x", PostKind::mention, "before")); }));

  disk.write_error = 0;
  wait_until_healthy(*store);
  EXPECT_EQ(store->trouble(), "");
  must_write(*store, [](Writer& w) { w.insert_post(sample_post("afterwards")); });
  EXPECT_TRUE(look(*store, [](Reader& r) {
    EXPECT_FALSE(r.find_post("x-main", "x", PostKind::mention, "0"));
    EXPECT_TRUE(r.find_post("x-main", "x", PostKind::mention, "afterwards"));
  }));
}

INSTANTIATE_TEST_SUITE_P(Disk, Recovery, ::testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_READONLY));

TEST(Failure, AnotherProcessThatKeepsTheLockIsNotWaitedForWithoutEnd) {
  const TempDir dir;
  const auto store = open_or_throw(options_in(dir.data()));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(dir.database().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(commit(*store, [](Writer& w) { w.insert_post(sample_post("1")); }).outcome, Committed::unavailable);
  EXPECT_FALSE(store->healthy());
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  wait_until_healthy(*store);
  must_write(*store, [](Writer& w) { w.insert_post(sample_post("1")); });
}

TEST(Failure, AWorkThatSwallowsTheFailureIsNotCommitted) {
  const TempDir dir;
  FaultyDisk disk;
  open_or_throw(options_in(dir.data())).reset();
  const auto store = open_or_throw(options_in(dir.data()));  // nothing is in its cache yet
  bool swallowed = false;
  const Told told = commit(*store, [&](Writer& w) {
    disk.read_error = SQLITE_IOERR_READ;
    try {
      w.tokens();
    } catch (const Unavailable&) {
      swallowed = true;
    }
    disk.read_error = 0;
    try {
      w.insert_post(sample_post("1"));
    } catch (const Unavailable&) {
    }
  });
  EXPECT_TRUE(swallowed);
  EXPECT_EQ(told.outcome, Committed::unavailable);
  wait_until_healthy(*store);
  EXPECT_TRUE(look(*store, [](Reader& r) { EXPECT_FALSE(r.find_post("x-main", "x", PostKind::mention, "1")); }));
}

// The story of a full disk on a real one: a tmpfs of 3 MB that is filled and then freed. 0: all went well.
int full_tmpfs(const std::filesystem::path& directory) {
  if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=3m") != 0) return 77;
  auto store = open_or_throw(options_in(directory / "data"));
  const auto ballast = directory / "ballast";
  {
    std::ofstream out(ballast);
    out << std::string(1'200'000, 'x');
  }
  int committed = 0;
  Told told;
  do {
    told = commit(*store, [&](Writer& w) {
      auto post = sample_post(std::to_string(committed));
      post.post.text.assign(20'000, 't');
      w.insert_post(post);
    });
    if (told.outcome == Committed::yes) ++committed;
  } while (told.outcome == Committed::yes && committed < 1000);
  if (told.outcome != Committed::unavailable || store->healthy()) return 1;
  std::this_thread::sleep_for(std::chrono::milliseconds(150));  // some probes find the disk still full
  if (store->healthy()) return 2;
  std::filesystem::remove(ballast);
  for (int i = 0; i < 1000 && !store->healthy(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (!store->healthy()) return 3;
  for (int i = 0; i < 5; ++i) {
    told = commit(*store, [&](Writer& w) { w.insert_post(sample_post("after-" + std::to_string(i))); });
    if (told.outcome != Committed::yes) return 4;
  }
  store.reset();
  store = open_or_throw(options_in(directory / "data"));
  bool all = true;
  look(*store, [&](Reader& r) {
    for (int i = 0; i < committed; ++i) {
      all = all && r.find_post("x-main", "x", PostKind::mention, std::to_string(i)).has_value();
    }
    all = all && r.find_post("x-main", "x", PostKind::mention, "after-4").has_value();
  });
  return all ? 0 : 5;
}

TEST(FullDisk, ServiceResumesByItselfWhenThereIsSpaceAgain) {
  const TempDir dir;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool root = ::geteuid() == 0;
    if (::unshare(root ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) ::_exit(77);
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    try {
      ::_exit(full_tmpfs(dir.path()));
    } catch (const std::exception&) {
      ::_exit(9);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting a tmpfs of its own is not permitted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace triage::store::testing
