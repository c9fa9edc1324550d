#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "triage/model/json.h"

namespace triage {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

json full_post() {
  return json::parse(R"({
    "native_id": "1803", "platform": "x", "kind": "mention", "text": "stuck", "created_at": "2026-11-22T09:30:00.000Z",
    "author": {"native_id": "77", "handle": "ann", "name": "Ann", "followers": 1200, "verified": false},
    "url": "https://x.com/1803", "language": "en", "in_reply_to": "1802", "conversation_id": "1800",
    "geo": {"lat": 51.47, "lon": -0.45, "place": "LHR T5"}, "media": [{"type": "photo", "url": "https://x.com/p"}],
    "rating": 2.0, "brand_account": "acme"})");
}

std::vector<std::string> at_fault(const json& in, const std::string& at = "") {
  const auto post = post_from_json(in, at);
  std::vector<std::string> pointers;
  if (post) return pointers;
  EXPECT_EQ(post.error().code, ErrorCode::unprocessable);
  for (const FieldError& field : post.error().fields) {
    EXPECT_NE(field.detail, "");
    pointers.push_back(field.pointer);
  }
  EXPECT_FALSE(pointers.empty());
  return pointers;
}

std::vector<std::string> at_fault_with(const char* key, json value) {
  json in = full_post();
  in[key] = std::move(value);
  return at_fault(in);
}

TEST(PostFromJson, ReadsEveryFieldAndIsWrittenTheSame) {
  const auto post = post_from_json(full_post(), "");
  ASSERT_TRUE(post);
  EXPECT_EQ(post->author->followers, 1200);
  EXPECT_EQ(post->geo->lon, -0.45);
  EXPECT_EQ(post->kind, PostKind::mention);
  EXPECT_EQ(json(*post), full_post());
}

TEST(PostFromJson, OnlyIdAndTextAreRequired) {
  const auto post = post_from_json({{"native_id", "1"}, {"text", "hi"}, {"surprise", {1, 2}}}, "");
  ASSERT_TRUE(post);
  EXPECT_EQ(post->kind, PostKind::post);
  EXPECT_EQ(post->created_at, Time());
  EXPECT_EQ(post->platform, "");
  EXPECT_EQ(json(*post).dump(), R"({"kind":"post","native_id":"1","text":"hi"})");
}

TEST(PostFromJson, NullIsAsGoodAsAbsent) {
  json in = full_post();
  for (auto& [key, value] : in.items()) {
    if (key != "native_id" && key != "text") value = nullptr;
  }
  EXPECT_THAT(at_fault(in), IsEmpty());
  EXPECT_THAT(at_fault({{"native_id", nullptr}, {"text", nullptr}}), ElementsAre("/native_id", "/text"));
}

TEST(PostFromJson, TextMayBeEmptyOnlyBesideMediaOrARating) {
  EXPECT_THAT(at_fault({{"native_id", "1"}, {"text", ""}}), ElementsAre("/text"));
  EXPECT_THAT(at_fault({{"native_id", "1"}, {"text", ""}, {"media", json::array()}}), ElementsAre("/text"));
  EXPECT_THAT(at_fault({{"native_id", "1"}, {"text", ""}, {"rating", 1}}), IsEmpty());
  EXPECT_THAT(at_fault({{"native_id", "1"}, {"text", ""}, {"media", {{{"type", "photo"}}}}}), IsEmpty());
}

TEST(PostFromJson, NamesEveryFieldAtFaultBelowItsPlace) {
  const json in = json::parse(R"({
    "native_id": 1803, "platform": "X!", "kind": "tweet", "text": ["a"], "created_at": "yesterday",
    "author": {"native_id": 77, "followers": -1, "verified": "yes"}, "url": 1, "language": false,
    "in_reply_to": 1, "conversation_id": {}, "geo": {"lat": 91, "lon": "west"},
    "media": [{"type": "photo"}, 7, {"url": "u"}], "rating": 6, "brand_account": 1, "revision": 1.5})");
  EXPECT_THAT(at_fault(in, "/posts/3"),
              testing::UnorderedElementsAre(
                  "/posts/3/native_id", "/posts/3/platform", "/posts/3/kind", "/posts/3/text", "/posts/3/created_at",
                  "/posts/3/author/native_id", "/posts/3/author/followers", "/posts/3/author/verified", "/posts/3/url",
                  "/posts/3/language", "/posts/3/in_reply_to", "/posts/3/conversation_id", "/posts/3/geo/lat",
                  "/posts/3/geo/lon", "/posts/3/media/1", "/posts/3/media/2/type", "/posts/3/rating",
                  "/posts/3/brand_account", "/posts/3/revision"));
}

TEST(PostFromJson, IsAnObject) {
  EXPECT_THAT(at_fault("text", "/posts/0"), ElementsAre("/posts/0"));
  EXPECT_THAT(at_fault(json::array()), ElementsAre(""));
}

TEST(PostFromJson, SaysWhatWasFoundAndExpected) {
  const auto post = post_from_json({{"native_id", 7}, {"text", "hi"}}, "/posts/0");
  ASSERT_FALSE(post);
  EXPECT_EQ(post.error().fields.at(0).detail, "expected a string, found number");
}

TEST(PostFromJson, HoldsItsLimits) {
  EXPECT_THAT(at_fault_with("native_id", std::string(256, 'a')), IsEmpty());
  EXPECT_THAT(at_fault_with("native_id", std::string(257, 'a')), ElementsAre("/native_id"));
  EXPECT_THAT(at_fault_with("native_id", ""), ElementsAre("/native_id"));
  EXPECT_THAT(at_fault_with("text", std::string(64 * 1024, 'a')), IsEmpty());
  EXPECT_THAT(at_fault_with("text", std::string(64 * 1024 + 1, 'a')), ElementsAre("/text"));
  EXPECT_THAT(at_fault_with("url", std::string(8 * 1024 + 1, 'a')), ElementsAre("/url"));
  EXPECT_THAT(at_fault_with("media", json(std::vector<json>(64, {{"type", "photo"}}))), IsEmpty());
  EXPECT_THAT(at_fault_with("media", json(std::vector<json>(65, {{"type", "photo"}}))), ElementsAre("/media"));
  EXPECT_THAT(at_fault_with("rating", 0.5), ElementsAre("/rating"));
  EXPECT_THAT(at_fault_with("rating", 5), IsEmpty());
  EXPECT_THAT(at_fault_with("platform", "google_play-2"), IsEmpty());
  EXPECT_THAT(at_fault_with("platform", ""), ElementsAre("/platform"));
  EXPECT_THAT(at_fault_with("author", {{"followers", 1e300}}), ElementsAre("/author/followers"));
  EXPECT_THAT(at_fault_with("author", {{"followers", 0}}), IsEmpty());
}

TEST(PostFromJson, RefusesNulCharacters) {
  using namespace std::string_literals;
  EXPECT_THAT(at_fault_with("text", "a\0b"s), ElementsAre("/text"));
  EXPECT_THAT(at_fault_with("native_id", "\0"s), ElementsAre("/native_id"));
  EXPECT_THAT(at_fault_with("author", {{"name", "\0"s}}), ElementsAre("/author/name"));
}

TEST(PostFromJson, LatAndLonComeTogether) {
  EXPECT_THAT(at_fault_with("geo", {{"lat", 1}}), ElementsAre("/geo/lon"));
  EXPECT_THAT(at_fault_with("geo", {{"lon", 1}}), ElementsAre("/geo/lat"));
  EXPECT_THAT(at_fault_with("geo", {{"lat", -90}, {"lon", 180}}), IsEmpty());
  EXPECT_THAT(at_fault_with("geo", {{"lat", -90.01}, {"lon", 180.01}}), ElementsAre("/geo/lat", "/geo/lon"));
}

TEST(PostFromJson, AHandleIsKeptWithoutItsAtSign) {
  EXPECT_EQ(post_from_json({{"native_id", "1"}, {"text", "x"}, {"author", {{"handle", "@ann"}}}}, "")->author->handle,
            "ann");
}

TEST(Result, ReadingAValueThatIsNotThereSaysWhatTheErrorWas) {
  const auto post = post_from_json(1, "");
  EXPECT_THROW(
      {
        try {
          post.value();
        } catch (const std::logic_error& error) {
          EXPECT_NE(std::string(error.what()).find("a post is not an object"), std::string::npos);
          throw;
        }
      },
      std::logic_error);
}

}  // namespace
}  // namespace triage
