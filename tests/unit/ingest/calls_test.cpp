// A call that a source file describes is the request that the platform expects: its address, what goes with it, and how
// the platform knows that it is ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ingest/encoding.h"
#include "ingest/oauth1.h"
#include "platform.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

json file_with_call(const std::string& call) {
  return mini_file("/replies/0/call", call);
}

Outgoing made(const std::string& call, const Post& post = a_post()) {
  return reply_request(*mini(file_with_call(call)), post);
}

// Why a reply is refused before it is ever sent.
std::string refused(const json& file, SourceConfig config = mini_config()) {
  const auto source = mini(file, std::move(config));
  const auto planned = source->api()->plan_reply(a_post(), "On its way", kReplyId);
  if (planned) return "(planned)";
  EXPECT_EQ(planned.error().code, ErrorCode::unprocessable);
  return planned.error().detail;
}

Post called(const std::string& native_id) {
  Post post = a_post();
  post.native_id = native_id;
  return post;
}

// --- addresses ---

TEST(CallAddress, WhatIsFilledInIsEncodedAsOnePartOfIt) {
  const std::string id = "a/b c?d#e&f=%41\u00e9+..";
  EXPECT_EQ(made(R"({"path": "/posts/{/post/native_id}/replies"})", called(id)).url,
            "https://api.mini.example/posts/a%2Fb%20c%3Fd%23e%26f%3D%2541%C3%A9%2B../replies");
  EXPECT_EQ(made(R"({"path": "/posts/{/post/native_id}"})", called("1\r\nHost: evil.example")).url,
            "https://api.mini.example/posts/1%0D%0AHost%3A%20evil.example");
}

TEST(CallAddress, AfterAPlusReservedCharactersStayAndNothingElse) {
  EXPECT_EQ(made(R"({"path": "/v4/{+/post/native_id}/reply"})", called("accounts/1/locations/2:x@y")).url,
            "https://api.mini.example/v4/accounts/1/locations/2:x@y/reply");
  EXPECT_EQ(made(R"({"path": "/{+/post/native_id}"})", called("a b\r\n\"<\u00e9>%41%4")).url,
            "https://api.mini.example/a%20b%0D%0A%22%3C%C3%A9%3E%41%254");
}

TEST(CallAddress, BracesAndNumbersStandForThemselves) {
  EXPECT_EQ(made(R"({"path": "/{{a}}/{/now}"})").url, "https://api.mini.example/{a}/1795339805000");
}

TEST(CallAddress, OneSlashStandsBetweenBaseAndPath) {
  SourceConfig config = mini_config();
  for (const std::string base : {"https://host.example/v1", "https://host.example/v1/", "https://host.example/v1//"}) {
    for (const std::string path : {"say", "/say"}) {
      config.settings["api_url"] = base;
      EXPECT_EQ(reply_request(*mini(file_with_call(R"({"path": ")" + path + R"("})"), config)).url,
                "https://host.example/v1/say");
    }
  }
  config.settings["api_url"] = "https://host.example/hook/";
  EXPECT_EQ(reply_request(*mini(file_with_call(R"({"path": ""})"), config)).url, "https://host.example/hook/")
      << "with no path the base is the whole address";
}

TEST(CallAddress, ACallMayHaveABaseOrAWholeAddressOfItsOwn) {
  EXPECT_EQ(made(R"({"base": {"const": "https://upload.example"}, "path": "/x"})").url, "https://upload.example/x");
  EXPECT_EQ(made(R"({"url": "https://{/post/author/handle}.example/x?id={/post/native_id}",
                     "query": {"b": {"const": 2}}})",
                 called("1&2"))
                .url,
            "https://ann.example/x?id=1%262&b=2");
}

TEST(CallAddress, APartThatIsNotThereIsSaidWhenTheReplyIsWritten) {
  EXPECT_THAT(refused(file_with_call(R"({"path": "/{/post/conversation_id}"})")), HasSubstr("a part of it is not"));
  EXPECT_THAT(refused(file_with_call(R"({"url": "https://{/post/conversation_id}/"})")),
              HasSubstr("a part of it is not there"));
  EXPECT_THAT(refused(mini_file("/api/base", R"({"config": "place"})")),
              HasSubstr("the setting that begins it is missing"));
  json none = mini_file();
  none.erase("api");
  const auto read = parse_source_file("mini", none.dump());
  ASSERT_FALSE(read);
  EXPECT_THAT(faults(read.error()), HasSubstr("/replies/0/call: has a path, expected a base"));
}

TEST(CallAddress, TheTimeIsThereWhenTheReplyIsWrittenAndWhenItIsSent) {
  const auto source = mini(file_with_call(R"({"path": "/{/now}"})"));
  EXPECT_EQ(reply_request(*source).url, "https://api.mini.example/" + std::to_string(to_millis(now())));
}

// --- query, form, JSON, headers ---

TEST(CallParts, AQueryHasOnlyWhatIsThereAndRepeatsTheNamesOfLists) {
  EXPECT_EQ(
      made(R"({"path": "/s", "query": {"a b": "/post/native_id", "gone": "/post/conversation_id",
                     "types[]": {"const": ["x", "y&z", 3, true, 0.5, {"no": "text"}, null]}, "none": {"const": []},
                     "flag": {"const": true}, "half": {"const": 0.5}, "object": {"const": {"a": 1}}}})",
           called("1/\u00e9"))
          .url,
      "https://api.mini.example/s?a%20b=1%2F%C3%A9&flag=true&half=0.5&types%5B%5D=x&types%5B%5D=y%26z&types%5B%5D=3&"
      "types%5B%5D=true&types%5B%5D=0.5");
  EXPECT_EQ(made(R"({"path": "/s", "query": {"gone": "/post/conversation_id"}})").url, "https://api.mini.example/s");
}

TEST(CallParts, AFormIsWrittenAsBrowsersWriteOne) {
  const Outgoing request = made(R"({"method": "POST", "path": "/s", "form": {"text": "/text", "id": "/post/native_id",
                                    "gone": "/post/conversation_id", "list": {"list": ["/id", {"const": "b c"}]}}})",
                                called("1&2=3"));
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, "id=1%262%3D3&list=" + std::string(kReplyId) + "&list=b+c&text=On+its+way");
  EXPECT_EQ(header_of(request, "Content-Type"), "application/x-www-form-urlencoded");
}

TEST(CallParts, AJsonBodyHasOnlyWhatIsThere) {
  const Outgoing request =
      made(R"({"method": "PUT", "path": "/s", "json": {"object": {"text": "/text", "gone": "/post/conversation_id",
               "deep": {"object": {"author": "/post/author", "n": {"const": 1.5}, "flag": {"const": false}}}}}})");
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(header_of(request, "Content-Type"), "application/json");
  EXPECT_EQ(json::parse(request.body),
            json::parse(R"({"text": "On its way", "deep": {"author": {"native_id": "5", "handle": "ann",
                            "name": "Ann"}, "n": 1.5, "flag": false}})"));
  EXPECT_THAT(refused(file_with_call(R"({"method": "POST", "path": "/s", "json": "/post/conversation_id"})")),
              HasSubstr("its body cannot be made"));
}

TEST(CallParts, ACallWithoutABodySaysNothingOfOne) {
  const Outgoing request = made(R"({"path": "/s"})");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.headers, Headers());
}

TEST(CallParts, TheCallsHeadersStandInPlaceOfTheCommonOnesHoweverTheyAreSpelled) {
  json file = file_with_call(R"({"path": "/s", "headers": {"accept-language": {"const": "de"},
                                 "X-Gone": "/post/conversation_id", "X-Id": "/id"}})");
  file["api"]["headers"] = json::parse(R"({"Accept-Language": {"const": "en"}, "X-Place": {"config": "place"}})");
  const Outgoing request = reply_request(*mini(file));
  EXPECT_THAT(request.headers, testing::UnorderedElementsAre(Pair("accept-language", "de"), Pair("X-Id", kReplyId)));
}

TEST(CallParts, AHeaderWithALineBreakMakesNoOtherHeader) {
  for (const std::string& bad : {std::string("x\r\nAuthorization: Bearer stolen"), std::string("x\ny"),
                                 std::string("x\ry"), std::string("nul\0", 4), std::string("x\x7f")}) {
    Post post = a_post();
    post.author->handle = bad;
    json file = file_with_call(R"({"path": "/s", "headers": {"X-Handle": "/post/author/handle", "X-Id": "/id"}})");
    file["api"]["auth"] = json::parse(R"({"scheme": "bearer", "secret": "token"})");
    const Outgoing request = reply_request(*mini(file), post);
    EXPECT_THAT(request.headers,
                ElementsAre(Pair("X-Id", kReplyId), Pair("Authorization", "Bearer " + std::string(kToken))))
        << "it is left out";
  }
}

TEST(CallParts, BindingsAreSeenByCallsConditionsAndAnswers) {
  const json file = json::parse(R"({
    "name": "mini", "platform": "mini", "secrets": {"key": {}}, "settings": {},
    "signatures": [{"scheme": "hmac", "secret": "key", "header": "x-mini"}],
    "events": [{"each": [""], "rules": []}],
    "api": {"let": {"thread": {"split": "/post/native_id", "by": ":", "at": 0}, "number": {"split": "/post/native_id", "by": ":", "at": -1},
                    "path": {"template": "t/{@thread}"}},
            "base": {"const": "https://api.mini.example"}},
    "replies": [{"when": {"value": "@number", "is": "9"}, "call": {"path": "/{+@path}", "query": {"n": "@number", "again": {"template": "{/text}"}}},
                 "text": {"template": "re {@number}: {/text}"},
                 "native_id": {"template": "{@thread}:{/id}"}}]
  })");
  SourceConfig config = mini_config();
  config.secrets = {{"key", {"k"}}};
  const auto source = mini(file, config);
  const auto attempt = attempt_of(*source, called("4:9"));
  EXPECT_EQ(must(attempt->next(nullptr, now()))->url,
            "https://api.mini.example/t/4?again=re%209%3A%20On%20its%20way&n=9");
  const Said said{200, R"({"id": 10})", {}};
  attempt->answered(said.incoming(), now());
  EXPECT_EQ(attempt->result().native_id, "4:10");
  EXPECT_FALSE(source->api()->plan_reply(called("4:8"), "x", kReplyId)) << "the condition looks at the binding";
}

// --- how the platform knows that it is us ---

Outgoing authorized(const std::string& auth, const std::string& call = R"({"path": "/s"})") {
  json file = file_with_call(call);
  file["api"]["auth"] = json::parse(auth);
  return reply_request(*mini(file));
}

TEST(CallAuth, ATokenGoesWhereThePlatformLooksForIt) {
  const std::string token(kToken);
  EXPECT_EQ(header_of(authorized(R"({"scheme": "bearer", "secret": "token"})"), "Authorization"), "Bearer " + token)
      << "the newest of several";
  EXPECT_EQ(header_of(authorized(R"({"scheme": "header", "header": "X-Key", "secret": "token"})"), "X-Key"), token);
  EXPECT_EQ(
      header_of(authorized(R"({"scheme": "header", "header": "Authorization", "prefix": "Key ", "secret": "token"})"),
                "Authorization"),
      "Key " + token);
  EXPECT_EQ(authorized(R"({"scheme": "query", "query": "key", "secret": "password"})",
                       R"({"path": "/s", "query": {"a": {"const": 1}}})")
                .url,
            "https://api.mini.example/s?a=1&key=p%3Aw%C3%A9");
  EXPECT_EQ(header_of(authorized(R"({"scheme": "basic", "user": "user", "secret": "password"})"), "Authorization"),
            "Basic " + to_base64("ann:p:w\u00e9"));
  EXPECT_EQ(authorized(R"({"scheme": "none"})").headers, Headers());
}

TEST(CallAuth, ACallsOwnStandsInPlaceOfTheCommonOne) {
  const Outgoing request = authorized(R"({"scheme": "bearer", "secret": "token"})",
                                      R"({"path": "/s", "auth": {"scheme": "query", "query": "k", "secret": "user"}})");
  EXPECT_EQ(request.url, "https://api.mini.example/s?k=ann");
  EXPECT_EQ(request.headers, Headers());
  EXPECT_EQ(
      authorized(R"({"scheme": "bearer", "secret": "token"})", R"({"path": "/s", "auth": {"scheme": "none"}})").headers,
      Headers());
}

TEST(CallAuth, ASourcesOwnHeaderIsNotSetBesideOurs) {
  const Outgoing request = authorized(R"({"scheme": "bearer", "secret": "token"})",
                                      R"({"path": "/s", "headers": {"authorization": {"const": "mine"}}})");
  EXPECT_THAT(request.headers, ElementsAre(Pair("Authorization", StartsWith("Bearer "))));
}

// The nonce and the time are the call's own; with them the signature is what the others' library makes too
// (oauth1_test.cpp).
TEST(CallAuth, OAuthSignsAddressQueryAndForm) {
  const std::string auth =
      R"({"scheme": "oauth1", "consumer_key": "user", "consumer_secret": "password", "token": "token",
                               "token_secret": "token_secret"})";
  const OAuth1Credentials credentials{"ann", "p:w\u00e9", std::string(kToken), "the-token-secret-of-the-tests"};
  struct Case {
    std::string call;
    std::vector<FormPair> form;
    std::string url;
  };
  for (
      const Case& one :
      {Case{R"({"method": "POST", "path": "/2/tweets", "json": {"object": {"text": "/text"}}})",
            {},
            "https://api.mini.example/2/tweets"},
       Case{
           R"({"method": "POST", "path": "/1.1/dm", "query": {"a": {"const": "b c"}}, "form": {"text": "/text", "n": {"const": ["1", "2"]}}})",
           {{"text", "On its way"}, {"n", "1"}, {"n", "2"}},
           "https://api.mini.example/1.1/dm?a=b%20c"}}) {
    const Outgoing request = authorized(auth, one.call);
    EXPECT_EQ(request.url, one.url);
    const std::string header = header_of(request, "Authorization").value_or("");
    const auto part = [&](const std::string& name) {
      const auto at = header.find(name + "=\"");
      if (at == std::string::npos) return std::string();
      const auto from = at + name.size() + 2;
      return header.substr(from, header.find('"', from) - from);
    };
    EXPECT_EQ(part("oauth_timestamp"), std::to_string(to_millis(now()) / 1000));
    EXPECT_GE(part("oauth_nonce").size(), 16u);
    EXPECT_EQ(header, oauth1_authorization({"POST", one.url, one.form}, credentials, to_millis(now()) / 1000,
                                           part("oauth_nonce"))
                          .value_or("(none)"));
    const std::string once_more = header_of(authorized(auth, one.call), "Authorization").value_or("");
    EXPECT_NE(header, once_more) << "a nonce is used once";
  }
}

TEST(CallAuth, OAuthCannotSignWhatIsNoAddress) {
  json file = file_with_call(R"({"path": "/s", "auth": {"scheme": "oauth1", "consumer_key": "user",
                                 "consumer_secret": "password", "token": "token", "token_secret": "token_secret"}})");
  file["api"]["base"] = {{"const", "api.mini.example"}};
  EXPECT_THAT(refused(file), HasSubstr("its address cannot be signed"));
}

TEST(CallAuth, AReplyToARelayIsSignedAsItsWebhooksAre) {
  SourceConfig config = config_of("generic");
  config.settings["reply_url"] = "https://relay.example/replies";
  const auto source = bind(config);
  const Outgoing request = reply_request(*source);
  EXPECT_EQ(request.url, "https://relay.example/replies");
  EXPECT_EQ(header_of(request, "webhook-id"), kReplyId) << "the same on every attempt";
  Request received;
  received.headers = request.headers;
  received.body = request.body;
  EXPECT_TRUE(source->verify(received.delivery(), now()));
  EXPECT_FALSE(source->verify(received.delivery(), now() + std::chrono::hours(1)));
  received.body += ' ';
  EXPECT_FALSE(source->verify(received.delivery(), now()));
  const json body = json::parse(request.body);
  EXPECT_EQ(body.at("type"), "reply");
  EXPECT_EQ(body.at("id"), kReplyId);
  EXPECT_EQ(body.at("text"), "On its way");
  EXPECT_EQ(body.at("post").at("native_id"), "77");
}

// --- sessions ---

json file_with_session() {
  json file = mini_file();
  file["api"]["headers"] = json::parse(R"({"X-All": {"const": "1"}})");
  file["api"]["auth"] = json::parse(R"({"scheme": "session",
    "call": {"method": "POST", "path": "/login", "auth": {"scheme": "basic", "user": "user", "secret": "password"},
             "form": {"grant_type": {"const": "client_credentials"}}},
    "token": "/access/token", "expires_in": "/expires_in"})");
  return file;
}

TEST(CallSession, IsAskedForAsTheFileSays) {
  const auto source = mini(file_with_session());
  const auto attempt = attempt_of(*source);
  ASSERT_TRUE(attempt->session());
  const Outgoing login = must(source->api()->session_request(*attempt->session(), now()));
  EXPECT_EQ(login.method, "POST");
  EXPECT_EQ(login.url, "https://api.mini.example/login");
  EXPECT_EQ(login.body, "grant_type=client_credentials");
  EXPECT_EQ(header_of(login, "X-All"), "1");
  EXPECT_EQ(header_of(login, "Authorization"), "Basic " + to_base64("ann:p:w\u00e9"));

  const Session session{"tok en", std::nullopt};
  EXPECT_EQ(header_of(must(attempt->next(&session, now())).value(), "Authorization"), "Bearer tok en");
  const auto without = attempt->next(nullptr, now());
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().detail, HasSubstr("there is no session"));
}

TEST(CallSession, MayNameSecretsInItsCallAndIsMadeWithoutASessionItself) {
  json file = mini_file();
  file["api"]["auth"] = json::parse(R"({"scheme": "session", "token": "/t",
    "call": {"method": "POST", "path": "/login", "json": {"object": {"id": {"config": "brand_account"},
             "password": {"config": "password"}, "place": {"config": "place"}}}}})");
  const auto source = mini(file);
  const Outgoing login = must(source->api()->session_request(0, now()));
  EXPECT_EQ(json::parse(login.body), (json{{"id", "acme"}, {"password", "p:w\u00e9"}}));
  EXPECT_EQ(header_of(login, "Authorization"), std::nullopt);
}

TEST(CallSession, LastsAsLongAsItsAnswerSays) {
  const auto source = mini(file_with_session());
  const auto read = [&](const std::string& body) {
    const Said said{200, body, {}};
    return must(source->api()->read_session(0, said.incoming(), now()));
  };
  const Session session = read(R"({"access": {"token": "abc"}, "expires_in": 3600})");
  EXPECT_EQ(session.token, "abc");
  EXPECT_EQ(session.until, now() + seconds(3540))
      << "a little less, so that no call begins with one that ends on the way";
  EXPECT_EQ(read(R"({"access": {"token": "abc"}, "expires_in": "60"})").until, now() + seconds(30));
  EXPECT_EQ(read(R"({"access": {"token": "abc"}, "expires_in": 60.0})").until, now() + seconds(30));
  EXPECT_EQ(read(R"({"access": {"token": 12}})").until, std::nullopt);
  EXPECT_EQ(read(R"({"access": {"token": 12}})").token, "12");
  for (const std::string odd : {"0", "-5", "\"soon\"", "null", "[]", "\"nan\"", "true"}) {
    EXPECT_EQ(read(R"({"access": {"token": "a"}, "expires_in": )" + odd + "}").until, std::nullopt) << odd;
  }
  for (const std::string far : {"1e300", "\"inf\"", "18446744073709551615"}) {
    const auto until = read(R"({"access": {"token": "a"}, "expires_in": )" + far + "}").until;
    ASSERT_TRUE(until) << far;
    EXPECT_GT(*until, now() + std::chrono::hours(24));
    EXPECT_LT(*until, now() + std::chrono::hours(24 * 365 * 100)) << far;
  }
}

TEST(CallSession, WhatThePlatformSaysOfARefusalIsPassedOn) {
  const auto source = mini(file_with_session());
  const auto refusal = [&](const Said& said) {
    const auto read = source->api()->read_session(0, said.incoming(), now());
    EXPECT_FALSE(read);
    return read ? Error() : read.error();
  };
  const Error wrong =
      refusal({400, R"({"error": "invalid_grant", "error_description": "Token has been revoked"})", {}});
  EXPECT_EQ(wrong.code, ErrorCode::unauthenticated);
  EXPECT_EQ(wrong.detail, "the platform answered 400: Token has been revoked");
  const Error busy = refusal({429, "", {{"retry-after", "7"}}});
  EXPECT_EQ(busy.code, ErrorCode::unavailable);
  EXPECT_EQ(busy.retry_after, seconds(7));
  for (const int passing : {408, 425, 500, 502, 503}) {
    EXPECT_EQ(refusal({passing, "<html>", {}}).code, ErrorCode::unavailable) << passing;
  }
  for (const std::string body : {"", "null", "[]", "{}", "<html>", R"({"access": "x"})", R"({"access": {"token": ""}})",
                                 R"({"access": {"token": {"a": 1}}})", R"({"access": {"token": null}})"}) {
    const Error none = refusal({200, body, {}});
    EXPECT_EQ(none.code, ErrorCode::bad_gateway) << body;
    EXPECT_THAT(none.detail, HasSubstr("no token")) << body;
  }
}

TEST(CallSession, CallsMayHaveSessionsOfTheirOwn) {
  json file = file_with_session();
  json other = file["api"]["auth"];
  other["call"]["path"] = "/login/account";
  json rule = file["replies"][0];
  rule["when"] = json::parse(R"({"value": "/post/kind", "is": "review"})");
  rule["before"] = json::parse(R"({"path": "/token", "auth": {"scheme": "bearer", "secret": "token"}})");
  rule["call"]["auth"] = other;
  file["replies"] = json::array({rule, file["replies"][0]});
  const auto source = mini(file);
  Post review = a_post();
  review.kind = PostKind::review;

  const auto common = attempt_of(*source);
  const auto own = attempt_of(*source, review);
  EXPECT_EQ(own->session(), std::nullopt) << "the call before is made with a token";
  must(own->next(nullptr, now()));
  own->answered(Said{200, "{}", {}}.incoming(), now());
  ASSERT_TRUE(common->session());
  ASSERT_TRUE(own->session());
  EXPECT_EQ(must(source->api()->session_request(*common->session(), now())).url, "https://api.mini.example/login");
  EXPECT_EQ(must(source->api()->session_request(*own->session(), now())).url, "https://api.mini.example/login/account");
}

// --- what is missing ---

TEST(CallSecrets, ThatAreMissingAreNamedAndNoOthersAre) {
  const auto without = [](std::initializer_list<const char*> names) {
    SourceConfig config = mini_config();
    for (const char* name : names) config.secrets.erase(name);
    return config;
  };
  const auto with_auth = [](const std::string& auth) { return mini_file("/api/auth", auth); };
  EXPECT_THAT(refused(with_auth(R"({"scheme": "bearer", "secret": "token"})"), without({"token"})),
              AllOf(HasSubstr("\"mini-test\" is not set up for it"), testing::EndsWith("there is no token")));
  EXPECT_THAT(refused(with_auth(R"({"scheme": "basic", "user": "user", "secret": "password"})"), without({"user"})),
              testing::EndsWith("there is no user"));
  EXPECT_THAT(refused(with_auth(R"({"scheme": "oauth1", "consumer_key": "user", "consumer_secret": "password",
                                    "token": "token", "token_secret": "token_secret"})"),
                      without({"password", "token_secret"})),
              testing::EndsWith("there is no password, token_secret"));
  EXPECT_THAT(refused(with_auth(R"({"scheme": "standard_webhooks", "secret": "token"})"), without({"token"})),
              testing::EndsWith("there is no token"));
  EXPECT_THAT(refused(file_with_session(), without({"password"})), testing::EndsWith("there is no password"));
  EXPECT_EQ(refused(with_auth(R"({"scheme": "bearer", "secret": "token"})"), without({"user"})), "(planned)");
}

TEST(CallSecrets, ThatTheCallOfASessionNamesAreNeededToo) {
  json file = mini_file();
  file["api"]["auth"] = json::parse(R"({"scheme": "session", "token": "/t",
    "call": {"method": "POST", "path": "/login", "form": {"user": {"config": "user"},
             "secret": {"first": [{"config": "password"}]}, "place": {"config": "place"}}}})");
  EXPECT_EQ(refused(file), "(planned)");
  SourceConfig config = mini_config();
  config.secrets.erase("user");
  config.secrets.erase("password");
  EXPECT_THAT(refused(file, config), testing::EndsWith("there is no password, user"));
  const auto source = mini(file, config);
  EXPECT_FALSE(source->api()->session_request(0, now()));
}

TEST(CallSecrets, OfTheCallBeforeAreNeededToo) {
  json file = mini_file("/replies/0/before", R"({"path": "/b", "auth": {"scheme": "bearer", "secret": "token"}})");
  file["fetches"] = json::parse(R"([{"before": {"path": "/b", "auth": {"scheme": "bearer", "secret": "token"}},
                                     "call": {"path": "/f"}, "fields": {"text": "/text"}}])");
  SourceConfig config = mini_config();
  config.secrets.erase("token");
  EXPECT_THAT(refused(file, config), testing::EndsWith("there is no token"));
  const auto source = mini(file, config);
  const auto fetch = source->api()->plan_fetch(a_post());
  ASSERT_FALSE(fetch);
  EXPECT_THAT(fetch.error().detail, testing::EndsWith("there is no token"));
}

// A delivery may have been planned when the secret was still there.
TEST(CallSecrets, ThatAreTakenAwayAreMissedWhenTheReplyIsSent) {
  for (
      const std::string auth :
      {R"({"scheme": "bearer", "secret": "token"})", R"({"scheme": "standard_webhooks", "secret": "token"})",
       R"({"scheme": "basic", "user": "user", "secret": "token"})",
       R"({"scheme": "query", "query": "q", "secret": "token"})",
       R"({"scheme": "oauth1", "consumer_key": "user", "consumer_secret": "password", "token": "token", "token_secret": "token_secret"})"}) {
    const json file = mini_file("/api/auth", auth);
    SourceConfig config = mini_config();
    config.secrets["token"] = {std::string(kSigningKey)};
    const std::string planned = must(mini(file, config)->api()->plan_reply(a_post(), "x", kReplyId));
    config.secrets.erase("token");
    const auto later = mini(file, config);
    const auto request = must(later->api()->attempt(planned, false, nullptr))->next(nullptr, now());
    ASSERT_FALSE(request) << auth;
    EXPECT_EQ(request.error().code, ErrorCode::unprocessable);
    EXPECT_THAT(request.error().detail, HasSubstr("token")) << auth;
  }
}

TEST(CallSecrets, ThatCannotSignAreSaidToBeSoWithoutBeingRepeated) {
  const std::string why = refused(mini_file("/api/auth", R"({"scheme": "standard_webhooks", "secret": "password"})"));
  EXPECT_THAT(why, HasSubstr("the secret password cannot sign"));
  EXPECT_THAT(why, Not(HasSubstr("p:w")));
}

}  // namespace
}  // namespace triage::ingest::test
