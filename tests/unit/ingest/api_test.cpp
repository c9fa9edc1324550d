// What a platform's answers mean for replies and fetches, and what is kept of them.
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
using testing::Not;

std::int64_t epoch() {
  return to_millis(now()) / 1000;
}

// --- documents ---

TEST(ReplyDocument, HoldsWhatItAnswersAndNoSecret) {
  json file = mini_file();
  file["api"]["let"] = json::parse(R"({"t": {"config": "token"}})");
  file["api"]["auth"] = json::parse(R"({"scheme": "bearer", "secret": "token"})");
  file["replies"][0]["call"]["query"] = json::parse(R"({"k": "@t", "u": {"config": "password"}})");
  file["fetches"] = json::parse(R"([{"call": {"path": "/f", "query": {"k": "@t"}}, "fields": {"text": "/text"}}])");
  const auto source = mini(file);
  const std::string reply = must(source->api()->plan_reply(a_post(), "Tr\u00e8s \"bien\"", kReplyId));
  const std::string fetch = must(source->api()->plan_fetch(a_post()));
  EXPECT_THAT(reply_request(*source).url, HasSubstr(kToken)) << "the call has them";
  for (const auto& [name, values] : source->config().secrets) {
    if (name == "user") continue;  // who wrote the post is called so too
    for (const auto& value : values) {
      EXPECT_THAT(reply, Not(HasSubstr(value)));
      EXPECT_THAT(fetch, Not(HasSubstr(value)));
    }
  }
  const json kept = json::parse(reply);
  EXPECT_EQ(kept.at("text"), "Tr\u00e8s \"bien\"");
  EXPECT_EQ(kept.at("post").at("native_id"), "77");
  EXPECT_EQ(kept.at("post").at("author").at("handle"), "ann");
  EXPECT_EQ(kept.at("post").at("created_at"), format_time(a_post().created_at));
  EXPECT_FALSE(kept.at("post").contains("in_reply_to")) << "what is not there is left out";
  EXPECT_EQ(source->api()->subject_of(reply), kReplyId);
  const Post pending = a_post();
  EXPECT_EQ(source->api()->subject_of(must(source->api()->plan_fetch(pending))), pending.id.view());
}

TEST(ReplyDocument, ThatIsNoneIsRefused) {
  const auto source = mini(mini_file());
  for (const std::string document : {"", "{", "[]", "null", "\"x\"", "\xff"}) {
    EXPECT_FALSE(source->api()->attempt(document, false, nullptr)) << document;
    EXPECT_EQ(source->api()->subject_of(document), "");
    EXPECT_EQ(source->api()->repeat_of(document), Api::Repeat::safe) << "nothing is sent of it";
  }
  const auto fetch = source->api()->attempt(R"({"kind": "fetch"})", false, nullptr);
  ASSERT_FALSE(fetch);
  EXPECT_THAT(fetch.error().detail, HasSubstr("no rule for it any more"));
  const auto odd = source->api()->attempt(R"({"kind": 5, "post": [], "text": {}, "id": {"a": 1}})", false, nullptr);
  ASSERT_TRUE(odd);
  EXPECT_TRUE((*odd)->next(nullptr, now())) << "what is not there is left out";
}

TEST(ReplyDocument, IsRefusedWhereTheSourceCannotReply) {
  const auto refused = [](const json& file, const Post& post = a_post()) {
    const auto planned = mini(file)->api()->plan_reply(post, "x", kReplyId);
    return planned ? "(planned)" : planned.error().detail;
  };
  json none = mini_file();
  none.erase("replies");
  EXPECT_THAT(refused(none), HasSubstr("its file has no rule for them"));
  const json never = mini_file("/replies/0/when", R"({"exists": "/post/rating"})");
  EXPECT_THAT(refused(never), HasSubstr("no rule for replies to this post (a comment of mini)"));
  EXPECT_FALSE(mini(never)->api()->plan_fetch(a_post()));
  json silent = mini_file();
  for (const char* key : {"api", "replies"}) silent.erase(key);
  EXPECT_EQ(mini(silent)->api(), nullptr);
}

TEST(ReplyRules, TheFirstThatHoldsTakesTheReply) {
  json file = mini_file();
  file["replies"] = json::parse(R"([
    {"when": {"value": "/post/kind", "is": "direct_message"}, "call": {"path": "/dm"}},
    {"when": [{"value": "/post/kind", "is": "comment"}, {"exists": "/post/in_reply_to"}], "call": {"path": "/thread"}},
    {"when": {"value": "/post/author/handle", "same_handle_as": {"const": "@ANN"}}, "call": {"path": "/ann"}},
    {"when": {"value": {"config": "brand_account"}, "is": "acme"}, "call": {"path": "/acme"}},
    {"call": {"path": "/never"}}])");
  const auto source = mini(file);
  Post post = a_post();
  EXPECT_EQ(reply_request(*source, post).url, "https://api.mini.example/ann");
  post.author->handle = "bo";
  EXPECT_EQ(reply_request(*source, post).url, "https://api.mini.example/acme");
  post.in_reply_to = "1";
  EXPECT_EQ(reply_request(*source, post).url, "https://api.mini.example/thread");
  post.kind = PostKind::direct_message;
  EXPECT_EQ(reply_request(*source, post).url, "https://api.mini.example/dm");
}

TEST(ReplyText, ThatIsTooLongIsRefusedWithItsLengthAsThePlatformCounts) {
  const auto length = [](const std::string& count, std::size_t most, const std::string& text) {
    json file = mini_file();
    file["replies"][0]["max_length"] = most;
    file["replies"][0]["count"] = count;
    const auto planned = mini(file)->api()->plan_reply(a_post(), text, kReplyId);
    if (planned) return std::string("(taken)");
    EXPECT_EQ(planned.error().code, ErrorCode::unprocessable);
    return planned.error().fields.size() == 1 && planned.error().fields[0].pointer == "/text"
               ? planned.error().fields[0].detail
               : planned.error().detail;
  };
  // "é" of two code points, a family of five code points, and a flag of two.
  const std::string text = "e\u0301\U0001F468\u200d\U0001F469\u200d\U0001F467\U0001F1E9\U0001F1EA";
  struct Case {
    std::string count;
    std::size_t length;
  };
  for (const Case& one : {Case{"characters", 9}, Case{"utf16", 14}, Case{"bytes", 29}, Case{"graphemes", 3}}) {
    EXPECT_EQ(length(one.count, one.length, text), "(taken)") << one.count;
    EXPECT_EQ(length(one.count, one.length - 1, text), "is " + std::to_string(one.length) +
                                                           " long as the platform counts, expected at most " +
                                                           std::to_string(one.length - 1));
  }
  EXPECT_EQ(length("x", 27, "see https://example.com/a/very/long/address"), "(taken)") << "an address counts as 23";
  EXPECT_EQ(length("x", 26, "see https://example.com/a/very/long/address"),
            "is 27 long as the platform counts, expected at most 26");
}

TEST(ReplyText, IsWhatTheFileMakesOfItAndCountsSo) {
  json file = mini_file();
  file["replies"][0]["text"] = json::parse(R"({"template": "@{/post/author/handle} {/text}"})");
  file["replies"][0]["max_length"] = 16;
  const auto source = mini(file);
  EXPECT_EQ(json::parse(reply_request(*source, a_post(), "On its way").body).at("text"), "@ann On its way");
  const std::string planned = must(source->api()->plan_reply(a_post(), "On its way.", kReplyId));
  EXPECT_EQ(json::parse(planned).at("text"), "On its way.")
      << "kept as it was written: the next attempt makes it again";
  EXPECT_FALSE(source->api()->plan_reply(a_post(), "On its way..", kReplyId));
  Post nameless = a_post();
  nameless.author.reset();
  EXPECT_EQ(json::parse(reply_request(*source, nameless, "On its way").body).at("text"), "On its way");
}

// --- one attempt ---

TEST(ReplyAttempt, AsksFirstWhereTheFileSaysSo) {
  json file = mini_file();
  file["replies"] = json::parse(R"([{"before": {"path": "/posts/{/post/native_id}"},
    "call": {"method": "POST", "path": "/say/{/before/thread}", "json": {"object": {"parent": "/before/hash", "text": "/text"}}},
    "native_id": "/id"}])");
  const auto source = mini(file);
  const auto attempt = attempt_of(*source);
  const Outgoing first = must(attempt->next(nullptr, now())).value();
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.url, "https://api.mini.example/posts/77");
  EXPECT_FALSE(attempt->acts());
  const Said post{200, R"({"thread": 12, "hash": {"a": [1, 2]}})", {}};
  attempt->answered(post.incoming(), now());
  const Outgoing second = must(attempt->next(nullptr, now())).value();
  EXPECT_TRUE(attempt->acts());
  EXPECT_EQ(second.url, "https://api.mini.example/say/12");
  EXPECT_EQ(json::parse(second.body), json::parse(R"({"parent": {"a": [1, 2]}, "text": "On its way"})"));
  attempt->answered(Said{201, R"({"id": "r1"})", {}}.incoming(), now());
  EXPECT_FALSE(must(attempt->next(nullptr, now())));
  EXPECT_EQ(attempt->result().taken, Taken::yes);
  EXPECT_EQ(attempt->result().native_id, "r1");
}

TEST(ReplyAttempt, EndsWhereTheCallBeforeIsRefused) {
  const json file = mini_file("/replies/0/before", R"({"path": "/before"})");
  const auto before = [&](const Said& said) {
    const auto source = mini(file);
    const auto attempt = attempt_of(*source);
    must(attempt->next(nullptr, now()));
    attempt->answered(said.incoming(), now());
    EXPECT_FALSE(must(attempt->next(nullptr, now())));
    return attempt->result();
  };
  EXPECT_EQ(before({404, R"({"message": "no such post"})", {}}).taken, Taken::no);
  EXPECT_THAT(before({404, R"({"message": "no such post"})", {}}).error, HasSubstr("no such post"));
  const Reading broken = before({502, "", {}});
  EXPECT_EQ(broken.taken, Taken::again);
  EXPECT_FALSE(broken.may_have_acted) << "it only asked";
  EXPECT_TRUE(reading_of(*mini(mini_file()), {502, "", {}}).may_have_acted);
}

TEST(ReplyAttempt, CannotBeMadeWhereTheAnswerBeforeLacksSomething) {
  json file = mini_file("/replies/0/before", R"({"path": "/before"})");
  file["replies"][0]["call"]["path"] = "/say/{/before/thread}";
  const auto source = mini(file);
  for (const std::string body : {"{}", "null", "[]", R"({"thread": null})", R"({"thread": {}})"}) {
    const auto attempt = attempt_of(*source);
    must(attempt->next(nullptr, now()));
    attempt->answered(Said{200, body, {}}.incoming(), now());
    const auto request = attempt->next(nullptr, now());
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().code, ErrorCode::unprocessable);
  }
  for (const std::string body : {"", "<html>"}) {  // of whatever stands in between
    const auto attempt = attempt_of(*source);
    must(attempt->next(nullptr, now()));
    attempt->answered(Said{200, body, {}}.incoming(), now());
    EXPECT_FALSE(must(attempt->next(nullptr, now()))) << body;
    EXPECT_EQ(attempt->result().taken, Taken::again) << body;
  }
}

TEST(ReplyAttempt, IsRepeatedByItselfOnlyWhereThatIsSafe) {
  const auto repeat = [](const json& file) {
    const auto source = mini(file);
    return source->api()->repeat_of(must(source->api()->plan_reply(a_post(), "x", kReplyId)));
  };
  EXPECT_EQ(repeat(mini_file()), Api::Repeat::unsafe);
  EXPECT_EQ(repeat(mini_file("/replies/0/repeat", "true")), Api::Repeat::safe);
  const std::string twice = R"({"value": "$/status", "is": 409})";
  EXPECT_EQ(repeat(mini_file("/replies/0/already_when", twice)), Api::Repeat::detected);
  EXPECT_EQ(mini(mini_file())->api()->repeat_of(R"({"kind": "fetch"})"), Api::Repeat::safe) << "it only asks";
}

// --- answers ---

TEST(ReplyAnswer, OfSuccessGivesWhatThePlatformCallsIt) {
  const auto source = mini(mini_file());
  const Reading taken = reading_of(*source, {201, R"({"id": 9007199254740993, "url": "https://mini.example/9"})", {}});
  EXPECT_EQ(taken.taken, Taken::yes);
  EXPECT_EQ(taken.error, "");
  EXPECT_EQ(taken.native_id, "9007199254740993");
  EXPECT_EQ(taken.url, "https://mini.example/9");
  EXPECT_FALSE(taken.pause);
  for (const int status : {200, 201, 202, 204, 299}) {
    for (const std::string body :
         {"", "null", "[]", "<html>", "{", "\xff", R"({"id": null, "url": {"a": 1}})", R"({"id": true, "url": 5.5})"}) {
      const Reading odd = reading_of(*source, {status, body, {}});
      EXPECT_EQ(odd.taken, Taken::yes) << status << body << ": it has it, whatever it says of it";
      EXPECT_EQ(odd.native_id + odd.url, "") << body;
    }
  }
}

TEST(ReplyAnswer, KeepsOnlyIdsThatPostsMayHaveAndAddressesThatBrowsersMayBeSentTo) {
  const auto source = mini(mini_file());
  const auto named = [&](const json& id, const json& url) {
    return reading_of(*source, {200, json{{"id", id}, {"url", url}}.dump(), {}});
  };
  EXPECT_EQ(named(std::string(256, 'i'), "x").native_id.size(), 256u);
  EXPECT_EQ(named(std::string(257, 'i'), "x").native_id, "");
  EXPECT_EQ(named(std::string("a\0b", 3), "x").native_id, "ab") << "as it is of posts";
  for (const std::string& bad :
       {std::string("javascript:alert(1)"), std::string("/relative"), std::string("https://a b"),
        "https://" + std::string(10'000, 'a'), std::string("https://a\"onclick=")}) {
    EXPECT_EQ(named("1", bad).url, "") << bad.substr(0, 40);
  }
}

TEST(ReplyAnswer, OfRefusalIsFinalAndSaysWhatThePlatformSays) {
  const auto source = mini(mini_file());
  for (const int status : {300, 301, 304, 400, 403, 404, 405, 409, 410, 413, 415, 422, 451, 499, 100, 0}) {
    const Reading no = reading_of(*source, {status, "", {}});
    EXPECT_EQ(no.taken, Taken::no) << status;
    EXPECT_EQ(no.error, "the platform answered " + std::to_string(status));
    EXPECT_FALSE(no.retry_after);
  }
  for (const std::string body :
       {R"({"error": {"message": "Too old"}})", R"({"errors": [{"message": "Too old"}]})",
        R"({"errors": [{"detail": "Too old"}]})", R"({"detail": "Too old", "title": "Forbidden"})",
        R"({"message": "Too old"})", R"({"error": "denied", "error_description": "Too old"})",
        R"({"description": "Too old", "ok": false})", R"({"status": 3, "status_message": "Too old"})",
        R"({"error": {"error_user_msg": "Too old"}})", R"({"error": "Too old"})", R"({"title": "Too old"})",
        R"({"error": {"message": ""}, "title": "Too old"})"}) {
    EXPECT_EQ(reading_of(*source, {403, body, {}}).error, "the platform answered 403: Too old") << body;
  }
  for (const std::string body : {"<html>Forbidden</html>", "{", "\xff\xfe", "[]", "null", "5",
                                 R"({"error": {"message": 5}})", R"({"errors": {}, "message": null, "detail": []})"}) {
    EXPECT_EQ(reading_of(*source, {403, body, {}}).error, "the platform answered 403") << body;
  }
}

TEST(ReplyAnswer, IsReadForTheWordsWhereTheFileSaysTheyAre) {
  json file = mini_file();
  file["api"]["error"] =
      json::parse(R"({"first": [{"template": "{/problem/code}: {/problem/text}"}, "/problem/text"]})");
  const auto source = mini(file);
  const auto said = [&](const std::string& body) { return reading_of(*source, {400, body, {}}).error; };
  EXPECT_EQ(said(R"({"problem": {"code": 7, "text": "No"}, "message": "generic"})"),
            "the platform answered 400: 7: No");
  EXPECT_EQ(said(R"({"problem": {"text": "No"}})"), "the platform answered 400: No");
  EXPECT_EQ(said(R"({"message": "generic"})"), "the platform answered 400: generic") << "else the usual places";
  EXPECT_EQ(said("<html>"), "the platform answered 400");
  const std::string long_words = said(json{{"problem", {{"text", "\u00e9" + std::string(5000, '!')}}}}.dump());
  EXPECT_LE(long_words.size(), 400u);
  EXPECT_THAT(long_words, HasSubstr("\u00e9!!!"));
  EXPECT_EQ(said(json{{"problem", {{"text", std::string("a\0b", 3)}}}}.dump()), "the platform answered 400: ab");
}

TEST(ReplyAnswer, OfAPassingFailureIsTriedAgain) {
  const auto source = mini(mini_file());
  for (const int status : {401, 408, 425, 429, 500, 502, 503, 504, 520, 599}) {
    const Reading again = reading_of(*source, {status, R"({"message": "Later"})", {}});
    EXPECT_EQ(again.taken, Taken::again) << status;
    EXPECT_EQ(again.error, "the platform answered " + std::to_string(status) + ": Later");
    const bool open = status == 408 || (status >= 500 && status != 503);
    EXPECT_EQ(again.may_have_acted, open) << status;
  }
}

TEST(ReplyAnswer, MayBeAFailureAlthoughItsStatusSaysOtherwise) {
  json file = mini_file();
  file["api"]["failed_when"] = json::parse(R"({"not": {"value": "/ok", "is": true}})");
  file["api"]["retry_when"] = json::parse(R"({"value": "/code", "in": [1, 2]})");
  file["replies"][0]["already_when"] = json::parse(R"({"value": "/code", "is": 3})");
  const auto source = mini(file);
  EXPECT_EQ(reading_of(*source, {200, R"({"ok": true})", {}}).taken, Taken::yes);
  const Reading failed = reading_of(*source, {200, R"({"ok": false, "code": 9, "message": "Too old"})", {}});
  EXPECT_EQ(failed.taken, Taken::no);
  EXPECT_EQ(failed.error, "the platform answered 200: Too old");
  EXPECT_EQ(reading_of(*source, {200, R"({"ok": false, "code": 2})", {}}).taken, Taken::again) << "retry_when wins";
  EXPECT_EQ(reading_of(*source, {200, R"({"ok": true, "code": 2})", {}}).taken, Taken::again);
  EXPECT_EQ(reading_of(*source, {400, R"({"code": "1"})", {}}).taken, Taken::again);
  EXPECT_EQ(reading_of(*source, {200, "", {}}).taken, Taken::no) << "what cannot be read is not ok";
  EXPECT_EQ(reading_of(*source, {200, "<html>", {}}).taken, Taken::no);
}

TEST(ReplyAnswer, ThatItIsThereAlreadyCountsAfterAnAttemptThatMayHaveArrived) {
  json file = mini_file();
  file["replies"][0]["already_when"] =
      json::parse(R"([{"value": "$/status", "is": 403}, {"value": "/detail", "starts_with": "Duplicate"}])");
  const Said duplicate{403, R"({"detail": "Duplicate content", "id": "9", "url": "https://mini.example/9"})", {}};
  const auto source = mini(file);
  EXPECT_EQ(reading_of(*source, duplicate).taken, Taken::no) << "somebody else said it before";
  const Reading already = reading_of(*source, duplicate, true);
  EXPECT_EQ(already.taken, Taken::yes);
  EXPECT_EQ(already.native_id, "9");
  EXPECT_EQ(already.url, "https://mini.example/9");
  EXPECT_EQ(already.error, "");
  EXPECT_EQ(reading_of(*source, {403, R"({"detail": "Blocked"})", {}}, true).taken, Taken::no);
  EXPECT_EQ(reading_of(*source, {400, duplicate.body, {}}, true).taken, Taken::no);
  file["replies"][0]["repeat"] = true;
  EXPECT_EQ(reading_of(*mini(file), duplicate).taken, Taken::yes) << "with a key of ours it is ours";
}

TEST(ReplyAnswer, MayBeAnythingAtAll) {
  json file = mini_file();
  file["api"] = json::parse(R"({"base": {"config": "api_url"}, "let": {"first": {"split": "/text", "by": " ", "at": 0}},
    "rate_limit": {"remaining": "x-left", "reset": "x-reset", "retry_after": "/wait"},
    "failed_when": {"exists": "/failed/0/0"}, "retry_when": {"value": "/error/code", "is": 1},
    "error": {"first": [{"template": "{/error/text} {@first}"}, "/error/0/text"]}})");
  file["replies"][0]["url"] = json::parse(R"({"template": "https://{/host/0}/{/id}"})");
  const auto source = mini(file);
  const auto repeated = [](const std::string& text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  };
  std::vector<std::string> bodies{repeated("[", 100'000),
                                  repeated("[", 127) + repeated("]", 127),
                                  repeated("{\"error\":", 127) + "1" + repeated("}", 127),
                                  repeated("{\"failed\":[", 60) + "1" + repeated("]}", 60),
                                  "[" + repeated("{},", 240'000) + "1]",
                                  "{\"id\": \"" + std::string(1'000'000, 'x') + "\"}",
                                  "{\"error\": \"" + repeated("\\u0000", 100'000) + "\"}",
                                  "\xef\xbb\xbf{}",
                                  std::string("{}\0", 3),
                                  "{\"id\": 1e999}",
                                  "{\"wait\": -1e300}",
                                  "{\"error\": {\"code\": 1.0}}"};
  const json shapes[] = {nullptr,
                         true,
                         0,
                         -1,
                         1.5,
                         "",
                         "x",
                         json::array(),
                         json::object(),
                         json{{"code", 1}},
                         json::array({json::array({1})})};
  for (const char* key : {"id", "url", "error", "errors", "failed", "host", "message", "detail", "wait"}) {
    for (const json& shape : shapes) bodies.push_back(json{{key, shape}}.dump());
  }
  for (const int status : {200, 400, 401, 403, 429, 500}) {
    for (const std::string& body : bodies) {
      const Reading reading =
          reading_of(*source, {status, body, {{"x-left", body.substr(0, 20)}, {"x-reset", body.substr(0, 20)}}});
      EXPECT_LE(reading.error.size(), 400u) << body.substr(0, 60);
      EXPECT_EQ(reading.error.empty(), reading.taken == Taken::yes);
      EXPECT_LE(reading.native_id.size(), 256u);
      EXPECT_NO_THROW(json(reading.error + reading.native_id + reading.url).dump()) << "valid UTF-8";
      for (const auto& wait : {reading.retry_after, reading.pause}) {
        EXPECT_TRUE(!wait || (*wait >= Duration(0) && *wait <= hours(24 * 365))) << body.substr(0, 60);
      }
    }
  }
}

// --- when to ask again ---

TEST(AnswerLimits, RetryAfterIsSecondsOrADate) {
  const auto source = mini(mini_file());
  const auto after = [&](const std::string& value, int status = 429) {
    return reading_of(*source, {status, "", {{"RETRY-AFTER", value}}}).retry_after;
  };
  EXPECT_EQ(after("120"), seconds(120));
  EXPECT_EQ(after("0"), seconds(0));
  EXPECT_EQ(after("1.5"), milliseconds(1500));
  EXPECT_EQ(after("120", 503), seconds(120));
  EXPECT_EQ(after("120", 401), seconds(120));
  EXPECT_EQ(after("120", 403), std::nullopt) << "that is final";
  EXPECT_EQ(after("Sun, 22 Nov 2026 09:31:05 GMT"), seconds(60));
  EXPECT_EQ(after("Sun, 22 Nov 2026 09:00:00 GMT"), seconds(0)) << "a date that is past";
  for (const std::string none : {"", "soon", "nan", "inf", "1 minute", "12:30"}) {
    EXPECT_EQ(after(none), std::nullopt) << none;
  }
  EXPECT_EQ(after("-5"), seconds(0));
  for (const std::string far : {"99999999999999", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    const auto wait = after(far);
    ASSERT_TRUE(wait) << far;
    EXPECT_GE(*wait, hours(24)) << far;
    EXPECT_LE(*wait, hours(24 * 365)) << far;
  }
}

TEST(AnswerLimits, TooManyCallsPauseAllOfThemForAnHourAtMost) {
  const auto source = mini(mini_file());
  EXPECT_EQ(reading_of(*source, {429, "", {{"retry-after", "120"}}}).pause, seconds(120));
  EXPECT_EQ(reading_of(*source, {429, "", {}}).pause, std::nullopt);
  EXPECT_EQ(reading_of(*source, {503, "", {{"retry-after", "120"}}}).pause, std::nullopt) << "only this call waits";
  for (const std::string far : {"86400", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    EXPECT_EQ(reading_of(*source, {429, "", {{"retry-after", far}}}).pause, hours(1)) << far;
  }
}

std::optional<Duration> paused(const std::string& format, const std::string& remaining, const std::string& reset,
                               int status = 200) {
  json file = mini_file();
  file["api"]["rate_limit"] = {{"remaining", "x-left"}, {"reset", "x-reset"}, {"format", format}};
  const Reading reading = reading_of(*mini(file), {status, "{}", {{"X-Left", remaining}, {"X-Reset", reset}}});
  if (status == 200) {
    EXPECT_EQ(reading.taken, Taken::yes) << "it was taken all the same";
    EXPECT_EQ(reading.retry_after, std::nullopt);
  }
  return reading.pause;
}

TEST(AnswerLimits, TheLastCallOfAWindowPausesUntilTheNext) {
  EXPECT_EQ(paused("epoch_seconds", "0", std::to_string(epoch() + 90)), seconds(90));
  EXPECT_EQ(paused("epoch_milliseconds", "0", std::to_string((epoch() + 90) * 1000)), seconds(90));
  EXPECT_EQ(paused("epoch", "0", std::to_string(epoch() + 90)), seconds(90));
  EXPECT_EQ(paused("rfc3339", "0", "2026-11-22T09:32:05.000Z"), seconds(120));
  EXPECT_EQ(paused("rfc5322", "0", "Sun, 22 Nov 2026 09:31:05 GMT"), seconds(60));
  EXPECT_EQ(paused("seconds", "0", "90"), seconds(90));
  EXPECT_EQ(paused("seconds", "0.0", "90.5"), milliseconds(90'500)) << "as Reddit writes them";
  EXPECT_EQ(paused("seconds", "0.4", "10"), seconds(10)) << "less than a whole one";
  EXPECT_EQ(paused("epoch_seconds", "0", std::to_string(epoch() - 90)), seconds(0));
  EXPECT_EQ(paused("epoch_seconds", "0", std::to_string(epoch() + 86'400)), hours(1)) << "an hour at most";
  EXPECT_EQ(paused("seconds", "0", "1e300"), hours(1));
}

TEST(AnswerLimits, CallsThatAreLeftDoNotPause) {
  for (const std::string left : {"1", "99.0", "15000"}) {
    EXPECT_EQ(paused("seconds", left, "90"), std::nullopt) << left;
    EXPECT_EQ(paused("seconds", left, "90", 500), std::nullopt) << left;
  }
  EXPECT_EQ(paused("seconds", "0", "90", 500), seconds(90)) << "whatever the answer";
}

TEST(AnswerLimits, HeadersThatCannotBeReadSayNothing) {
  for (const std::string odd : {"", "soon", "nan", "-nan", "[]"}) {
    EXPECT_EQ(paused("seconds", "0", odd), std::nullopt) << odd;
    EXPECT_EQ(paused("epoch_seconds", "0", odd), std::nullopt) << odd;
    EXPECT_EQ(paused("rfc3339", "0", odd), std::nullopt) << odd;
    EXPECT_EQ(paused("seconds", odd, "90"), std::nullopt) << odd;
  }
  EXPECT_EQ(paused("seconds", "0", "-5"), seconds(0));
  json file = mini_file("/api/rate_limit", R"({"remaining": "x-left", "reset": "x-reset"})");
  EXPECT_EQ(reading_of(*mini(file), {200, "{}", {{"x-left", "0"}}}).pause, std::nullopt);
  EXPECT_EQ(reading_of(*mini(file), {200, "{}", {{"x-reset", "90"}}}).pause, std::nullopt);
  EXPECT_EQ(reading_of(*mini(file), {200, "{}", {{"x-left", "0"}, {"x-reset", "90"}}}).pause, seconds(90))
      << "seconds where no format is named";
}

TEST(AnswerLimits, TooManyCallsWaitForTheResetWhereNoOtherTimeIsSaid) {
  json file = mini_file("/api/rate_limit", R"({"remaining": "x-left", "reset": "x-reset", "retry_after": "/wait"})");
  const auto source = mini(file);
  const Headers headers{{"x-left", "5"}, {"x-reset", "90"}};
  const Reading by_header = reading_of(*source, {429, "{}", headers});
  EXPECT_EQ(by_header.retry_after, seconds(90)) << "although it says that there are calls left";
  EXPECT_EQ(by_header.pause, seconds(90));
  EXPECT_EQ(reading_of(*source, {429, R"({"wait": 2.5})", headers}).retry_after, milliseconds(2500));
  EXPECT_EQ(reading_of(*source, {429, R"({"wait": -1})", headers}).retry_after, seconds(0));
  EXPECT_EQ(reading_of(*source, {503, R"({"wait": 7})", {}}).retry_after, seconds(7));
  EXPECT_EQ(reading_of(*source, {429, R"({"wait": "x"})", headers}).retry_after, seconds(90));
  Headers both = headers;
  both.emplace_back("Retry-After", "3");
  EXPECT_EQ(reading_of(*source, {429, R"({"wait": 7})", both}).retry_after, seconds(3)) << "a header first";
}

// --- fetches ---

json fetching_file() {
  json file = mini_file();
  file["fetches"] = json::parse(R"([
    {"when": {"value": "/post/kind", "is": "review"}, "call": {"path": "/reviews/{/post/native_id}"},
     "fields": {"text": "/text", "rating": "/stars"}},
    {"call": {"path": "/posts/{/post/native_id}"},
     "fields": {"text": "/text", "created_at": {"time": "/at", "format": "rfc3339"}, "url": "/url", "language": "/lang",
                "in_reply_to": "/parent", "conversation_id": "/thread", "brand_account": "/page", "revision": "/version",
                "native_id": {"first": ["/id", "$/post/native_id"]}, "kind": {"first": ["/kind", "$/post/kind"]},
                "platform": {"first": ["/platform", "$/post/platform"]},
                "author": {"native_id": "/by/id", "handle": "/by/handle", "name": "/by/name"},
                "media": [{"each": "/photos", "type": {"const": "photo"}, "url": ""}]},
     "own": {"value": "/by/handle", "same_handle_as": {"config": "brand_account"}},
     "gone_when": {"value": "$/status", "in": [404, 410]}}])");
  return file;
}

Post a_pending_post() {
  Post post = a_post();
  post.text.clear();
  post.language = "en";
  post.in_reply_to = "70";
  post.conversation_id = "7";
  post.brand_account = "page-1";
  post.revision = 3;
  post.geo = Geo{{}, {}, "Leeds"};
  post.media = {{"photo", "https://mini.example/p"}};
  return post;
}

Reading fetched(const Said& said, const Post& pending = a_pending_post()) {
  const auto source = mini(fetching_file());
  const auto attempt = must(source->api()->attempt(must(source->api()->plan_fetch(pending)), false, &pending));
  EXPECT_TRUE(must(attempt->next(nullptr, now())));
  EXPECT_TRUE(attempt->acts());
  attempt->answered(said.incoming(), now());
  EXPECT_FALSE(must(attempt->next(nullptr, now())));
  return attempt->result();
}

TEST(Fetch, AsksByTheRuleThatHolds) {
  const auto source = mini(fetching_file());
  const auto url = [&](const Post& post) {
    return must(must(source->api()->attempt(must(source->api()->plan_fetch(post)), false, &post))->next(nullptr, now()))
        ->url;
  };
  Post post = a_pending_post();
  EXPECT_EQ(url(post), "https://api.mini.example/posts/77");
  post.kind = PostKind::review;
  EXPECT_EQ(url(post), "https://api.mini.example/reviews/77");
}

TEST(Fetch, WhatTheAnswerDoesNotHaveStays) {
  const Reading reading = fetched({200, R"({"text": "Where is it?"})", {}});
  ASSERT_EQ(reading.taken, Taken::yes) << reading.error;
  ASSERT_TRUE(reading.event);
  EXPECT_EQ(reading.event->kind, EventKind::post);
  Post expected = a_pending_post();
  expected.id = reading.event->post.id;
  expected.text = "Where is it?";
  EXPECT_EQ(json(reading.event->post), json(expected));
}

TEST(Fetch, WhatTheAnswerHasTakesItsPlace) {
  const Reading reading =
      fetched({200,
               R"({"text": "Edited", "at": "2026-11-22T08:00:00Z", "url": "https://mini.example/new",
    "lang": "fr", "parent": "71", "thread": "8", "page": "page-2", "version": 4, "by": {"id": "6", "handle": "@bo", "name": "Bo"},
    "photos": ["https://mini.example/q", "https://mini.example/r"]})",
               {}});
  ASSERT_TRUE(reading.event);
  const Post& post = reading.event->post;
  EXPECT_EQ(post.text, "Edited");
  EXPECT_EQ(format_time(post.created_at), "2026-11-22T08:00:00.000Z");
  EXPECT_EQ(post.url, "https://mini.example/new");
  EXPECT_EQ(post.language, "fr");
  EXPECT_EQ(post.in_reply_to, "71");
  EXPECT_EQ(post.conversation_id, "8");
  EXPECT_EQ(post.brand_account, "page-2");
  EXPECT_EQ(post.revision, 4);
  ASSERT_TRUE(post.author);
  EXPECT_EQ(post.author->native_id + post.author->handle + post.author->name, "6boBo");
  ASSERT_EQ(post.media.size(), 2u);
}

TEST(Fetch, TheAnswerCannotChangeWhichPostItIs) {
  const Reading reading =
      fetched({200, R"({"text": "t", "id": "999", "kind": "review", "platform": "other", "version": 1})", {}});
  ASSERT_TRUE(reading.event);
  const Post stored = a_pending_post();
  EXPECT_EQ(reading.event->post.native_id, stored.native_id);
  EXPECT_EQ(reading.event->post.kind, stored.kind);
  EXPECT_EQ(reading.event->post.platform, stored.platform);
  EXPECT_EQ(reading.event->post.source, stored.source);
  EXPECT_EQ(reading.event->post.received_at, stored.received_at);
  EXPECT_EQ(reading.event->post.revision, 3) << "an older revision does not take it back";
}

TEST(Fetch, AnAuthorWhoIsPartlyThereKeepsTheRest) {
  const Reading reading = fetched({200, R"({"text": "t", "by": {"name": "Ann B"}})", {}});
  ASSERT_TRUE(reading.event && reading.event->post.author);
  const Author& author = *reading.event->post.author;
  EXPECT_EQ(author.native_id, "5") << "replies go to it";
  EXPECT_EQ(author.handle, "ann");
  EXPECT_EQ(author.name, "Ann B");
  const Reading other = fetched({200, R"({"text": "t", "by": {"id": "6"}})", {}});
  ASSERT_TRUE(other.event && other.event->post.author);
  EXPECT_EQ(other.event->post.author->native_id, "6");
  EXPECT_EQ(other.event->post.author->handle, "") << "somebody else has another name";
}

TEST(Fetch, TextThatIsThereIsNotLost) {
  Post stored = a_pending_post();
  stored.kind = PostKind::review;
  stored.text = "Fine.";
  const Reading reading = fetched({200, R"({"stars": 4})", {}}, stored);
  ASSERT_TRUE(reading.event);
  EXPECT_EQ(reading.event->post.text, "Fine.");
  EXPECT_EQ(reading.event->post.rating, 4);
}

TEST(Fetch, OurOwnPostIsKnownByTheAnswer) {
  const Reading reading = fetched({200, R"({"text": "Hello", "by": {"handle": "Acme"}})", {}});
  ASSERT_TRUE(reading.event);
  EXPECT_EQ(reading.event->kind, EventKind::own_post);
}

TEST(Fetch, APostThatIsGoneIsDeleted) {
  for (const int status : {404, 410}) {
    for (const std::string body : {"", "<html>", R"({"error": {"message": "gone"}})"}) {
      const Reading reading = fetched({status, body, {}});
      EXPECT_EQ(reading.taken, Taken::gone);
      ASSERT_TRUE(reading.event);
      EXPECT_EQ(reading.event->kind, EventKind::deletion);
      EXPECT_EQ(reading.event->post.native_id, "77");
      EXPECT_EQ(reading.event->post.kind, PostKind::comment);
    }
  }
  EXPECT_EQ(fetched({403, "", {}}).taken, Taken::no);
  EXPECT_EQ(fetched({500, "", {}}).taken, Taken::again);
}

TEST(Fetch, AnAnswerWithNothingOfThePostIsAskedForAgain) {
  for (const std::string body :
       {"", "null", "{}", "[]", "<html>", "{\"text\":", R"({"text": ""})", R"({"text": {"a": 1}})", "\"text\"", "7"}) {
    const Reading reading = fetched({200, body, {}});
    EXPECT_EQ(reading.taken, Taken::again) << body;
    EXPECT_FALSE(reading.event);
    EXPECT_THAT(reading.error, HasSubstr("nothing of the post")) << body;
  }
}

TEST(Fetch, AListOfAnswersIsOnePost) {
  const Reading reading = fetched({200, R"([{"text": "first"}, {"text": "second"}])", {}});
  ASSERT_TRUE(reading.event);
  EXPECT_EQ(reading.event->post.text, "first");
}

}  // namespace
}  // namespace triage::ingest::test
