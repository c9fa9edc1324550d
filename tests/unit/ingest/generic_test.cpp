// The generic source takes our own shape whole or not at all, and says everything that is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Error refused(const std::string& body) {
  Request request;
  request.body = body;
  const auto mapped = bind("generic")->map(request.delivery(), now());
  if (mapped) throw std::runtime_error("was taken: " + body.substr(0, 200));
  return mapped.error();
}

json post(const std::string& id) {
  return {{"native_id", id}, {"text", "t"}};
}

TEST(GenericSource, TakesOnePostAnArrayOrAWrappedArrayAlike) {
  const auto source = bind("generic");
  for (const auto& body : {post("1"), json::array({post("1")}), json{{"posts", json::array({post("1")})}}}) {
    const Mapped mapped = map(*source, body.dump());
    ASSERT_EQ(mapped.events.size(), 1u);
    EXPECT_EQ(mapped.events[0].kind, EventKind::post);
    EXPECT_EQ(mapped.events[0].post.native_id, "1");
    EXPECT_EQ(mapped.events[0].post.source, "generic-test");
    EXPECT_EQ(mapped.ignored, 0);
  }
}

TEST(GenericSource, FillsInWhatThePostDoesNotSay) {
  const Post one = map(*bind("generic"), post("1").dump()).events[0].post;
  EXPECT_EQ(one.platform, "generic");
  EXPECT_EQ(one.created_at, now());
  EXPECT_EQ(one.received_at, now());
  EXPECT_EQ(one.brand_account, "acme");
  json said = post("1");
  said["platform"] = "trustpilot";
  said["created_at"] = "2026-11-20T00:00:00Z";
  said["brand_account"] = "acme-shop";
  const Post other = map(*bind("generic"), said.dump()).events[0].post;
  EXPECT_EQ(other.platform, "trustpilot");
  EXPECT_EQ(format_time(other.created_at), "2026-11-20T00:00:00.000Z");
  EXPECT_EQ(other.brand_account, "acme-shop");
}

TEST(GenericSource, NamesEveryFieldAtFaultByPointer) {
  const Error wrapped = refused(R"({"posts":[{"native_id":"1","text":"good"},{"text":"x"},{"native_id":"3"},7]})");
  EXPECT_EQ(wrapped.code, ErrorCode::unprocessable);
  const std::string said = faults(wrapped);
  EXPECT_THAT(said, HasSubstr("/posts/1/native_id: "));
  EXPECT_THAT(said, HasSubstr("/posts/2/text: "));
  EXPECT_THAT(said, HasSubstr("/posts/3: expected an object"));
  EXPECT_THAT(faults(refused(R"([{"native_id":1,"text":[]}])")), HasSubstr("/0/native_id: expected a string"));
  EXPECT_THAT(faults(refused(R"({"native_id":"1","text":""})")), HasSubstr("/text: "));
}

TEST(GenericSource, TakesAThousandPostsAndNotOneMore) {
  json posts = json::array();
  for (int i = 0; i < 1000; ++i) posts.push_back(post(std::to_string(i)));
  EXPECT_EQ(map(*bind("generic"), posts.dump()).events.size(), 1000u);
  posts.push_back(post("one more"));
  const Error bare = refused(posts.dump());
  EXPECT_EQ(bare.code, ErrorCode::unprocessable);
  EXPECT_EQ(faults(bare), ": expected at most 1000 posts, found 1001\n");
  EXPECT_EQ(faults(refused(json{{"posts", posts}}.dump())), "/posts: expected at most 1000 posts, found 1001\n");
}

TEST(GenericSource, SaysNoMoreThanAHundredFaults) {
  json posts = json::array();
  for (int i = 0; i < 1000; ++i) posts.push_back(json::object());
  EXPECT_EQ(refused(posts.dump()).fields.size(), 100u);
}

TEST(GenericSource, RefusesWhatIsNoPostAtAll) {
  for (const auto* body : {"null", "7", "\"post\"", "true", R"({"posts":{}})", R"({"posts":null})", R"({"posts":7})"}) {
    const Error error = refused(body);
    EXPECT_EQ(error.code, ErrorCode::unprocessable) << body;
    EXPECT_FALSE(error.fields.empty()) << body;
  }
}

TEST(GenericSource, SaysAtWhichByteABodyStopsBeingJson) {
  for (const std::string body : {"", "{", R"({"posts":[})", "{\"text\":\"\xff\"}", "[1,]", "{}x"}) {
    const Error error = refused(body);
    EXPECT_EQ(error.code, ErrorCode::bad_request) << body;
    EXPECT_THAT(error.detail, HasSubstr("byte")) << body;
  }
}

TEST(GenericSource, RefusesNestingThatOnlyAnAttackerWrites) {
  const Error error = refused(std::string(1000, '[') + std::string(1000, ']'));
  EXPECT_EQ(error.code, ErrorCode::bad_request);
  EXPECT_THAT(error.detail, HasSubstr("nested too deep"));
}

TEST(GenericSource, KnowsOurOwnAccountByHandleOrId) {
  const auto source = bind("generic");
  const auto kind_of = [&](const json& author, const std::string& account = "") {
    json body = post("1");
    body["author"] = author;
    if (!account.empty()) body["brand_account"] = account;
    return map(*source, body.dump()).events[0].kind;
  };
  EXPECT_EQ(kind_of({{"handle", "Acme"}}), EventKind::own_post);
  EXPECT_EQ(kind_of({{"native_id", "acme"}}), EventKind::own_post);
  EXPECT_EQ(kind_of({{"handle", "acme-shop"}}, "acme-shop"), EventKind::own_post);
  EXPECT_EQ(kind_of({{"handle", "ann"}}), EventKind::post);
  EXPECT_EQ(kind_of({{"name", "acme"}}), EventKind::post) << "anybody may call themselves so";
}

}  // namespace
}  // namespace triage::ingest::test
