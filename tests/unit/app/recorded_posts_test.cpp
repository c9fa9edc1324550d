// Recorded posts, as `triaged replay` reads them.
#include "app/recorded_posts.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace triage::app {
namespace {

class Recorded : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }

  RecordedPosts open(const std::string& content, const std::string& extension = ".tsv") {
    file_ = std::filesystem::temp_directory_path() / ("triaged-recorded-" + std::to_string(getpid()) + extension);
    std::ofstream(file_, std::ios::binary) << content;
    auto posts = RecordedPosts::open(file_, "p-");
    EXPECT_TRUE(posts) << posts.error().detail;
    return std::move(*posts);
  }
  static nlohmann::json next(RecordedPosts& posts) {
    auto post = posts.next();
    EXPECT_TRUE(post) << post.error().detail;
    return post && *post ? **post : nlohmann::json();
  }

  std::filesystem::path file_;
};

TEST_F(Recorded, TsvRowsBecomePostsWithTheColumnsThatAPostHas) {
  auto posts = open(
      "id\tsector\ttext\tauthor\tfollowers\trating\tplace\n"
      "w1-7\tair\tno \"quotes\" are special\tann\t1200\t2.5\tLHR T5\n"
      "\thotel\tsecond\t\t\t\t\n");
  EXPECT_EQ(next(posts), nlohmann::json::parse(R"({"native_id":"p-w1-7","text":"no \"quotes\" are special",
    "author":{"handle":"ann","followers":1200},"rating":2.5,"geo":{"place":"LHR T5"}})"));
  EXPECT_EQ(next(posts), nlohmann::json::parse(R"({"native_id":"p-2","text":"second"})"));
  EXPECT_TRUE(next(posts).is_null());
}

TEST_F(Recorded, JsonlPostsKeepWhatTheyBring) {
  auto posts = open(
      "{\"native_id\":\"9\",\"text\":\"a\",\"created_at\":\"2026-01-01T00:00:00Z\",\"extra\":1}\n\n"
      "{\"id\":41,\"text\":\"b\"}\n{\"text\":\"c\"}\n",
      ".jsonl");
  EXPECT_EQ(next(posts)["native_id"], "9");
  EXPECT_EQ(next(posts)["native_id"], "p-41");
  EXPECT_EQ(next(posts)["native_id"], "p-3");
  EXPECT_TRUE(next(posts).is_null());
}

TEST_F(Recorded, AFaultNamesItsLineAndReadingGoesOn) {
  auto posts = open("id\ttext\nonly one\n2\tgood\n3\t\xff\n4\tlast\n");
  EXPECT_EQ(posts.next().error().detail, file_.string() + ":2: expected 2 columns as in the header, found 1");
  EXPECT_EQ(next(posts)["native_id"], "p-2");
  EXPECT_EQ(posts.next().error().detail, file_.string() + ":4: expected UTF-8");
  EXPECT_EQ(next(posts)["native_id"], "p-4");
}

TEST_F(Recorded, TheSameFileGivesTheSameIdsAgain) {
  const std::string content = "text\na\nb\n";
  auto once = open(content);
  auto again = open(content);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(next(once)["native_id"], next(again)["native_id"]);
}

TEST_F(Recorded, AFileThatIsNoneIsAClearError) {
  EXPECT_FALSE(RecordedPosts::open("/nowhere/at/all.tsv", ""));
  file_ = std::filesystem::temp_directory_path() / ("triaged-recorded-" + std::to_string(getpid()) + ".tsv");
  std::ofstream(file_) << "a\tb\n";
  const auto posts = RecordedPosts::open(file_, "");
  ASSERT_FALSE(posts);
  EXPECT_NE(posts.error().detail.find(":1: expected a header row with a column \"text\""), std::string::npos);
}

}  // namespace
}  // namespace triage::app
