// The ways in which platforms sign: that each accepts what its platform documents, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Secrets = std::map<std::string, std::vector<std::string>>;

// A platform that signs in this way; its file declares the secrets that are bound.
json file_with(const json& signature, const Secrets& secrets = {{"key", {}}}) {
  json file = {{"name", "mini"},
               {"platform", "mini"},
               {"signatures", json::array({signature})},
               {"posts", json::object()},
               {"secrets", json::object()}};
  for (const auto& [name, values] : secrets) file["secrets"][name] = json::object();
  return file;
}

Result<std::unique_ptr<Source>> try_bind(const json& signature, const Secrets& secrets, const Secrets& declared) {
  SourceConfig config;
  config.name = "mini";
  config.use = "mini";
  config.secrets = secrets;
  return must(parse_source_file("mini", file_with(signature, declared).dump()))->bind(config);
}

std::unique_ptr<Source> bound_to(const json& signature, const Secrets& secrets = {{"key", {"k"}}}) {
  return must(try_bind(signature, secrets, secrets));
}

std::string faults_of(const json& signature, const Secrets& secrets = {{"key", {}}}) {
  const auto parsed = parse_source_file("mini", file_with(signature, secrets).dump());
  return parsed ? "" : faults(parsed.error());
}

bool accepts(const Source& source, Headers headers, const std::string& body = "", Time at = now(), Headers query = {}) {
  const Request request{std::move(headers), std::move(query), body};
  const auto verified = source.verify(request.delivery(), at);
  if (!verified) {
    EXPECT_EQ(verified.error().code, ErrorCode::unauthenticated);
  }
  return static_cast<bool>(verified);
}

std::string why_not(const Source& source, const Request& request, Time at = now()) {
  const auto verified = source.verify(request.delivery(), at);
  return verified ? "(accepted)" : verified.error().detail;
}

// --- token ---

const json kToken = {{"scheme", "token"}, {"secret", "key"}, {"header", "X-Telegram-Bot-Api-Secret-Token"}};

TEST(Token, TheHeaderIsTheSecretItself) {
  const auto source = bound_to(kToken);
  EXPECT_TRUE(accepts(*source, {{"x-telegram-bot-api-secret-token", "k"}}));
  for (const auto* wrong : {"", "K", "kk", " k", "k ", "l"}) {
    EXPECT_FALSE(accepts(*source, {{"X-Telegram-Bot-Api-Secret-Token", wrong}})) << wrong;
  }
  EXPECT_FALSE(accepts(*source, {{"X-Telegram-Bot-Api-Secret-Token", std::string(100'000, 'k')}}));
  EXPECT_FALSE(accepts(*source, {{"Authorization", "k"}}));
  EXPECT_FALSE(accepts(*source, {}));
  EXPECT_THAT(why_not(*source, {}), HasSubstr("expected X-Telegram-Bot-Api-Secret-Token"));
}

TEST(Token, APrefixMustStandBeforeIt) {
  json bearer = kToken;
  bearer["header"] = "Authorization";
  bearer["prefix"] = "Bearer ";
  const auto source = bound_to(bearer);
  EXPECT_TRUE(accepts(*source, {{"authorization", "Bearer k"}}));
  EXPECT_FALSE(accepts(*source, {{"authorization", "k"}}));
  EXPECT_FALSE(accepts(*source, {{"authorization", "Bearer "}}));
  EXPECT_EQ(must(sign(*source, "{}", now(), "1")), (Headers{{"Authorization", "Bearer k"}}));
}

TEST(Token, EverySecretOfARotationIsTakenAndTheNewestSigns) {
  const auto source = bound_to(kToken, {{"key", {"newest", "oldest"}}});
  for (const auto* good : {"newest", "oldest"}) {
    EXPECT_TRUE(accepts(*source, {{"X-Telegram-Bot-Api-Secret-Token", good}})) << good;
  }
  EXPECT_EQ(must(sign(*source, "{}", now(), "1"))[0].second, "newest");
}

TEST(Token, NoErrorRepeatsTheSecretOrWhatWasSent) {
  const auto source = bound_to(kToken, {{"key", {"the-secret"}}});
  const Request request{{{"X-Telegram-Bot-Api-Secret-Token", "the-guess"}}, {}, ""};
  EXPECT_THAT(why_not(*source, request), AllOf(Not(HasSubstr("the-secret")), Not(HasSubstr("the-guess"))));
}

TEST(Token, MayStandInTheAddressInstead) {
  const auto source = bound_to({{"scheme", "token"}, {"secret", "key"}, {"query", "token"}}, {{"key", {"k", "old"}}});
  EXPECT_TRUE(accepts(*source, {}, "", now(), {{"token", "k"}}));
  EXPECT_TRUE(accepts(*source, {}, "", now(), {{"a", "b"}, {"token", "old"}}));
  EXPECT_FALSE(accepts(*source, {}, "", now(), {{"token", "x"}, {"token", "k"}})) << "the first counts";
  EXPECT_FALSE(accepts(*source, {}, "", now(), {{"Token", "k"}}));
  EXPECT_FALSE(accepts(*source, {{"token", "k"}}));
  EXPECT_FALSE(accepts(*source, {}));
  EXPECT_THAT(why_not(*source, {}), HasSubstr("the query parameter token"));
  const auto headers = sign(*source, "{}", now(), "1");
  ASSERT_FALSE(headers);
  EXPECT_EQ(headers.error().code, ErrorCode::unprocessable);
  EXPECT_THAT(headers.error().detail, AllOf(HasSubstr("query parameter token"), Not(HasSubstr("old"))));
}

TEST(Token, StandsEitherInAHeaderOrInTheAddress) {
  json both = kToken;
  both["query"] = "token";
  EXPECT_THAT(faults_of(both), HasSubstr("/signatures/0: expected either a header or a query parameter"));
  EXPECT_THAT(faults_of({{"scheme", "token"}, {"secret", "key"}}),
              HasSubstr("/signatures/0: expected either a header"));
  EXPECT_THAT(faults_of({{"scheme", "token"}, {"secret", "key"}, {"query", "t"}, {"prefix", "x"}}),
              HasSubstr("/signatures/0/prefix: expected none"));
  EXPECT_THAT(faults_of({{"scheme", "token"}, {"secret", "key"}, {"query", ""}}), HasSubstr("/signatures/0/query: "));
  EXPECT_THAT(faults_of({{"scheme", "token"}, {"secret", "key"}, {"header", "a b"}}),
              HasSubstr("/signatures/0/header: expected the name of an HTTP header"));
  EXPECT_THAT(faults_of({{"scheme", "token"}, {"secret", "key"}, {"header", "a"}, {"algorithm", "sha1"}}),
              HasSubstr("/signatures/0/algorithm: unknown key"));
}

// --- basic ---

const json kBasic = {{"scheme", "basic"}, {"user", "user"}, {"secret", "password"}};

TEST(Basic, AgreesWithTheExampleOfRfc7617) {
  const auto source = bound_to(kBasic, {{"user", {"Aladdin"}}, {"password", {"open sesame"}}});
  EXPECT_TRUE(accepts(*source, {{"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}));
  EXPECT_TRUE(accepts(*source, {{"authorization", "basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}));
  EXPECT_EQ(must(sign(*source, "{}", now(), "1")), (Headers{{"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}));
}

TEST(Basic, APasswordMayHoldAColon) {
  const auto source = bound_to(kBasic, {{"user", {"u"}}, {"password", {"a:b"}}});
  EXPECT_TRUE(accepts(*source, must(sign(*source, "", now(), "1"))));
}

TEST(Basic, EveryUserWithEveryPasswordAndNothingElse) {
  const auto source = bound_to(kBasic, {{"user", {"u1", "u2"}}, {"password", {"p1", "p2"}}});
  const auto header = [](const std::string& user, const std::string& password) {
    const auto one = bound_to(kBasic, {{"user", {user}}, {"password", {password}}});
    return must(sign(*one, "", now(), "1"));
  };
  for (const auto* user : {"u1", "u2"}) {
    for (const auto* password : {"p1", "p2"}) EXPECT_TRUE(accepts(*source, header(user, password)));
  }
  EXPECT_FALSE(accepts(*source, header("u1", "u1")));
  EXPECT_FALSE(accepts(*source, header("p1", "p1")));
  EXPECT_FALSE(accepts(*source, header("u3", "p1")));
  for (const auto* bad : {"Basic", "Basic ", "Basic %%%", "Basic dTE=", "Bearer dTE6cDE=", "", "dTE6cDE="}) {
    EXPECT_FALSE(accepts(*source, {{"Authorization", bad}})) << bad;
  }
  EXPECT_FALSE(accepts(*source, {{"Authorization", "Basic " + std::string(100'000, 'A')}}));
}

TEST(Basic, NeedsBothSecretsAndAUserWithoutAColon) {
  const Secrets declared{{"user", {}}, {"password", {}}};
  EXPECT_THAT(faults(try_bind(kBasic, {{"password", {"p"}}}, declared).error()), HasSubstr("/secrets/user: missing"));
  EXPECT_THAT(faults(try_bind(kBasic, {{"user", {"u"}}}, declared).error()),
              HasSubstr("/secrets/user: is only used with the secret password"));
  EXPECT_THAT(faults(try_bind(kBasic, {{"user", {"u", "a:b"}}, {"password", {"p"}}}, declared).error()),
              HasSubstr("/secrets/user/1: a user of HTTP Basic cannot have a ':'"));
  EXPECT_THAT(faults(try_bind(kBasic, {}, declared).error()), HasSubstr("/secrets: expected user with password"));
  EXPECT_THAT(faults_of({{"scheme", "basic"}, {"secret", "key"}}), HasSubstr("/signatures/0/user: missing"));
  EXPECT_THAT(faults_of({{"scheme", "basic"}, {"secret", "key"}, {"user", "u"}}),
              HasSubstr("/signatures/0/user: expected key"));
}

// --- hmac of more than the body ---

const json kSlack = {{"scheme", "hmac"},
                     {"secret", "key"},
                     {"header", "X-Slack-Signature"},
                     {"prefix", "v0="},
                     {"signed", "v0:{timestamp}:{body}"},
                     {"timestamp", {{"header", "X-Slack-Request-Timestamp"}}}};

const json kTikTok = {{"scheme", "hmac"},
                      {"secret", "key"},
                      {"header", "TikTok-Signature"},
                      {"part", "s"},
                      {"signed", "{timestamp}.{body}"},
                      {"timestamp", {{"part", "t"}}}};

TEST(Hmac, AgreesWithTheExampleOfGitHub) {
  const auto source =
      bound_to({{"scheme", "hmac"}, {"secret", "key"}, {"header", "X-Hub-Signature-256"}, {"prefix", "sha256="}},
               {{"key", {"It's a Secret to Everybody"}}});
  EXPECT_TRUE(accepts(
      *source, {{"x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
      "Hello, World!"));
}

TEST(HmacWithATimestamp, AgreesWithTheExampleOfSlack) {
  const auto source = bound_to(kSlack, {{"key", {"8f742231b10e8888abcd99yyyzzz85a5"}}});
  const std::string body =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="
      "foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2F"
      "hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
      "47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const Headers headers{{"X-Slack-Request-Timestamp", "1531420618"},
                        {"X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"}};
  EXPECT_TRUE(accepts(*source, headers, body, from_millis(1531420618000)));
  EXPECT_EQ(must(sign(*source, body, from_millis(1531420618999), "1")), headers);
}

// printf '%s' '1633174587.{}' | openssl dgst -sha256 -hmac 'a client secret'
const std::string kTikTokSignature = "23ab1825afb18f87c0099a033315ab64d11fece2fc127bb6246316dbcac5833a";
const Time kTikTokTime = from_millis(1633174587000);

TEST(HmacInAList, ReadsTheTimestampAndTheSignatureFromOneHeader) {
  const auto source = bound_to(kTikTok, {{"key", {"a client secret"}}});
  const std::string value = "t=1633174587,s=" + kTikTokSignature;
  EXPECT_TRUE(accepts(*source, {{"Tiktok-Signature", value}}, "{}", kTikTokTime));
  EXPECT_TRUE(
      accepts(*source, {{"Tiktok-Signature", " s=" + kTikTokSignature + " , x=1, t=1633174587"}}, "{}", kTikTokTime));
  EXPECT_EQ(must(sign(*source, "{}", kTikTokTime, "1")), (Headers{{"TikTok-Signature", value}}));
  EXPECT_FALSE(accepts(*source, {{"Tiktok-Signature", value}}, "{ }", kTikTokTime));
}

TEST(HmacInAList, OneOfSeveralSignaturesIsEnough) {
  const auto source = bound_to(kTikTok, {{"key", {"newest", "a client secret"}}});
  const std::string good = "s=" + kTikTokSignature;
  const auto with = [](const std::string& rest) { return Headers{{"tiktok-signature", "t=1633174587," + rest}}; };
  EXPECT_TRUE(accepts(*source, with("s=00,s=zz," + good), "{}", kTikTokTime));
  for (const std::string& bad : {std::string(), std::string("s="), std::string("s"), "x" + good,
                                 "S=" + kTikTokSignature, good + "00", "s= " + kTikTokSignature, kTikTokSignature}) {
    EXPECT_FALSE(accepts(*source, with(bad), "{}", kTikTokTime)) << bad;
  }
}

TEST(HmacInAList, LooksAtSixteenSignaturesAndNotAtAThousand) {
  const auto source = bound_to(kTikTok, {{"key", {"a client secret"}}});
  std::string list = "t=1633174587";
  for (int i = 0; i < 16; ++i) list += ",s=00";
  EXPECT_FALSE(accepts(*source, {{"TikTok-Signature", list + ",s=" + kTikTokSignature}}, "{}", kTikTokTime));
}

TEST(HmacWithATimestamp, IsTakenWithinItsToleranceBothWaysAndNotAfter) {
  const auto source = bound_to(kTikTok);
  const Request request = signed_request(*source, "{}", kTikTokTime);
  const auto minutes = std::chrono::minutes(5);
  EXPECT_EQ(why_not(*source, request, kTikTokTime + minutes), "(accepted)");
  EXPECT_EQ(why_not(*source, request, kTikTokTime - minutes), "(accepted)");
  EXPECT_THAT(why_not(*source, request, kTikTokTime + minutes + std::chrono::seconds(1)), HasSubstr("5 minutes"));
  EXPECT_THAT(why_not(*source, request, kTikTokTime - minutes - std::chrono::seconds(1)), HasSubstr("5 minutes"));

  json strict = kTikTok;
  strict["tolerance"] = "30s";
  const auto stricter = bound_to(strict);
  EXPECT_EQ(why_not(*stricter, request, kTikTokTime + std::chrono::seconds(30)), "(accepted)");
  EXPECT_THAT(why_not(*stricter, request, kTikTokTime + std::chrono::seconds(31)), HasSubstr("30s"));
}

TEST(HmacWithATimestamp, MayCountMilliseconds) {
  json millis = kTikTok;
  millis["unit"] = "milliseconds";
  const auto source = bound_to(millis);
  const Request request = signed_request(*source, "{}", from_millis(1633174587123));
  EXPECT_THAT(request.headers[0].second, testing::StartsWith("t=1633174587123,s="));
  EXPECT_EQ(why_not(*source, request, from_millis(1633174587123 + 300'000)), "(accepted)");
  EXPECT_THAT(why_not(*source, request, from_millis(1633174587123 + 300'001)), HasSubstr("5 minutes"));
  EXPECT_THAT(why_not(*bound_to(kTikTok), request, from_millis(1633174587123)), HasSubstr("5 minutes"));
}

TEST(HmacWithATimestamp, AChangedMissingOrMadeUpTimestampIsRefused) {
  const auto source = bound_to(kSlack);
  const Request good = signed_request(*source, "{}");
  EXPECT_EQ(why_not(*source, good), "(accepted)");
  for (const auto* bad : {"", "now", "1.5", "-1", "99999999999999999999", "0x10", " 1795339805"}) {
    Request request = good;
    request.headers[0].second = bad;
    EXPECT_THAT(why_not(*source, request), HasSubstr("X-Slack-Request-Timestamp")) << bad;
  }
  Request later = good;
  later.headers[0].second = std::to_string(to_millis(now()) / 1000 + 1);
  EXPECT_THAT(why_not(*source, later), HasSubstr("does not match the body"));
  Request without = good;
  without.headers.erase(without.headers.begin());
  EXPECT_THAT(why_not(*source, without), HasSubstr("X-Slack-Request-Timestamp is missing"));
  EXPECT_THAT(why_not(*bound_to(kTikTok), {{{"TikTok-Signature", "s=" + std::string(64, '0')}}, {}, "{}"}),
              HasSubstr("the part t of TikTok-Signature is missing"));
}

TEST(HmacWithATimestamp, EachFaultOfTheFileIsNamed) {
  const auto with = [](const std::string& pointer, const json& value) {
    json signature = kTikTok;
    signature[json::json_pointer(pointer)] = value;
    return signature;
  };
  json no_timestamp = kTikTok;
  no_timestamp.erase("timestamp");
  json no_signed = kTikTok;
  no_signed.erase("signed");
  json no_part = kTikTok;
  no_part.erase("part");
  const std::vector<std::pair<json, std::string>> cases{
      {no_timestamp, "/signatures/0/signed: {timestamp} is signed, expected \"timestamp\""},
      {no_signed, "/signatures/0/signed: missing"},
      {no_part, "/signatures/0/timestamp/part: the header is not a list of parts"},
      {with("/signed", "{body}"), "/signatures/0/signed: expected {timestamp} too"},
      {with("/signed", "{timestamp}"), "/signatures/0/signed: expected text with {body} in it"},
      {with("/signed", "{url}{timestamp}{body}"), "/signatures/0/signed: expected text with {body} in it"},
      {with("/signed", "{timestamp}{body"), "/signatures/0/signed: expected text with {body} in it"},
      {with("/signed", 7), "/signatures/0/signed: expected a string"},
      {with("/part", "a=b"), "/signatures/0/part: expected the name of one of the header's parts"},
      {with("/timestamp/header", "X-T"), "/signatures/0/timestamp: expected either a header or a part"},
      {with("/timestamp", json::object()), "/signatures/0/timestamp: expected either a header or a part"},
      {with("/timestamp", {{"header", "a b"}}), "/signatures/0/timestamp/header: expected the name of an HTTP header"},
      {with("/unit", "days"), "/signatures/0/unit: expected seconds or milliseconds"},
      {with("/tolerance", "5"), "/signatures/0/tolerance: expected a duration"},
      {with("/tolerance", "0s"), "/signatures/0/tolerance: expected at least 1s"},
      {with("/timestamp/zone", "UTC"), "/signatures/0/timestamp/zone: unknown key"},
      {[] {
         json signature = kSlack;
         signature.erase("timestamp");
         signature["signed"] = "{body}";
         signature["tolerance"] = "1h";
         return signature;
       }(),
       "/signatures/0/tolerance: expected none without \"timestamp\""},
      {with("/sgned", "{body}"), "/signatures/0/sgned: unknown key"},
  };
  for (const auto& [signature, expected] : cases) {
    EXPECT_THAT(faults_of(signature), HasSubstr(expected)) << signature.dump();
  }
}

}  // namespace
}  // namespace triage::ingest::test
