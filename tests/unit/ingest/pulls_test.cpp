// Platforms that are polled or listened to: what is asked, what an answer brings, and how far was read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform.h"
#include "triage/model/json.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

json polled_file(const std::string& pull =
                     R"({"name": "items", "call": {"path": "/items", "query": {"since": "/cursor", "page": "/page"}},
                                               "cursor": "/newest", "more": {"exists": "/next"}})") {
  json file = mini_file();
  file["pulls"] = json::array({json::parse(pull)});
  return file;
}

Outgoing asked(const Source& source, const PullState& state = {}, const std::string& page = "") {
  return must(source.api()->pull_request(0, state, page, nullptr, now()));
}

Page answered(const Source& source, const Said& said, const PullState& state = {}, const std::string& page = "") {
  return source.api()->read_page(0, state, page, said.incoming(), now());
}

std::vector<std::string> ids(const Page& page) {
  std::vector<std::string> out;
  for (const auto& event : page.mapped.events) out.push_back(event.post.native_id);
  return out;
}

const Said kItems{
    200, R"({"items": [{"id": "1", "text": "one"}, {"id": "2", "text": "two"}], "newest": {"id": 2}})", {}};

// --- which there are ---

TEST(Pulls, AreThoseThatTheConfigurationHasAllFor) {
  json file = mini_file();
  file["pulls"] = json::parse(R"([
    {"name": "all", "call": {"path": "/a"}},
    {"name": "place", "every": "5m", "when": {"exists": {"config": "place"}}, "call": {"path": "/b"}},
    {"name": "token", "call": {"path": "/c", "auth": {"scheme": "bearer", "secret": "token"}}},
    {"name": "base", "call": {"base": {"config": "place"}, "path": "/d"}, "back": "/next",
     "stream": {"call": {"path": "/s"}}}])");
  const auto names = [&](const SourceConfig& config) {
    std::vector<std::string> out;
    const auto source = mini(file, config);
    for (const Pull& pull : source->api()->pulls()) out.push_back(pull.name);
    return out;
  };
  SourceConfig config = mini_config();
  EXPECT_THAT(names(config), testing::ElementsAre("all", "token"));
  config.settings["place"] = "https://place.example";
  EXPECT_THAT(names(config), testing::ElementsAre("all", "place", "token", "base"));
  config.secrets.erase("token");
  EXPECT_THAT(names(config), testing::ElementsAre("all", "place", "base"));

  const auto source = mini(file, config);
  const auto& pulls = source->api()->pulls();
  EXPECT_EQ(pulls[0].every, seconds(60));
  EXPECT_EQ(pulls[1].every, seconds(300));
  EXPECT_FALSE(pulls[1].newest_first);
  EXPECT_TRUE(pulls[2].newest_first);
  EXPECT_TRUE(pulls[2].stream);
  EXPECT_EQ(must(source->api()->pull_request(2, {}, "", nullptr, now())).url, "https://place.example/d")
      << "they are numbered as they are listed";
}

TEST(Pulls, OfASourceWithoutAllOfAnyAreMissedWhenItIsSetUp) {
  json file = polled_file(R"({"name": "items", "when": {"exists": {"config": "place"}},
    "call": {"path": "/i", "auth": {"scheme": "basic", "user": "user", "secret": "password"}}})");
  file.erase("signatures");
  const auto refused = [&](const SourceConfig& config) {
    const auto bound = must(parse_source_file("mini", file.dump()))->bind(config);
    return bound ? "" : faults(bound.error());
  };
  SourceConfig config = mini_config();
  EXPECT_THAT(refused(config), HasSubstr("items: its settings (api_url or place)"));
  config.settings["place"] = "x";
  EXPECT_EQ(refused(config), "");
  config.secrets.erase("user");
  EXPECT_THAT(refused(config), HasSubstr("items: user"));
}

TEST(Pulls, WhoseSessionNamesASecretThatIsMissingAreNotMade) {
  SourceConfig config = config_of("google-play");
  EXPECT_EQ(bind(config)->api()->pulls().size(), 1u);
  config.secrets.erase("refresh_token");
  const auto bound = must(shipped_source("google-play"))->bind(config);
  ASSERT_FALSE(bound);
  EXPECT_THAT(faults(bound.error()), HasSubstr("reviews: refresh_token"));

  config = config_of("reddit");
  config.settings["query"] = "acme";
  for (const char* name : {"username", "password"}) config.secrets.erase(name);
  const auto reddit = bind(config);
  ASSERT_EQ(reddit->api()->pulls().size(), 1u) << "searching needs no account, the inbox does";
  EXPECT_EQ(reddit->api()->pulls()[0].name, "search");
}

// --- asking ---

TEST(PullRequest, AsksForWhatIsNew) {
  const auto source = mini(polled_file());
  EXPECT_EQ(asked(*source).url, "https://api.mini.example/items");
  EXPECT_EQ(asked(*source, {"\"a b\"", "", ""}).url, "https://api.mini.example/items?since=a%20b");
  EXPECT_EQ(asked(*source, {"12", "", ""}, "\"p2\"").url, "https://api.mini.example/items?page=p2&since=12");
  for (const std::string broken : {"{", "nul", "\xff"}) {
    EXPECT_EQ(asked(*source, {broken, "", ""}).url, "https://api.mini.example/items") << "as at first";
  }
}

TEST(PullRequest, AsksOnlyWhatHasChanged) {
  const auto source = mini(polled_file());
  const PullState state{"1", "W/\"abc\"", "Sun, 22 Nov 2026 09:00:00 GMT"};
  const Outgoing request = asked(*source, state);
  EXPECT_EQ(header_of(request, "If-None-Match"), "W/\"abc\"");
  EXPECT_EQ(header_of(request, "If-Modified-Since"), "Sun, 22 Nov 2026 09:00:00 GMT");
  EXPECT_EQ(asked(*source, state, "\"p2\"").headers, Headers()) << "they are of the first page";
  EXPECT_EQ(asked(*source).headers, Headers());
  EXPECT_EQ(asked(*source, {"", "\"a\"\r\nX-Other: b", "x\ny"}).headers, Headers()) << "nor do they make other headers";
}

// --- a page ---

TEST(PullPage, BringsEventsAndHowFarItIsRead) {
  const auto source = mini(polled_file());
  const Page page = answered(*source, kItems, {"0", "old", "older"});
  EXPECT_EQ(page.taken, Taken::yes);
  EXPECT_EQ(page.error, "");
  EXPECT_THAT(ids(page), testing::ElementsAre("1", "2"));
  EXPECT_EQ(page.state.cursor, R"({"id":2})");
  EXPECT_EQ(page.state.etag + page.state.last_modified, "") << "this answer has none";
  EXPECT_FALSE(page.more);
  EXPECT_FALSE(page.back);
  EXPECT_FALSE(page.unchanged);
  EXPECT_EQ(page.mapped.events[0].post.source, "mini-test");
  EXPECT_EQ(page.mapped.events[0].post.received_at, now());
}

TEST(PullPage, WithoutACursorKeepsTheOneBefore) {
  const auto source = mini(polled_file());
  for (const std::string body : {R"({"items": []})", R"({"items": [], "newest": null})"}) {
    const Page page = answered(*source, {200, body, {}}, {"\"before\"", "", ""});
    EXPECT_EQ(page.taken, Taken::yes);
    EXPECT_EQ(page.state.cursor, "\"before\"");
    EXPECT_EQ(page.mapped.events.size(), 0u);
    EXPECT_EQ(page.mapped.ignored, 0) << "an empty page is no event that nobody knows";
  }
}

TEST(PullPage, TheCursorMaySeeTheOneBefore) {
  const auto source = mini(polled_file(R"({"name": "items", "call": {"path": "/i"},
      "cursor": {"template": "{$/cursor},{/newest}"}})"));
  EXPECT_EQ(answered(*source, {200, R"({"newest": 2})", {}}, {"\"1\"", "", ""}).state.cursor, "\"1,2\"");
  EXPECT_EQ(answered(*source, {200, R"({"newest": 2})", {}}).state.cursor, "");
}

TEST(PullPage, KeepsWhatItIsToBeAskedWith) {
  const auto source = mini(polled_file());
  Said said = kItems;
  said.headers = {{"etag", "\"v2\""}, {"LAST-MODIFIED", "Sun, 22 Nov 2026 09:00:00 GMT"}};
  Page page = answered(*source, said);
  EXPECT_EQ(page.state.etag, "\"v2\"");
  EXPECT_EQ(page.state.last_modified, "Sun, 22 Nov 2026 09:00:00 GMT");
  page = answered(*source, said, {"1", "first", "page"}, "\"p2\"");
  EXPECT_EQ(page.state.etag + page.state.last_modified, "firstpage") << "of a further page they are not";
}

TEST(PullPage, ThatHasNotChangedIsSaidToBeSo) {
  const auto source = mini(polled_file());
  const Page page = answered(*source, {304, "", {{"etag", "other"}}}, {"1", "e", "m"});
  EXPECT_EQ(page.taken, Taken::yes);
  EXPECT_TRUE(page.unchanged);
  EXPECT_EQ(page.state.cursor + page.state.etag + page.state.last_modified, "1em");
  EXPECT_EQ(page.mapped.events.size(), 0u);
}

TEST(PullPage, SaysWhetherThereIsMore) {
  const auto more = mini(polled_file());
  EXPECT_TRUE(answered(*more, {200, R"({"items": [], "next": "x"})", {}}).more);
  const auto back = mini(polled_file(
      R"({"name": "items", "call": {"path": "/items", "query": {"token": "/page/token"}}, "back": "/next"})"));
  const Page page = answered(*back, {200, R"({"items": [], "next": {"token": "t/2"}})", {}});
  EXPECT_EQ(page.back, R"({"token":"t/2"})");
  EXPECT_EQ(asked(*back, page.state, *page.back).url, "https://api.mini.example/items?token=t%2F2");
  EXPECT_EQ(answered(*back, {200, R"({"items": [], "next": null})", {}}).back, std::nullopt);
  EXPECT_EQ(page.state.cursor, "") << "it has none";
}

TEST(PullPage, MayBeWrittenInAnotherWayThanTheSourcesWebhooks) {
  json file = polled_file(R"({"name": "feed", "body": "xml", "call": {"path": "/feed"}, "cursor": "/feed/@version"})");
  file["events"][0]["each"] = json::array({json::array({"/items", "/feed/item"})});
  const auto source = mini(file);
  const Page page = answered(*source, {200, R"(<feed version="3"><item><id>1</id><text>one</text></item></feed>)", {}});
  EXPECT_THAT(ids(page), testing::ElementsAre("1"));
  EXPECT_EQ(page.state.cursor, "\"3\"");
  EXPECT_EQ(answered(*source, kItems).taken, Taken::again);
  Request webhook;
  webhook.body = kItems.body;
  EXPECT_EQ(must(source->map(webhook.delivery(), now())).events.size(), 2u);
}

TEST(PullPage, ThatCannotBeReadIsAskedForAgainFromWhereItStood) {
  const auto source = mini(polled_file());
  const PullState state{"\"1\"", "e", "m"};
  for (const std::string& body :
       {std::string(), std::string("<html>"), std::string("{\"items\": ["), std::string("\xff"),
        std::string(100'000, '['), "[" + std::string(600'000, ',') + "]"}) {
    const Page page = answered(*source, {200, body, {{"etag", "new"}}}, state);
    EXPECT_EQ(page.taken, Taken::again) << body.substr(0, 20);
    EXPECT_THAT(page.error, HasSubstr("cannot be read"));
    EXPECT_LE(page.error.size(), 400u);
    EXPECT_EQ(page.state.cursor + page.state.etag + page.state.last_modified, "\"1\"em");
    EXPECT_TRUE(page.mapped.events.empty());
  }
}

TEST(PullPage, WithMoreEventsThanOneCommitTakesIsRefused) {
  const auto source = mini(polled_file());
  json body = {{"items", json::array()}, {"newest", 9}};
  for (int i = 0; i < 10'001; ++i) body["items"].push_back({{"id", i}, {"text", "t"}});
  const Page page = answered(*source, {200, body.dump(), {}}, {"1", "", ""});
  EXPECT_EQ(page.taken, Taken::no);
  EXPECT_THAT(page.error, HasSubstr("10000 events"));
  EXPECT_EQ(page.state.cursor, "1");
}

TEST(PullPage, MayBeAFailure) {
  json file = polled_file();
  file["api"]["failed_when"] = json::parse(R"({"value": "/ok", "is": false})");
  file["api"]["retry_when"] =
      json::parse(R"({"any": [{"value": "/code", "is": 1}, {"value": "$/status", "is": 420}]})");
  file["api"]["error"] = "/why";
  file["api"]["rate_limit"] = json::parse(R"({"remaining": "x-left", "reset": "x-reset", "retry_after": "/wait"})");
  const auto source = mini(file);
  const PullState state{"1", "e", "m"};
  const auto page = [&](const Said& said) {
    const Page out = answered(*source, said, state);
    EXPECT_EQ(out.state.cursor + out.state.etag + out.state.last_modified, "1em");
    EXPECT_TRUE(out.mapped.events.empty());
    return out;
  };
  EXPECT_EQ(page({403, R"({"why": "Not yours"})", {}}).taken, Taken::no);
  EXPECT_EQ(page({403, R"({"why": "Not yours"})", {}}).error, "the platform answered 403: Not yours");
  EXPECT_EQ(page({200, R"({"ok": false, "items": [{"id": "1", "text": "x"}]})", {}}).taken, Taken::no);
  EXPECT_EQ(page({200, R"({"ok": false, "code": 1, "wait": 4})", {}}).taken, Taken::again);
  EXPECT_EQ(page({200, R"({"ok": false, "code": 1, "wait": 4})", {}}).retry_after, seconds(4));
  EXPECT_EQ(page({420, "Enhance your calm", {}}).taken, Taken::again) << "a body that is no JSON has a status too";
  for (const int status : {401, 408, 425, 429, 500, 503})
    EXPECT_EQ(page({status, "", {}}).taken, Taken::again) << status;
  const Page limited = page({429, "", {{"retry-after", "9"}}});
  EXPECT_EQ(limited.retry_after, seconds(9));
  EXPECT_EQ(limited.pause, seconds(9));
  const Page last = answered(*source, {200, kItems.body, {{"x-left", "0"}, {"x-reset", "30"}}}, state);
  EXPECT_EQ(last.taken, Taken::yes);
  EXPECT_EQ(last.pause, seconds(30));
  EXPECT_EQ(answered(*source, {304, "", {{"x-left", "0"}, {"x-reset", "30"}}}, state).pause, seconds(30));
}

TEST(PullPage, OfAnythingAtAllKeepsItsPromises) {
  const auto source =
      mini(polled_file(R"({"name": "items", "call": {"path": "/i", "query": {"c": "/cursor/a/0", "p": "/page"}},
      "cursor": "/newest", "back": "/next/0"})"));
  const json shapes[] = {nullptr,
                         true,
                         -1,
                         1e300,
                         "",
                         "x\u0000y",
                         json::array({json::object()}),
                         json::object({{"a", {1}}}),
                         json::parse(std::string(100, '[') + std::string(100, ']'))};
  for (const char* key : {"items", "newest", "next"}) {
    for (const json& shape : shapes) {
      const json body = {{key, shape}};
      const Page page = answered(*source, {200, body.dump(), {}});
      EXPECT_EQ(page.taken, Taken::yes) << body;
      EXPECT_TRUE(page.state.cursor.empty() || json::accept(page.state.cursor)) << body;
      EXPECT_TRUE(!page.back || json::accept(*page.back)) << body;
      EXPECT_THAT(asked(*source, page.state, page.back.value_or("")).url,
                  testing::StartsWith("https://api.mini.example/i"));
    }
  }
}

// --- streams ---

json streamed_file() {
  json file =
      polled_file(R"({"name": "items", "call": {"path": "/items", "query": {"since": "/cursor"}}, "cursor": "/newest",
    "more": {"exists": "/next"},
    "stream": {"call": {"path": "/stream", "query": {"since": "/cursor"}, "headers": {"Accept": {"const": "text/event-stream"}},
                        "auth": {"scheme": "bearer", "secret": "token"}},
               "cursor": {"if": {"value": "/event", "is": "item"}, "then": "/data/id"}}})");
  file["events"] = json::parse(R"([{"each": [""],
    "rules": [{"when": {"value": "/event", "is": "item"}, "event": "post", "fields": {"native_id": "/data/id", "text": "/data/text"}},
              {"when": {"value": "/event", "is": "note"}, "event": "post", "fields": {"native_id": {"first": ["/id", "/data"]}, "text": "/data"}},
              {"when": {"value": "/event", "is": "gone"}, "event": "deletion", "fields": {"native_id": "/data"}}]}])");
  return file;
}

TEST(PullStream, IsOpenedAsItsCallSays) {
  const auto source = mini(streamed_file());
  EXPECT_TRUE(source->api()->pulls()[0].stream);
  const Outgoing request = must(source->api()->stream_request(0, {"7", "etag", ""}, nullptr, now()));
  EXPECT_EQ(request.url, "https://api.mini.example/stream?since=7");
  EXPECT_EQ(header_of(request, "Authorization"), "Bearer " + std::string(kToken));
  EXPECT_EQ(header_of(request, "Accept"), "text/event-stream");
  EXPECT_EQ(header_of(request, "If-None-Match"), std::nullopt) << "a stream has no end that could be unchanged";
}

TEST(PullStream, AnEventIsABodyOfItsOwn) {
  const auto source = mini(streamed_file());
  const auto event = [&](std::string_view name, std::string_view id, std::string_view data) {
    return source->api()->read_streamed(0, {"\"0\"", "e", "m"}, name, id, data, now());
  };
  const Page item = event("item", "", R"({"id": "5", "text": "hello", "next": 1})");
  EXPECT_EQ(item.taken, Taken::yes);
  EXPECT_THAT(ids(item), testing::ElementsAre("5"));
  EXPECT_EQ(item.state.cursor, "\"5\"") << "the stream has a cursor of its own";
  EXPECT_EQ(item.state.etag + item.state.last_modified, "em");
  EXPECT_FALSE(item.more) << "there is nothing to ask for";
  EXPECT_FALSE(item.back);

  const Page note = event("note", "n1", "no JSON: 5\nbut two lines");
  EXPECT_EQ(note.mapped.events.at(0).post.text, "no JSON: 5\nbut two lines");
  EXPECT_EQ(note.mapped.events.at(0).post.native_id, "n1");
  EXPECT_EQ(note.state.cursor, "\"0\"");
  const Page gone = event("gone", "", "109348684604919480");
  EXPECT_EQ(gone.mapped.events.at(0).kind, EventKind::deletion);
  EXPECT_EQ(gone.mapped.events.at(0).post.native_id, "109348684604919480");
  const Page other = event("filters_changed", "", "");
  EXPECT_EQ(other.taken, Taken::yes);
  EXPECT_TRUE(other.mapped.events.empty());
}

TEST(PullStream, AnEventThatIsNotUtf8IsRefused) {
  const auto source = mini(streamed_file());
  for (const auto& [name, id, data] : {std::tuple<std::string, std::string, std::string>{"note", "1", "caf\xe9"},
                                       {"note", "\xff", "text"},
                                       {"note\xc3", "1", "text"}}) {
    const Page page = source->api()->read_streamed(0, {"1", "", ""}, name, id, data, now());
    EXPECT_EQ(page.taken, Taken::no);
    EXPECT_THAT(page.error, HasSubstr("UTF-8"));
    EXPECT_TRUE(page.mapped.events.empty());
    EXPECT_EQ(page.state.cursor, "1");
  }
}

TEST(PullStream, UsesThePullsCursorWhereItHasNone) {
  json file = streamed_file();
  file["pulls"][0]["stream"].erase("cursor");
  file["pulls"][0]["cursor"] = json::parse(R"({"first": ["/newest", "/id"]})");
  const auto source = mini(file);
  EXPECT_EQ(source->api()->read_streamed(0, {}, "item", "17", "{}", now()).state.cursor, "\"17\"");
}

}  // namespace
}  // namespace triage::ingest::test
