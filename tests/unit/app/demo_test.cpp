// What the demo plays and prints: the sample posts, their bodies, and the line that stands for a callback.
#include <gtest/gtest.h>

#include <set>

#include "app/demo_posts.h"
#include "app/demo_receiver.h"
#include "app/embedded.h"
#include "triage/app/config.h"

namespace triage::app {
namespace {

std::vector<DemoPost> sample() {
  auto posts = parse_demo_posts(demo_posts_jsonl());
  EXPECT_TRUE(posts) << posts.error().detail;
  return posts ? *posts : std::vector<DemoPost>();
}

TEST(DemoPosts, AreAFewHundredValidPostsInTheOrderOfTheDay) {
  const auto posts = sample();
  EXPECT_GE(posts.size(), 320U);
  for (std::size_t i = 1; i < posts.size(); ++i) EXPECT_LE(posts[i - 1].at, posts[i].at);
}

TEST(DemoPosts, AreNoTwoAlikeAndReferToEachOther) {
  std::set<std::string> texts, ids;
  for (const auto& post : sample()) {
    EXPECT_TRUE(texts.insert(post.post["text"].get<std::string>()).second) << post.post["text"];
    EXPECT_TRUE(ids.insert(post.post["native_id"].get<std::string>()).second) << post.post["native_id"];
    if (post.post.contains("in_reply_to")) {
      EXPECT_TRUE(ids.contains(post.post["in_reply_to"].get<std::string>())) << post.post["native_id"];
    }
  }
}

TEST(DemoPosts, GoToSourcesThatTheSampleConfigurationHas) {
  const std::string key = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::string text = demo_config(demo_config_json(), "http://127.0.0.1:1", key, key);
  const auto loaded = parse_config(text, "demo/triaged.json", {});
  ASSERT_TRUE(loaded) << to_string(loaded.error().front());
  for (const auto& warning : loaded->warnings) {
    // The address is known only once the demo listens, and its secrets live as long as it does.
    const bool expected = warning.pointer == "/public_url" || warning.message.find("secret") != std::string::npos;
    EXPECT_TRUE(expected) << to_string(warning);
  }
  std::set<std::string> sources;
  for (const auto& source : loaded->config.sources) sources.insert(source.name);
  for (const auto& post : sample()) EXPECT_TRUE(sources.contains(post.source)) << post.source;
}

TEST(DemoPosts, AreNewInEachRoundAndStillBelongTogether) {
  const auto posts = parse_demo_posts(
      R"({"at":"05:00:00","source":"acme","native_id":"1","text":"a","author":{"native_id":"p"}}
{"at":"05:01:00","source":"acme","native_id":"2","text":"b","in_reply_to":"1","author":{"native_id":"acme"},"age":"2h"})");
  ASSERT_TRUE(posts) << posts.error().detail;
  const Time now = from_millis(1'700'000'000'000);
  const auto first = nlohmann::json::parse(demo_body((*posts)[0], "7", now));
  const auto second = nlohmann::json::parse(demo_body((*posts)[1], "7", now));
  EXPECT_EQ(first["native_id"], "1.7");
  EXPECT_EQ(first["author"]["native_id"], "p.7");
  EXPECT_EQ(first["created_at"], format_time(now));
  EXPECT_EQ(second["in_reply_to"], first["native_id"]);
  EXPECT_EQ(second["author"]["native_id"], "acme");  // the brand stays the brand
  EXPECT_EQ(second["created_at"], format_time(now - std::chrono::hours(2)));
}

TEST(DemoPosts, NameTheLineThatIsAtFault) {
  const auto posts =
      parse_demo_posts("{\"at\":\"05:00:00\",\"source\":\"a\",\"native_id\":\"1\",\"text\":\"a\"}\n{\"at\":1}");
  ASSERT_FALSE(posts);
  EXPECT_EQ(posts.error().detail, "line 2: at: expected a string");
}

TEST(CallbackLine, SaysWhoIsCalledForWhatAndWhereToAnswer) {
  const std::string body = R"({"type":"escalation.raised","timestamp":"2026-11-22T09:30:00.000Z","data":{
    "escalation":{"id":"e","state":"open","ack_url":"http://h/ack"},
    "case":{"priority":"critical","urgency":90.7,"topic":"queue","site":"port-ansel-t2"},
    "posts":[{"text":"first"},{"text":"still\nstuck"}],"incident":null,"site":null}})";
  EXPECT_EQ(callback_line("airport-ops", body),
            "airport-ops  ← escalation.raised  critical 91  queue  port-ansel-t2  \"still stuck\"  ack: http://h/ack");
}

TEST(CallbackLine, CutsLongTextBetweenCharactersAndSaysWhenItWasWithheld) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "é";
  const auto body = [](const nlohmann::json& post) {
    return nlohmann::json{{"type", "escalation.raised"}, {"data", {{"posts", {post}}}}}.dump();
  };
  const std::string line = callback_line("ops", body({{"text", text}}));
  EXPECT_NE(line.find("é…\""), std::string::npos) << line;
  EXPECT_NO_THROW(static_cast<void>(nlohmann::json(line).dump())) << "not UTF-8";
  EXPECT_NE(callback_line("ops", body({{"text", nullptr}})).find("(direct message, text withheld)"), std::string::npos);
}

TEST(CallbackLine, SurvivesWhatIsNoCallback) {
  for (const char* body : {"", "[]", "7", "{\"data\":7}", "{\"type\":1,\"data\":{\"case\":[],\"posts\":{}}}"}) {
    EXPECT_EQ(callback_line("ops", body).find("ops  ←"), 0U) << body;
  }
}

}  // namespace
}  // namespace triage::app
