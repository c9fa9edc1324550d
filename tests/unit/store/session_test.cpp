// Commands beside a running server: tokens, backup, restore.
#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "store/sqlite.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

TokenRecord sample_token(const std::string& name) {
  TokenRecord token;
  token.id = TokenId::make(kNow);
  token.name = name;
  token.role = Role::ops;
  token.team = "airport-ops";
  token.hash = std::string(64, 'a');
  token.created_at = kNow;
  return token;
}

std::unique_ptr<Session> session_in(const std::filesystem::path& directory, bool create = false) {
  auto opened = open_session(directory, create);
  if (!opened) throw std::runtime_error(opened.error().detail);
  return std::move(*opened);
}

class SessionTest : public StoreTest {};

TEST_F(SessionTest, ATokenMadeBesideTheServerIsThereAtOnceAndCanBeRevoked) {
  const auto session = session_in(dir_.data());
  const auto token = sample_token("Ann");
  ASSERT_TRUE(session->write([&](Writer& w) { w.insert_token(token); }));
  auto seen = ask([](Reader& r) { return r.tokens(); });
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].id, token.id);
  EXPECT_EQ(seen[0].name, "Ann");
  EXPECT_EQ(seen[0].role, Role::ops);
  EXPECT_EQ(seen[0].team, "airport-ops");
  EXPECT_EQ(seen[0].hash, token.hash);
  EXPECT_FALSE(seen[0].revoked_at);

  must_write(*store_, [&](Writer& w) { w.touch_token(token.id, after(std::chrono::seconds(5))); });
  bool first = false, second = true;
  ASSERT_TRUE(session->write([&](Writer& w) { first = w.revoke_token(token.id, after(std::chrono::seconds(9))); }));
  ASSERT_TRUE(session->write([&](Writer& w) { second = w.revoke_token(token.id, kNow); }));
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  seen = ask([](Reader& r) { return r.tokens(); });
  EXPECT_EQ(seen[0].revoked_at, after(std::chrono::seconds(9)));
  EXPECT_EQ(seen[0].last_used_at, after(std::chrono::seconds(5)));
}

TEST_F(SessionTest, ACommandGetsItsTurnWhileTheServerWritesWithoutPause) {
  std::atomic<bool> stop{false};
  std::thread load([&] {
    int i = 0;
    std::vector<std::future<Told>> told;
    while (!stop) {
      for (int k = 0; k < 64; ++k, ++i) {
        told.push_back(submit(*store_, [i](Writer& w) { w.insert_post(sample_post(std::to_string(i))); }));
      }
      told.front().wait();
      told.erase(told.begin(), told.begin() + 64);
      for (int k = 0; k < 64; ++k, ++i) {
        told.push_back(submit(*store_, [i](Writer& w) { w.insert_post(sample_post(std::to_string(i))); }));
      }
    }
    for (auto& t : told) EXPECT_EQ(t.get().outcome, Committed::yes);
  });
  const auto session = session_in(dir_.data());
  for (int i = 0; i < 5; ++i) {
    const auto done = session->write([&](Writer& w) { w.insert_token(sample_token(std::to_string(i))); });
    EXPECT_TRUE(done) << done.error().detail;
  }
  stop = true;
  load.join();
  EXPECT_EQ(ask([](Reader& r) { return r.tokens(); }).size(), 5U);
}

TEST_F(SessionTest, ASessionThatThrowsLeavesNothing) {
  const auto session = session_in(dir_.data());
  const auto done = session->write([&](Writer& w) {
    w.insert_token(sample_token("Ann"));
    throw std::runtime_error("no");
  });
  EXPECT_EQ(done.error().detail, "no");
  EXPECT_TRUE(ask([](Reader& r) { return r.tokens(); }).empty());
}

TEST(Session, ADirectoryWithoutADatabaseIsRefusedUnlessOneIsToBeMade) {
  const TempDir dir;
  const auto missing = open_session(dir.data(), false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(dir.data()));
  ASSERT_TRUE(session_in(dir.data(), true)->write([](Writer& w) { w.insert_token(sample_token("Ann")); }));
  const auto store = open_or_throw(options_in(dir.data()));
  EXPECT_TRUE(look(*store, [](Reader& r) { EXPECT_EQ(r.tokens().size(), 1U); }));
}

class BackupTest : public StoreTest {
 protected:
  std::filesystem::path file_ = dir_.path() / "copy.db";
};

TEST_F(BackupTest, ABackupTakenUnderWritesIsWholeAndIsTheStateOfOneCommit) {
  std::atomic<bool> stop{false};
  std::atomic<int> committed{0};
  std::thread load([&] {
    for (int i = 0; !stop; ++i) {
      // Both or neither: a post and its case.
      must_write(*store_, [i](Writer& w) {
        CaseRecord c = sample_case();
        auto post = sample_post(std::to_string(i));
        post.case_id = c.id;
        w.insert_case(c);
        w.insert_post(post);
      });
      committed = i + 1;
    }
  });
  while (committed < 20) std::this_thread::yield();
  const int before = committed;
  const auto done = session_in(dir_.data())->backup(file_);
  const int afterwards = committed;
  stop = true;
  load.join();
  ASSERT_TRUE(done) << done.error().detail;

  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  Connection::Settings settings;
  settings.read_only = true;
  Connection copy(file_, settings);
  EXPECT_EQ(copy.text("PRAGMA integrity_check"), "ok");
  const auto posts = copy.integer("SELECT count(*) FROM posts");
  EXPECT_EQ(posts, copy.integer("SELECT count(*) FROM cases"));
  EXPECT_GE(posts, before);
  EXPECT_LE(posts, afterwards + 1);
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    EXPECT_EQ(entry.path().string().find("partial"), std::string::npos) << entry.path();
  }
}

TEST_F(BackupTest, ABackupOverwritesNothing) {
  std::ofstream(file_) << "precious";
  const auto done = session_in(dir_.data())->backup(file_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  std::string content;
  std::ifstream(file_) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(BackupTest, ABackupWhereItCannotBeWrittenLeavesNothing) {
  const auto done = session_in(dir_.data())->backup(dir_.path() / "missing" / "copy.db");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().detail.find("missing"), std::string::npos);
}

class RestoreTest : public BackupTest {
 protected:
  DeliveryRecord waiting_ = sample_delivery("airport-ops");
  PostRecord post_ = sample_post("1");
  std::filesystem::path target_ = dir_.path() / "restored";

  void SetUp() override {
    must_write(*store_, [this](Writer& w) {
      w.insert_post(post_);
      w.insert_delivery(waiting_);
      auto dead = sample_delivery("airport-ops");
      dead.state = DeliveryState::dead;
      w.insert_delivery(dead);
    });
    ASSERT_TRUE(session_in(dir_.data())->backup(file_));
  }
  DeliveryState restored_state() {
    const auto store = open_or_throw(options_in(target_));
    auto state = DeliveryState::cancelled;
    look(*store, [&](Reader& r) {
      EXPECT_EQ(r.post(post_.post.id)->post.text, post_.post.text);
      state = r.delivery(waiting_.id)->state;
      EXPECT_EQ(r.deliveries(DeliveryState::dead, std::nullopt, {}).size(), 1U);
    });
    return state;
  }
};

TEST_F(RestoreTest, ARestoredDatabaseHoldsItsDeliveries) {
  const auto done = restore(file_, target_, false);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(restored_state(), DeliveryState::held);
}

TEST_F(RestoreTest, DeliveriesAreReleasedWhenThatIsAskedFor) {
  ASSERT_TRUE(restore(file_, target_, true));
  EXPECT_EQ(restored_state(), DeliveryState::waiting);
}

TEST_F(RestoreTest, ADirectoryWithADatabaseIsLeftAsItIs) {
  store_.reset();
  const auto done = restore(file_, dir_.data(), false);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::conflict);
  store_ = open_or_throw(options_in(dir_.data()));
  EXPECT_EQ(ask([&](Reader& r) { return r.delivery(waiting_.id); })->state, DeliveryState::waiting);
}

TEST_F(RestoreTest, ADirectoryUnderARunningServerIsRefused) {
  const auto done = restore(file_, dir_.data(), false);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().detail.find("server"), std::string::npos);
}

TEST_F(RestoreTest, WhatIsNoWholeBackupIsRefusedAndNothingIsMade) {
  const auto refused = [&](const std::filesystem::path& file, const std::string& why) {
    const auto done = restore(file, target_, false);
    ASSERT_FALSE(done) << why;
    EXPECT_NE(done.error().detail.find(why), std::string::npos) << done.error().detail;
    EXPECT_FALSE(std::filesystem::exists(target_ / "triaged.db"));
  };
  refused(dir_.path() / "nowhere.db", "is not there");

  const auto other = dir_.path() / "other.db";
  {
    Connection::Settings settings;
    settings.create = true;
    Connection(other, settings).exec("CREATE TABLE recipes (name TEXT)");
  }
  refused(other, "not a backup of triaged");

  const auto newer = dir_.path() / "newer.db";
  std::filesystem::copy_file(file_, newer);
  Connection(newer, {}).exec("PRAGMA user_version = 99");
  refused(newer, "newer version");

  const auto cut = dir_.path() / "cut.db";
  std::filesystem::copy_file(file_, cut);
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  refused(cut, "");

  const auto bent = dir_.path() / "bent.db";
  std::filesystem::copy_file(file_, bent);
  {
    // A page in the middle is overwritten, as a bad disk would.
    std::fstream out(bent, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(4096 * 5);
    out << std::string(4096, '\x5a');
  }
  refused(bent, "");
}

}  // namespace
}  // namespace triage::store::testing
