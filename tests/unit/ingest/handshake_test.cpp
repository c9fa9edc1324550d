// A handshake answers the platform, and nobody who would have us sign something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ingest/encoding.h"
#include "ingest/hmac.h"
#include "support.h"

namespace triage::ingest::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<Answer> ask(const Source& source, Headers query) {
  Request request;
  request.query = std::move(query);
  return source.handshake(request.delivery());
}

Headers subscribe(std::string_view token, std::string challenge) {
  return {{"hub.mode", "subscribe"}, {"hub.verify_token", std::string(token)}, {"hub.challenge", std::move(challenge)}};
}

// What a forger would have signed: bodies, and tokens that are none.
const std::vector<std::string> kNoTokens{"",
                                         "{\"tweet_create_events\":[]}",
                                         "a b",
                                         "a\n",
                                         "a.b",
                                         "a/b",
                                         "a+b=",
                                         "é",
                                         std::string("a\0b", 3),
                                         std::string(129, 'a')};

TEST(CrcHandshake, SignsTheTokenWithTheConsumerSecret) {
  const auto answer = must(ask(*bind("x"), {{"crc_token", "abc_DEF-123"}, {"nonce", "1"}}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  // printf '%s' abc_DEF-123 | openssl dgst -sha256 -hmac SECRET -binary | base64
  EXPECT_EQ(nlohmann::json::parse(answer.body),
            nlohmann::json({{"response_token", "sha256=kQFoDEaGrZ02bfrqcR4HymNZ2ZgWcwW4gsrLLrolkdY="}}));
}

TEST(CrcHandshake, UsesTheNewestSecret) {
  SourceConfig config = config_of("x");
  config.secrets["consumer_secret"] = {"newest", std::string(kConsumerSecret)};
  const auto answer = must(ask(*bind(config), {{"crc_token", "t"}}));
  EXPECT_THAT(answer.body, HasSubstr(to_base64(HmacKey(Hash::sha256, "newest").sign({"t"}).str())));
}

TEST(CrcHandshake, AnswersNothingButATokenOfThePlatformsPattern) {
  const auto source = bind("x");
  for (const auto& bad : kNoTokens) {
    const auto answer = ask(*source, {{"crc_token", bad}});
    ASSERT_FALSE(answer) << bad;
    EXPECT_EQ(answer.error().code, ErrorCode::bad_request);
    EXPECT_THAT(answer.error().detail, HasSubstr("crc_token"));
    if (!bad.empty()) {
      EXPECT_THAT(answer.error().detail, Not(HasSubstr(bad)));
    }
  }
  EXPECT_TRUE(ask(*source, {{"crc_token", std::string(128, 'a')}}));
  const auto missing = ask(*source, {{"CRC_TOKEN", "a"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::bad_request);
  EXPECT_FALSE(source->handshake(Delivery{}));
}

TEST(VerifyTokenHandshake, EchoesTheChallengeToWhoKnowsTheToken) {
  const auto answer = must(ask(*bind("meta"), subscribe(kVerifyToken, "1158201444")));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "1158201444");
}

TEST(VerifyTokenHandshake, RefusesAWrongToken) {
  const auto source = bind("meta");
  const std::string right(kVerifyToken);
  for (const std::string& wrong : {std::string(), right + "x", right.substr(1), std::string(kAppSecret)}) {
    const auto answer = ask(*source, subscribe(wrong, "1"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::forbidden);
    EXPECT_THAT(answer.error().detail, Not(HasSubstr(right)));
  }
}

TEST(VerifyTokenHandshake, TakesEachTokenOfARotation) {
  SourceConfig config = config_of("meta");
  config.secrets["verify_token"] = {"newest", std::string(kVerifyToken)};
  EXPECT_TRUE(ask(*bind(config), subscribe("newest", "1")));
  EXPECT_TRUE(ask(*bind(config), subscribe(kVerifyToken, "1")));
}

TEST(VerifyTokenHandshake, AnswersNothingButAChallengeOfThePlatformsPattern) {
  const auto source = bind("meta");
  for (const auto& bad : kNoTokens) {
    const auto answer = ask(*source, subscribe(kVerifyToken, bad));
    ASSERT_FALSE(answer) << bad;
    EXPECT_EQ(answer.error().code, ErrorCode::bad_request);
  }
}

TEST(VerifyTokenHandshake, NeedsEveryParameter) {
  const auto source = bind("meta");
  for (const std::string name : {"hub.mode", "hub.verify_token", "hub.challenge"}) {
    Headers query = subscribe(kVerifyToken, "1");
    std::erase_if(query, [&](const auto& one) { return one.first == name; });
    const auto answer = ask(*source, query);
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().code, ErrorCode::bad_request);
    EXPECT_THAT(answer.error().detail, HasSubstr(name));
  }
  Headers other = subscribe(kVerifyToken, "1");
  other[0].second = "unsubscribe";
  EXPECT_FALSE(ask(*source, other));
}

std::unique_ptr<Source> with_handshake(const nlohmann::json& handshake) {
  const nlohmann::json file = {{"name", "mini"},
                               {"platform", "mini"},
                               {"secrets", {{"key", nlohmann::json::object()}}},
                               {"signatures", {{{"scheme", "hmac"}, {"secret", "key"}, {"header", "x-mini"}}}},
                               {"handshake", handshake},
                               {"posts", nlohmann::json::object()}};
  SourceConfig config;
  config.name = "mini";
  config.secrets = {{"key", {"a client secret"}}};
  return must(must(parse_source_file("mini", file.dump()))->bind(config));
}

TEST(ChallengeCodeHandshake, AnswersLinkedInsUuidAndItsHexHmac) {
  const auto source =
      with_handshake({{"kind", "hmac_answer"},
                      {"token", "challengeCode"},
                      {"accepts", "uuid"},
                      {"secret", "key"},
                      {"answer",
                       {{"content_type", "application/json"},
                        {"body", R"({"challengeCode": "{token}", "challengeResponse": "{answer}"})"}}}});
  const auto answer = must(ask(*source, {{"challengeCode", "890e4665-4dfe-4ab1-b689-ed553bceeed0"}}));
  EXPECT_EQ(answer.content_type, "application/json");
  // printf '%s' 890e4665-… | openssl dgst -sha256 -hmac 'a client secret'
  EXPECT_EQ(
      nlohmann::json::parse(answer.body),
      nlohmann::json({{"challengeCode", "890e4665-4dfe-4ab1-b689-ed553bceeed0"},
                      {"challengeResponse", "7b2f545362109fc03f3efbc14fbd0e2a364effb26c25b8aaec572d00ed329c6f"}}));
  EXPECT_FALSE(ask(*source, {{"challengeCode", "890e4665"}}));
}

TEST(WebSubHandshake, EchoesTheChallengeForTheTopicThatWeSubscribedTo) {
  const std::string topic = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=CHANNEL_ID";
  const auto source = with_handshake(
      {{"kind", "echo"}, {"token", "hub.challenge"}, {"expect", {{"hub.mode", "subscribe"}, {"hub.topic", topic}}}});
  Headers query{
      {"hub.mode", "subscribe"}, {"hub.topic", topic}, {"hub.challenge", "14590"}, {"hub.lease_seconds", "1"}};
  EXPECT_EQ(must(ask(*source, query)).body, "14590");
  query[1].second = "https://elsewhere.example/feed";
  const auto other = ask(*source, query);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::bad_request);
}

TEST(NoHandshake, IsMethodNotAllowed) {
  const auto answer = ask(*bind("generic"), {{"crc_token", "a"}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::method_not_allowed);
  SourceConfig config = config_of("x");
  config.secrets.clear();
  config.unsigned_ok = true;
  const auto without_secret = ask(*bind(config), {{"crc_token", "a"}});
  ASSERT_FALSE(without_secret) << "an unsigned source has nothing to sign with";
  EXPECT_EQ(without_secret.error().code, ErrorCode::method_not_allowed);
}

}  // namespace
}  // namespace triage::ingest::test
