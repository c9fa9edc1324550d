// A source file that asks its platform for something is read strictly, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// All that a file may say of it.
json whole_file() {
  json file = mini_file();
  file["api"] = json::parse(R"({"let": {"thread": "/post/native_id"}, "base": {"config": "api_url"},
    "auth": {"scheme": "bearer", "secret": "token"}, "headers": {"A": {"const": "b"}},
    "rate_limit": {"remaining": "x-left", "reset": "x-reset", "format": "epoch_seconds", "retry_after": "/wait"},
    "retry_when": {"exists": "/again"}, "failed_when": {"exists": "/failed"}, "error": "/why"})");
  file["replies"] = json::parse(R"([{"when": {"exists": "@thread"}, "before": {"path": "/b"},
    "call": {"method": "POST", "path": "/c", "form": {"t": "/text"}},
    "text": "/text", "max_length": 100, "count": "utf16", "native_id": "/id", "url": "/url", "repeat": false,
    "already_when": {"exists": "/known"}}])");
  file["fetches"] = json::parse(R"([{"when": {"exists": "/post/url"}, "before": {"path": "/b"}, "call": {"path": "/f"},
    "fields": {"text": "/text"}, "own": {"exists": "/own"}, "gone_when": {"exists": "/gone"}}])");
  file["pulls"] = json::parse(R"([{"name": "items", "every": "30s", "when": {"exists": {"config": "place"}},
    "call": {"path": "/i"}, "cursor": "/c", "more": {"exists": "/m"}, "body": "json",
    "stream": {"call": {"path": "/s"}, "cursor": "/id"}}, {"name": "other", "call": {"url": "https://h/"}, "back": "/b"}])");
  return file;
}

std::string faults_with(const std::string& pointer, const std::string& value) {
  json file = whole_file();
  file[json::json_pointer(pointer)] = json::parse(value);
  const auto parsed = parse_source_file("mini", file.dump());
  return parsed ? "" : faults(parsed.error());
}

std::string faults_without(const std::string& pointer) {
  json file = whole_file();
  const json::json_pointer at(pointer);
  file[at.parent_pointer()].erase(at.back());
  const auto parsed = parse_source_file("mini", file.dump());
  return parsed ? "" : faults(parsed.error());
}

TEST(ApiFile, IsReadWhole) {
  const auto parsed = parse_source_file("mini", whole_file().dump());
  EXPECT_TRUE(parsed) << describe(parsed.error());
}

TEST(ApiFile, EachFaultIsNamedByItsPointerWithWhatWasExpected) {
  struct Case {
    std::string pointer, value, says;
  };
  const std::vector<Case> cases{
      {"/api", "[]", "/api: expected an object, found array"},
      {"/api/bse", "1", "/api/bse: unknown key, expected let, base, auth"},
      {"/api/base", "5", "/api/base: expected a JSON pointer, or an object with const"},
      {"/api/base", R"({"config": "apiurl"})", "/api/base/config: expected api_url, brand_account"},
      {"/api/let", "[]", "/api/let: expected an object of names and expressions"},
      {"/api/let/A", R"({"const": 1})", "/api/let/A: expected a name of lower-case letters"},
      {"/api/let/thread", R"({"first": ["@thread"]})", "/api/let/thread: is worked out from itself"},
      {"/api/headers", R"(["A: b"])", "/api/headers: expected an object of names and expressions"},
      {"/api/headers", R"({"A": 5})", "/api/headers/A: expected a JSON pointer"},
      {"/api/headers", R"({"A b": {"const": "c"}})", "/api/headers/A b: expected the name of an HTTP header"},
      {"/api/headers", R"({"A: b\r\nC": {"const": "c"}})", "expected the name of an HTTP header"},
      {"/api/error", "7", "/api/error: expected a JSON pointer"},
      {"/api/retry_when", R"({"sometimes": 1})", "/api/retry_when: expected a condition"},
      {"/api/failed_when", "true", "/api/failed_when: expected a condition"},
      {"/api/rate_limit", "60", "/api/rate_limit: expected an object"},
      {"/api/rate_limit/left", "\"x\"", "/api/rate_limit/left: unknown key, expected remaining, reset"},
      {"/api/rate_limit/remaining", "5", "/api/rate_limit/remaining: expected a string"},
      {"/api/rate_limit/reset", "5", "/api/rate_limit/reset: expected a string"},
      {"/api/rate_limit/format", "\"minutes\"", "/api/rate_limit/format: expected seconds, rfc3339"},
      {"/api/rate_limit/retry_after", "5", "/api/rate_limit/retry_after: expected a JSON pointer"},
      // auth
      {"/api/auth", "\"bearer\"", "/api/auth: expected an object"},
      {"/api/auth", "{}", "/api/auth/scheme: missing, expected none, bearer"},
      {"/api/auth", R"({"scheme": "digest"})", "/api/auth/scheme: expected none, bearer, header, query, basic, oauth1"},
      {"/api/auth", R"({"scheme": "none", "secret": "token"})", "/api/auth/secret: unknown key"},
      {"/api/auth", R"({"scheme": "bearer"})", "/api/auth/secret: missing, expected the name of a secret"},
      {"/api/auth", R"({"scheme": "bearer", "secret": "tokn"})", "/api/auth/secret: expected key, "},
      {"/api/auth", R"({"scheme": "bearer", "secret": "token", "prefix": "x"})", "/api/auth/prefix: unknown key"},
      {"/api/auth", R"({"scheme": "header", "secret": "token"})",
       "/api/auth/header: missing, expected the header's name"},
      {"/api/auth", R"({"scheme": "header", "secret": "token", "header": "A b"})",
       "/api/auth/header: expected the name of an HTTP header"},
      {"/api/auth", R"({"scheme": "query", "secret": "token"})",
       "/api/auth/query: missing, expected the query parameter"},
      {"/api/auth", R"({"scheme": "basic", "secret": "token"})", "/api/auth/user: missing"},
      {"/api/auth", R"({"scheme": "oauth1", "consumer_key": "user", "consumer_secret": "key", "token": "token"})",
       "/api/auth/token_secret: missing"},
      {"/api/auth", R"({"scheme": "standard_webhooks"})", "/api/auth/secret: missing"},
      {"/api/auth", R"({"scheme": "session", "token": "/t"})", "/api/auth/call: missing, expected the call that gives"},
      {"/api/auth", R"({"scheme": "session", "call": {"path": "/l"}})", "/api/auth/token: missing, expected where the"},
      {"/api/auth", R"({"scheme": "session", "call": {"path": 5}, "token": "/t"})",
       "/api/auth/call/path: expected a string"},
      {"/api/auth", R"({"scheme": "session", "token": "/t", "call": {"path": "/l", "auth": {"scheme": "session",
         "token": "/t", "call": {"path": "/l"}}}})",
       "/api/auth/call/auth: expected another scheme"},
      {"/api/auth", R"({"scheme": "session", "call": {"path": "/l"}, "token": "/t", "expires_in": 5})",
       "/api/auth/expires_in: expected a JSON pointer"},
      // calls
      {"/replies/0/call", "\"/c\"", "/replies/0/call: expected an object"},
      {"/replies/0/call/pth", "1", "/replies/0/call/pth: unknown key, expected method, base, path, url, query"},
      {"/replies/0/call/method", "\"FETCH\"", "/replies/0/call/method: expected GET, POST, PUT, PATCH or DELETE"},
      {"/replies/0/call/method", "\"GET\"", "/replies/0/call/method: expected one that has a body"},
      {"/replies/0/call/json", R"({"const": 1})", "/replies/0/call: expected either json or form"},
      {"/replies/0/call/url", "\"https://h/\"", "/replies/0/call: expected either path (after base) or url"},
      {"/pulls/1/call/base", R"({"const": "https://h"})", "/pulls/1/call/base: expected none beside url"},
      {"/replies/0/call/path", R"({"template": "/c"})", "/replies/0/call/path: expected a string"},
      {"/replies/0/call/path", "\"/c/{/id\"", "/replies/0/call/path: expected a } for every {"},
      {"/replies/0/call/path", "\"/c/{id}\"", "/replies/0/call/path: expected a JSON pointer"},
      {"/replies/0/call/path", "\"/c/{@thred}\"", "/replies/0/call/path: no binding is called \"thred\""},
      {"/replies/0/call/path", "\"/c/{^/id}\"", "/replies/0/call/path: there is no element 1 levels around"},
      {"/replies/0/call/query", "\"a=b\"", "/replies/0/call/query: expected an object of names"},
      {"/replies/0/call/query", R"({"a": ["b"]})", "/replies/0/call/query/a: expected a JSON pointer"},
      {"/replies/0/call/form/t", "1", "/replies/0/call/form/t: expected a JSON pointer"},
      {"/replies/0/call/auth", R"({"scheme": "bearer", "secret": "x"})", "/replies/0/call/auth/secret: expected key"},
      {"/replies/0/before", "[]", "/replies/0/before: expected an object"},
      // replies
      {"/replies", "{}", "/replies: expected a list of rules"},
      {"/replies/0", "\"x\"", "/replies/0: expected an object"},
      {"/replies/0/let", "{}", "/replies/0/let: unknown key"},
      {"/replies/0/when", "5", "/replies/0/when: expected a condition"},
      {"/replies/0/text", "5", "/replies/0/text: expected a JSON pointer"},
      {"/replies/0/max_length", "0", "/replies/0/max_length: expected a whole number from 1 to 1000000"},
      {"/replies/0/max_length", "\"280\"", "/replies/0/max_length: expected a whole number"},
      {"/replies/0/count", "\"words\"", "/replies/0/count: expected characters, utf16, bytes, graphemes or x"},
      {"/replies/0/repeat", "1", "/replies/0/repeat: expected true or false"},
      {"/replies/0/native_id", "5", "/replies/0/native_id: expected a JSON pointer"},
      {"/replies/0/url", "5", "/replies/0/url: expected a JSON pointer"},
      {"/replies/0/already_when", "409", "/replies/0/already_when: expected a condition"},
      // fetches
      {"/fetches", "{}", "/fetches: expected a list of rules"},
      {"/fetches/0/text", "\"/t\"", "/fetches/0/text: unknown key, expected when, before, call, fields, own"},
      {"/fetches/0/fields", "[]", "/fetches/0/fields: expected an object"},
      {"/fetches/0/fields/txt", "\"/t\"", "/fetches/0/fields/txt: unknown key"},
      {"/fetches/0/fields/text", "5", "/fetches/0/fields/text: expected a JSON pointer"},
      {"/fetches/0/fields/author", R"({"nick": "/n"})", "/fetches/0/fields/author/nick: unknown key"},
      {"/fetches/0/own", "5", "/fetches/0/own: expected a condition"},
      {"/fetches/0/gone_when", "404", "/fetches/0/gone_when: expected a condition"},
      // pulls
      {"/pulls", "{}", "/pulls: expected a list of pulls"},
      {"/pulls/0/nme", "1", "/pulls/0/nme: unknown key, expected name, every, when"},
      {"/pulls/0/name", "\"\"", "/pulls/0/name: expected 1 to 64 characters"},
      {"/pulls/0/name", "5", "/pulls/0/name: expected a string"},
      {"/pulls/1/name", "\"items\"", "/pulls/1/name: expected a name of its own"},
      {"/pulls/0/every", "\"soon\"", "/pulls/0/every: expected a duration of at least a second, such as \"60s\""},
      {"/pulls/0/every", "\"10ms\"", "/pulls/0/every: expected a duration of at least a second"},
      {"/pulls/0/every", "60", "/pulls/0/every: expected a string"},
      {"/pulls/0/when", "1", "/pulls/0/when: expected a condition"},
      {"/pulls/0/cursor", "1", "/pulls/0/cursor: expected a JSON pointer"},
      {"/pulls/0/more", "1", "/pulls/0/more: expected a condition"},
      {"/pulls/0/back", "\"/b\"", "/pulls/0/more: expected one of more (the oldest come first) and back"},
      {"/pulls/0/body", "\"yaml\"", "/pulls/0/body: expected json, xml or form"},
      {"/pulls/0/stream", "true", "/pulls/0/stream: expected an object"},
      {"/pulls/0/stream/url", "1", "/pulls/0/stream/url: unknown key, expected call or cursor"},
      {"/pulls/0/stream/cursor", "1", "/pulls/0/stream/cursor: expected a JSON pointer"},
      {"/pulls/0/stream/call", R"({"method": "POST", "path": "/s"})", "/pulls/0/stream/call/method: expected GET"},
      // names and expressions
      {"/settings/token", "{}", "/secrets: \"token\" is also the name of a setting"},
      {"/api/error", R"({"split": "/a", "at": 0})", "/api/error/by: missing, expected what stands between the parts"},
      {"/api/error", R"({"split": "/a", "by": ","})", "/api/error/at: missing, expected which part"},
      {"/api/error", R"({"split": "/a", "by": "", "at": 0})", "/api/error/by: expected at least one character"},
      {"/api/error", R"({"split": "/a", "by": 5, "at": 0})", "/api/error/by: expected a string"},
      {"/api/error", R"({"split": "/a", "by": ",", "at": 1.5})", "/api/error/at: expected a whole number"},
      {"/api/error", R"({"split": 5, "by": ",", "at": 0})", "/api/error/split: expected a JSON pointer"},
      {"/api/error", R"({"split": "/a", "by": ",", "at": 0, "of": 1})", "/api/error/of: unknown key"},
      {"/api/error", R"({"time": "/a", "format": "epoch", "as": "x"})", "/api/error/as: expected rfc3339"},
  };
  for (const Case& one : cases) {
    EXPECT_THAT(faults_with(one.pointer, one.value), HasSubstr(one.says)) << one.pointer << " = " << one.value;
  }
}

TEST(ApiFile, WhatMustBeThereIsMissed) {
  EXPECT_THAT(faults_without("/replies/0/call"), HasSubstr("/replies/0/call: missing, expected the call to make"));
  EXPECT_THAT(faults_without("/replies/0/call/path"), HasSubstr("/replies/0/call: expected either path (after base)"));
  EXPECT_THAT(faults_without("/replies/0/max_length"), HasSubstr("/replies/0/count: expected a max_length beside it"));
  EXPECT_THAT(faults_without("/fetches/0/call"), HasSubstr("/fetches/0/call: missing"));
  EXPECT_THAT(faults_without("/fetches/0/fields"), HasSubstr("/fetches/0/fields: missing, expected the fields of"));
  EXPECT_THAT(faults_without("/pulls/0/name"), HasSubstr("/pulls/0/name: missing, expected a name for the log"));
  EXPECT_THAT(faults_without("/pulls/0/call"), HasSubstr("/pulls/0/call: missing, expected the call that asks"));
  EXPECT_THAT(faults_without("/pulls/0/stream/call"), HasSubstr("/pulls/0/stream/call: missing, expected the call"));
  EXPECT_EQ(faults_without("/signatures"), "") << "what is polled needs none";
  json generic = whole_file();
  generic.erase("events");
  generic["posts"] = json::object();
  const auto parsed = parse_source_file("mini", generic.dump());
  ASSERT_FALSE(parsed);
  EXPECT_THAT(faults(parsed.error()), HasSubstr("/pulls: expected \"events\" beside it"));
}

TEST(ApiFile, AllFaultsAreNamedAtOnce) {
  json file = whole_file();
  file["api"]["base"] = 5;
  file["replies"][0]["call"]["path"] = "{";
  file["pulls"][0]["every"] = "0s";
  const auto parsed = parse_source_file("mini", file.dump());
  ASSERT_FALSE(parsed);
  EXPECT_THAT(faults(parsed.error()), testing::AllOf(HasSubstr("/api/base:"), HasSubstr("/replies/0/call/path:"),
                                                     HasSubstr("/pulls/0/every:")));
}

TEST(ApiFile, SecretsAreNoPartOfWhatPostsAreMadeOf) {
  const std::string secret = R"({"config": "token"})";
  EXPECT_THAT(faults_with("/fetches/0/fields/text", secret), HasSubstr("/fetches/0/fields/text/config: expected"));
  EXPECT_THAT(faults_with("/events/0/rules/0/fields/text", secret), HasSubstr("/fields/text/config: expected"));
  EXPECT_EQ(faults_with("/replies/0/call/form/t", secret), "");
}

}  // namespace
}  // namespace triage::ingest::test
