// Reading a source file and binding it say everything that is at fault, at its place; and what the little language of
// such a file promises beyond what the shipped files use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A small platform: comments within threads.
json minimal() {
  return json::parse(R"({
    "name": "mini", "platform": "mini", "secrets": {"key": {"required": true}},
    "signatures": [{"scheme": "hmac", "secret": "key", "header": "x-mini"}],
    "events": [{"each": ["/threads", "/comments"], "rules": [{"event": "post", "fields": {"native_id": "/id", "text": "/text"}}]}]
  })");
}

std::string faults_of(const json& file, std::string_view name = "mini") {
  const auto parsed = parse_source_file(name, file.dump());
  return parsed ? "" : faults(parsed.error());
}

json with(const std::string& pointer, const json& value) {
  json file = minimal();
  file[json::json_pointer(pointer)] = value;
  return file;
}

std::unique_ptr<Source> mini(const json& file, SourceConfig config = {}) {
  config.name = "mini";
  config.use = "mini";
  config.secrets = {{"key", {"k"}}};
  return must(must(parse_source_file("mini", file.dump()))->bind(std::move(config)));
}

// The text of the one post that a file with this "text" makes of a body.
std::string text_of(const json& expression, const json& comment, SourceConfig config = {}) {
  json file = with("/events/0/rules/0/fields/text", expression);
  json body = {{"threads", {{{"id", "t"}, {"comments", {comment}}}}}, {"account", "us"}};
  body["threads"][0]["comments"][0]["id"] = "1";
  const Mapped mapped = map(*mini(file, std::move(config)), body.dump());
  return mapped.events.empty() ? "(ignored)" : mapped.events[0].post.text;
}

TEST(SourceFile, TheShippedOnesAreReadAndCalledByTheirNames) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TRIAGED_SOURCE_DIR) + "/config/sources")) {
    const auto file = entry.path().filename().string();
    if (file.ends_with(".json") && file != "source.schema.json") files.push_back(file.substr(0, file.size() - 5));
  }
  std::sort(files.begin(), files.end());
  EXPECT_EQ(shipped_source_names(), files) << "all of config/sources, in the order of their names";
  EXPECT_THAT(files, testing::IsSupersetOf({"generic", "meta", "x"}));
  for (const auto& name : shipped_source_names()) {
    const auto file = must(shipped_source(name));
    EXPECT_EQ(file->name(), name);
    EXPECT_FALSE(file->title().empty());
    // The same text as in the repository, read from the binary.
    const std::string text = read_file(std::string(TRIAGED_SOURCE_DIR) + "/config/sources/" + name + ".json");
    EXPECT_TRUE(parse_source_file(name, text));
  }
  const auto unknown = shipped_source("myspace");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
  EXPECT_THAT(unknown.error().detail, AllOf(HasSubstr("generic"), HasSubstr("meta")));
}

TEST(SourceFile, MustBeJsonAndCallItselfByItsName) {
  EXPECT_EQ(parse_source_file("mini", "{").error().code, ErrorCode::bad_request);
  EXPECT_EQ(parse_source_file("mini", "[]").error().code, ErrorCode::unprocessable);
  EXPECT_THAT(faults_of(minimal(), "other"), HasSubstr("/name: expected \"other\""));
}

TEST(SourceFile, EachFaultIsNamedByItsPointerWithWhatWasExpected) {
  const std::vector<std::pair<json, std::string>> cases{
      {with("/extra", 1), "/extra: unknown key"},
      {with("/platform", "Mini!"), "/platform: expected a lower-case name"},
      {with("/secrets/key/requird", true), "/secrets/key/requird: unknown key, expected required"},
      {with("/settings", json{{"secrets", json::object()}}), "/settings/secrets: "},
      {with("/signatures", json::array()), "/signatures: expected at least one"},
      {with("/signatures/0/scheme", "md5"), "/signatures/0/scheme: expected hmac, standard_webhooks, token or basic"},
      {with("/signatures/0/secret", "nokey"), "/signatures/0/secret: expected key, found \"nokey\""},
      {with("/signatures/0/algorithm", "md5"), "/signatures/0/algorithm: expected sha1, sha256 or sha512"},
      {with("/signatures/0/encoding", "octal"), "/signatures/0/encoding: expected hex or base64"},
      {with("/signatures/0/header", "a b"), "/signatures/0/header: expected the name of an HTTP header"},
      {with("/signatures/0/header", json{{"setting", "x"}}), "/signatures/0/header/setting: "},
      {with("/handshake", json{{"kind", "dance"}}),
       "/handshake/kind: expected none, echo, verify_token or hmac_answer"},
      {with("/handshake", json{{"kind", "hmac_answer"}}), "/handshake/token: missing"},
      {with("/handshake", json{{"kind", "hmac_answer"}, {"token", "t"}}), "/handshake/secret: missing"},
      {with("/posts", json::object()), ": expected either \"posts\""},
      {with("/events/0/each", json::array()), "/events/0/each: expected 1 to 6 levels"},
      {with("/events/0/each", "/threads"), "/events/0/each: expected a list"},
      {with("/events/0/each/0", "threads"), "/events/0/each/0: expected a JSON pointer"},
      {with("/events/0/each/0", "^/x"), "/events/0/each/0: there is no element 1 levels around"},
      {with("/events/0/rules/0/event", "pst"),
       "/events/0/rules/0/event: expected post, share, pending, deletion or ignore"},
      {with("/events/0/rules/0/fields/txt", "/t"), "/events/0/rules/0/fields/txt: unknown key"},
      {with("/events/0/rules/0/fields/author", json{{"nick", "/t"}}),
       "/events/0/rules/0/fields/author/nick: unknown key"},
      {with("/events/0/rules/0/fields/native_id", nullptr), "/events/0/rules/0/fields/native_id: missing"},
      {with("/events/0/rules/0/fields/kind", json{{"const", "rant"}}),
       "/events/0/rules/0/fields/kind/const: expected post, mention"},
      {with("/events/0/rules/0/fields/text", 5),
       "/events/0/rules/0/fields/text: expected a JSON pointer, or an object"},
      {with("/events/0/rules/0/fields/text", "@who/name"),
       "/events/0/rules/0/fields/text: no binding is called \"who\""},
      {with("/events/0/rules/0/fields/text", "^^^/x"),
       "/events/0/rules/0/fields/text: there is no element 3 levels around"},
      {with("/events/0/rules/0/fields/text", "/a~2"), "/events/0/rules/0/fields/text: expected a JSON pointer"},
      {with("/events/0/rules/0/fields/text", json{{"template", "{/a"}}), "/text/template: expected a } for every {"},
      {with("/events/0/rules/0/fields/text", json{{"template", "{"}}), "/text/template: expected a } for every {"},
      {with("/events/0/rules/0/fields/text", json{{"template", "{+a}"}}), "/text/template: expected a JSON pointer"},
      {with("/events/0/rules/0/fields/text", json{{"object", {"/a"}}}), "/text/object: expected an object of expr"},
      {with("/events/0/rules/0/fields/text", json{{"object", {{"a", 1}}}}), "/text/object/a: expected a JSON pointer"},
      {with("/events/0/rules/0/fields/text", json{{"list", "/a"}}), "/text/list: expected a list of expressions"},
      {with("/events/0/rules/0/fields/text", json{{"list", {"/a", "b"}}}), "/text/list/1: expected a JSON pointer"},
      {with("/events/0/rules/0/fields/text", json{{"words", "/a"}}), "/text/at: missing, expected which word"},
      {with("/events/0/rules/0/fields/text", json{{"words", "/a"}, {"at", "1"}}), "/text/at: expected a whole number"},
      {with("/events/0/rules/0/fields/text", json{{"config", "colour"}}), "/text/config: expected brand_account"},
      {with("/events/0/rules/0/fields/text", json{{"find", "/a"}}), "/text/is: missing"},
      {with("/events/0/rules/0/fields/text", json{{"translate", "/a"}}), "/text/to: missing"},
      {with("/events/0/rules/0/fields/created_at", json{{"time", "/t"}, {"format", "sundial"}}),
       "/fields/created_at/format: expected rfc3339, rfc5322, x, epoch_seconds"},
      {with("/events/0/rules/0/fields/media", json{{{"each", "/m"}}}),
       "/fields/media/0: expected a type, a url or both"},
      {with("/events/0/rules/0/when", json{{"value", "/a"}}), "/events/0/rules/0/when: expected exactly one of is, in"},
      {with("/events/0/rules/0/when", json{{"value", "/a"}, {"is", 1}, {"in", {1}}}), "/when: expected exactly one of"},
      {with("/events/0/rules/0/when", json{{"sometimes", true}}), "/events/0/rules/0/when: expected a condition"},
      {with("/events/0/let", json{{"Name", "/a"}}), "/events/0/let/Name: expected a name of lower-case"},
      {with("/events/0/let", json{{"a", "@a/x"}}), "/events/0/let/a: is worked out from itself"},
      {with("/events/0/let", json{{"a", "@b/x"}, {"b", {{"template", "{@a}"}}}}), "circle"},
  };
  for (const auto& [file, expected] : cases) EXPECT_THAT(faults_of(file), HasSubstr(expected)) << file.dump(1);
}

TEST(SourceFile, AllFaultsAreNamedAtOnce) {
  json file = with("/extra", 1);
  file["platform"] = 7;
  file["events"][0]["rules"][0]["event"] = "x";
  const std::string said = faults_of(file);
  EXPECT_THAT(said, HasSubstr("/extra: "));
  EXPECT_THAT(said, HasSubstr("/platform: "));
  EXPECT_THAT(said, HasSubstr("/events/0/rules/0/event: "));
}

TEST(Binding, NamesEachMissingUnknownAndEmptySecret) {
  SourceConfig config = config_of("meta");
  config.name = "Meta!";
  config.secrets = {{"app_secret", {"good", ""}}, {"appsecret", {"hidden-value"}}};
  config.settings = {{"header", "x"}};
  const auto bound = must(shipped_source("meta"))->bind(config);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, ErrorCode::unprocessable);
  const std::string said = faults(bound.error());
  EXPECT_THAT(said, HasSubstr("/name: "));
  EXPECT_THAT(said, HasSubstr("/secrets/app_secret/1: is empty"));
  EXPECT_THAT(
      said,
      HasSubstr(
          "/secrets/appsecret: unknown secret, the source \"meta\" knows access_token, app_secret or verify_token"));
  EXPECT_THAT(said, HasSubstr("/secrets/verify_token: missing"));
  EXPECT_THAT(said, HasSubstr("/header: unknown key"));
  EXPECT_THAT(describe(bound.error()), Not(HasSubstr("hidden-value")));
}

TEST(Binding, AnAddressIsOneAndOnlyWhatIsPolledHasAnInterval) {
  SourceConfig feed = config_of("feed");
  feed.settings["url"] = "news.example/acme.rss";
  SourceConfig x = config_of("x");
  x.pull_every = std::chrono::seconds(5);
  for (const auto& [config, expected] :
       {std::pair(feed, "/url: expected an address that begins with https:// or http://"),
        std::pair(x, "/pull_every: expected none: the source \"x\" is not polled")}) {
    const auto bound = must(shipped_source(config.use))->bind(config);
    ASSERT_FALSE(bound);
    EXPECT_THAT(faults(bound.error()), HasSubstr(expected));
  }
}

TEST(Binding, AGenericSourceNeedsOneOfItsKeysOrToBeUnsigned) {
  SourceConfig config = config_of("generic");
  config.secrets.clear();
  const auto file = must(shipped_source("generic"));
  EXPECT_THAT(faults(file->bind(config).error()), HasSubstr("/secrets: expected signing_key or hmac_key"));
  config.unsigned_ok = true;
  EXPECT_TRUE(file->bind(config));
  config.secrets["hmac_key"] = {"k"};
  EXPECT_THAT(faults(file->bind(config).error()), HasSubstr("/unsigned: "));
}

TEST(Binding, ASettingIsCheckedAndMustBeOfUse) {
  const auto file = must(shipped_source("generic"));
  SourceConfig config = config_of("generic");
  config.settings["encoding"] = "hex";
  EXPECT_THAT(faults(file->bind(config).error()), HasSubstr("/encoding: is only used with the secret hmac_key"));
  config.secrets = {{"hmac_key", {"k"}}};
  EXPECT_TRUE(file->bind(config));
  config.settings["encoding"] = "octal";
  EXPECT_THAT(faults(file->bind(config).error()), HasSubstr("/encoding: expected hex or base64"));
  config.settings = {{"header", "no header"}};
  EXPECT_THAT(faults(file->bind(config).error()), HasSubstr("/header: expected the name of an HTTP header"));
}

TEST(Expressions, PointersReachTheElementWhatIsAroundItAndTheWholeBody) {
  EXPECT_EQ(text_of("/a~1b/1/c", {{"a/b", {0, {{"c", "deep"}}}}}), "deep");
  EXPECT_EQ(text_of("^/id", json::object()), "t");
  EXPECT_EQ(text_of("$/account", json::object()), "us");
  EXPECT_EQ(text_of("/a/9", {{"a", {1}}}), "(ignored)");
  EXPECT_EQ(text_of("/n", {{"n", 12345678901234567}}), "12345678901234567") << "whole numbers are spelled out exactly";
  EXPECT_EQ(text_of("/n", {{"n", true}}), "(ignored)");
  EXPECT_EQ(text_of("/n", {{"n", nullptr}}), "(ignored)");
}

TEST(Expressions, MakeValuesOutOfOthers) {
  EXPECT_EQ(text_of(json{{"const", "fixed"}}, json::object()), "fixed");
  EXPECT_EQ(text_of(json{{"first", {"/none", "/null", "/b"}}}, {{"null", nullptr}, {"b", "B"}}), "B");
  EXPECT_EQ(text_of(json{{"template", "{^/id}_{/b}!"}}, {{"b", "B"}}), "t_B!");
  EXPECT_EQ(text_of(json{{"template", "{^/id}_{/none}"}}, json::object()), "(ignored)") << "a template is whole or not";
  EXPECT_EQ(text_of(json{{"template", "{/lat}, {/lon}"}}, {{"lat", 53.7997}, {"lon", -1.5}}), "53.7997, -1.5");
  EXPECT_EQ(text_of(json{{"length", "/l"}, {"minus", 1}}, {{"l", {1, 2, 3}}}), "2");
  EXPECT_EQ(text_of(json{{"name_of", ""}, {"except", {"id", "a"}}}, {{"a", 1}, {"liked", 2}}), "liked");
  EXPECT_EQ(
      text_of(json{{"translate", "/w"}, {"to", {{"good", "praise"}}}, {"else", {{"const", "other"}}}}, {{"w", "good"}}),
      "praise");
  EXPECT_EQ(text_of(json{{"translate", "/w"}, {"to", {{"good", nullptr}}}, {"else", "/w"}}, {{"w", "good"}}),
            "(ignored)");
  EXPECT_EQ(text_of(json{{"if", {{"exists", "/a"}}}, {"then", "/a"}, {"else", {{"const", "no"}}}}, json::object()),
            "no");
}

TEST(Expressions, ATemplateHoldsBracesOfItsOwn) {
  const auto filled = [](const std::string& text) {
    return text_of(json{{"template", text}}, {{"a", "A"}, {"+", {{"b", "B"}}}});
  };
  EXPECT_EQ(filled("{{{/a}}}"), "{A}");
  EXPECT_EQ(filled("{{/a}}"), "{/a}");
  EXPECT_EQ(filled("{{\"a\": \"{/a}\", \"b\": {{}}}}"), "{\"a\": \"A\", \"b\": {}}");
  EXPECT_EQ(filled("a } b }} c"), "a } b } c");
  EXPECT_EQ(filled("{+/a}{/a}{+$/account}"), "AAus") << "in text both forms are the same";
  EXPECT_EQ(filled("{/+/b}"), "B");
  EXPECT_EQ(filled("{+/none}{/a}"), "(ignored)");
  EXPECT_EQ(filled("plain"), "plain");
}

TEST(Expressions, MakeObjectsAndListsOfWhatIsThere) {
  const json made = {{"object",
                      {{"id", "/id"},
                       {"none", "/none"},
                       {"null", "/null"},
                       {"inner", {{"object", {{"b", "/b"}, {"description", "for people"}}}}},
                       {"list", {{"list", {"/none", "/b", {{"const", 7}}, "/null", "/a"}}}}}}};
  const json comment = {{"null", nullptr}, {"b", "B"}, {"a", {{"deep", {1, 2}}}}};
  const auto of_made = [&](const json& expression) {
    json file = with("/events/0/rules/0/fields/text", expression);
    file["events"][0]["let"] = {{"made", made}, {"empty", {{"object", {{"a", "/none"}}}}}};
    json body = {{"threads", {{{"comments", {comment}}}}}};
    body["threads"][0]["comments"][0]["id"] = "1";
    const Mapped mapped = map(*mini(file), body.dump());
    return mapped.events.empty() ? "(ignored)" : mapped.events[0].post.text;
  };
  EXPECT_EQ(of_made("@made/id"), "1");
  EXPECT_EQ(of_made("@made/inner/b"), "B");
  EXPECT_EQ(of_made("@made/inner/description"), "(ignored)");
  EXPECT_EQ(of_made("@made/none"), "(ignored)");
  EXPECT_EQ(of_made("@made/list/0"), "B") << "what is not there takes no place";
  EXPECT_EQ(of_made("@made/list/1"), "7");
  EXPECT_EQ(of_made("@made/list/2/deep/1"), "2");
  EXPECT_EQ(of_made(json{{"length", "@made/list"}}), "3");
  const json names = {{"name_of", "@made"}, {"except", {"id", "inner", "list"}}};
  EXPECT_EQ(of_made(names), "(ignored)") << "nothing else is a member";
  EXPECT_EQ(of_made(json{{"if", {{"exists", "@empty"}}}, {"then", {{"const", "there"}}}}), "there");
  const json same = {{"value", "@made/inner"}, {"is", {{"b", "B"}}}};
  EXPECT_EQ(of_made(json{{"if", same}, {"then", {{"const", "same"}}}}), "same");
}

TEST(Expressions, AWordIsFoundByItsPlace) {
  const auto word = [](const json& words, int at) {
    return text_of(json{{"words", "/w"}, {"at", at}}, {{"w", words}});
  };
  const std::string references = " <1@acme.example>\r\n\t<2@acme.example>  <3@acme.example>\n";
  EXPECT_EQ(word(references, 0), "<1@acme.example>");
  EXPECT_EQ(word(references, 1), "<2@acme.example>");
  EXPECT_EQ(word(references, 2), "<3@acme.example>");
  EXPECT_EQ(word(references, 3), "(ignored)");
  EXPECT_EQ(word(references, -1), "<3@acme.example>");
  EXPECT_EQ(word(references, -3), "<1@acme.example>");
  EXPECT_EQ(word(references, -4), "(ignored)");
  EXPECT_EQ(word("one", 0), "one");
  EXPECT_EQ(word("one", -1), "one");
  EXPECT_EQ(word(42, 0), "42");
  for (const json& none : {json(""), json(" \n"), json(nullptr), json({"a"}), json(true)}) {
    EXPECT_EQ(word(none, 0), "(ignored)");
    EXPECT_EQ(word(none, -1), "(ignored)");
  }
}

TEST(Expressions, APartIsFoundBetweenSeparators) {
  const auto part = [](const json& text, const std::string& by, int at) {
    return text_of(json{{"split", "/t"}, {"by", by}, {"at", at}}, {{"t", text}});
  };
  EXPECT_EQ(part("a:b:c", ":", 0), "a");
  EXPECT_EQ(part("a:b:c", ":", 2), "c");
  EXPECT_EQ(part("a:b:c", ":", 3), "(ignored)");
  EXPECT_EQ(part("a:b:c", ":", -1), "c");
  EXPECT_EQ(part("a:b:c", ":", -3), "a");
  EXPECT_EQ(part("a:b:c", ":", -4), "(ignored)");
  EXPECT_EQ(part("abc", ":", 0), "abc") << "a text without it is one part";
  EXPECT_EQ(part("abc", ":", -1), "abc");
  EXPECT_EQ(part("::b", ":", 1), "(ignored)") << "an empty part is not there";
  EXPECT_EQ(part("::b", ":", 2), "b");
  EXPECT_EQ(part("b:", ":", -1), "(ignored)");
  EXPECT_EQ(part("x/page=2/y", "/page=", 1), "2/y");
  EXPECT_EQ(part("aaaa", "aa", 0), "(ignored)");
  EXPECT_EQ(part("caf\u00e9\u00b7bar", "\u00b7", 0), "caf\u00e9");
  EXPECT_EQ(part(1234, "3", 0), "12") << "a whole number is as good as its digits";
  for (const json& none : {json(""), json(nullptr), json({"a"}), json(true), json(1.5)}) {
    EXPECT_EQ(part(none, ":", 0), "(ignored)");
  }
  const json nested = {{"split", {{"split", "/t"}, {"by", ","}, {"at", 1}}}, {"by", ")"}, {"at", 0}};
  EXPECT_EQ(text_of(nested, {{"t", "urn:li:comment:(urn:li:activity:1,2)"}}), "2");
}

TEST(Expressions, ATimeMayBeSpelledOut) {
  const auto spelled = [](const json& format, const json& value) {
    return text_of(json{{"time", "/t"}, {"format", format}, {"as", "rfc3339"}}, {{"t", value}});
  };
  EXPECT_EQ(spelled("epoch_milliseconds", 1539202764123), "2018-10-10T20:19:24.123Z");
  EXPECT_EQ(spelled("epoch", "1539202764"), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(spelled({"x", "rfc5322"}, "Wed, 10 Oct 2018 22:19:24 +0200"), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(spelled("epoch_milliseconds", "soon"), "(ignored)");
  EXPECT_EQ(spelled("epoch_milliseconds", nullptr), "(ignored)");
  EXPECT_EQ(text_of(json{{"time", "/t"}, {"format", "epoch"}}, {{"t", 1539202764}}), "1539202764000")
      << "else it is milliseconds";
}

TEST(Expressions, LookUpTheObjectThatAnIdRefersTo) {
  const json people = {{{"id", 1}, {"name", "Ann"}}, "junk", {{"id", "2"}, {"name", "Bo"}}};
  const json by_id = {{"find", "/people"}, {"where", "/id"}, {"is", "/by"}, {"get", "/name"}};
  EXPECT_EQ(text_of(by_id, {{"people", people}, {"by", "1"}}), "Ann") << "1 and \"1\" are the same id";
  EXPECT_EQ(text_of(by_id, {{"people", people}, {"by", 2}}), "Bo");
  EXPECT_EQ(text_of(by_id, {{"people", people}, {"by", 3}}), "(ignored)");
  EXPECT_EQ(text_of(by_id, {{"people", "x"}, {"by", 3}}), "(ignored)");
  const json by_key = {{"member", "/by"}, {"of", "/people"}, {"get", "/name"}};
  EXPECT_EQ(text_of(by_key, {{"people", {{"7", {{"name", "Cy"}}}}}, {"by", 7}}), "Cy");
  EXPECT_EQ(text_of(by_key, {{"people", {{"7", {{"name", "Cy"}}}}}, {"by", {7}}}), "(ignored)");
}

TEST(Expressions, TextIsUnescapedOnceAndCutByCodePoints) {
  const auto text = [](const std::string& value, const json& until = nullptr) {
    return text_of(json{{"text", "/t"}, {"unescape", "html"}, {"until", "/u"}}, {{"t", value}, {"u", until}});
  };
  EXPECT_EQ(text("a &amp; b &lt;3 &gt; &quot;q&quot; &#39;s&#x27; &#128747;"), "a & b <3 > \"q\" 's' \xF0\x9F\x9B\xAB");
  EXPECT_EQ(text("&amp;lt;"), "&lt;");
  EXPECT_EQ(text("&unknown; &#xD800; &#99999999; & &;"), "&unknown; &#xD800; &#99999999; & &;");
  EXPECT_EQ(text("caf\u00e9 \U0001F6EB here https://t.co/x", 11), "caf\u00e9 \U0001F6EB here");
  EXPECT_EQ(text("whole", 99), "whole");
  EXPECT_EQ(text("whole", 0), "whole") << "a range that leaves nothing is not believed";
  EXPECT_EQ(text("whole", -1), "whole");
}

TEST(Expressions, TimesAreReadInEachFormat) {
  const auto time = [](const std::string& format, const json& value) {
    json file = with("/events/0/rules/0/fields/created_at", json{{"time", "/at"}, {"format", format}});
    const json body = {{"threads", {{{"comments", {{{"id", "1"}, {"text", "t"}, {"at", value}}}}}}}};
    const Time at = map(*mini(file), body.dump()).events.at(0).post.created_at;
    return at == now() ? std::string("(none)") : format_time(at);
  };
  EXPECT_EQ(time("x", "Wed Oct 10 20:19:24 +0000 2018"), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(time("x", "Wed Feb 29 23:59:60 -0130 2012"), "2012-03-01T01:29:59.000Z");
  EXPECT_EQ(time("rfc3339", "2018-10-10T20:19:24+0000"), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(time("rfc3339", "2018-10-10T20:19:24.5-02:00"), "2018-10-10T22:19:24.500Z");
  EXPECT_EQ(time("epoch_seconds", 1539202764), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(time("epoch_seconds", "1539202764"), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(time("epoch_milliseconds", "1539202764123"), "2018-10-10T20:19:24.123Z");
  EXPECT_EQ(time("epoch", 1539202764), "2018-10-10T20:19:24.000Z");
  EXPECT_EQ(time("epoch", 1539202764123), "2018-10-10T20:19:24.123Z");
  for (const auto* bad : {"Wed Foo 10 20:19:24 +0000 2018", "Wed Feb 30 20:19:24 +0000 2018", "Wed Oct 10", "",
                          "Wed Oct 10 25:19:24 +0000 2018", "Wed Oct 1x 20:19:24 +0000 2018"}) {
    EXPECT_EQ(time("x", bad), "(none)") << bad;
  }
  for (const json& bad :
       {json("12x"), json(-1), json(1e300), json(nullptr), json::array(), json("99999999999999999999999")}) {
    EXPECT_EQ(time("epoch", bad), "(none)") << bad;
  }
  EXPECT_EQ(time("rfc3339", "yesterday"), "(none)");
}

TEST(Expressions, BindingsMayLeanOnEachOther) {
  json file = with("/events/0/rules/0/fields/text", "@greeting");
  file["events"][0]["let"] = {{"greeting", {{"template", "hello {@zed}"}}}, {"zed", "/name"}};
  const json body = {{"threads", {{{"comments", {{{"id", "1"}, {"name", "Ann"}}, {{"id", "2"}, {"name", "Bo"}}}}}}}};
  const Mapped mapped = map(*mini(file), body.dump());
  ASSERT_EQ(mapped.events.size(), 2u);
  EXPECT_EQ(mapped.events[0].post.text, "hello Ann");
  EXPECT_EQ(mapped.events[1].post.text, "hello Bo") << "worked out anew for each event";
}

TEST(Conditions, DecideTogether) {
  const auto holds = [](const json& when, const json& comment, const std::string& account = "") {
    SourceConfig config;
    config.brand_account = account;
    return text_of(json{{"if", when}, {"then", {{"const", "yes"}}}, {"else", {{"const", "no"}}}}, comment, config) ==
           "yes";
  };
  EXPECT_TRUE(holds({{"value", "/a"}, {"is", 1}}, {{"a", "1"}}));
  EXPECT_FALSE(holds({{"value", "/a"}, {"is", true}}, {{"a", "true"}}));
  EXPECT_TRUE(holds({{"value", "/a"}, {"in", {"x", "y"}}}, {{"a", "y"}}));
  EXPECT_FALSE(holds({{"value", "/a"}, {"in", {"x", "y"}}}, json::object()));
  EXPECT_TRUE(holds({{"value", "/a"}, {"starts_with", "dm."}}, {{"a", "dm.sent"}}));
  EXPECT_TRUE(holds({{"value", "/a"}, {"same_as", "/b"}}, {{"a", 5}, {"b", "5"}}));
  EXPECT_FALSE(holds({{"value", "/a"}, {"same_as", "/b"}}, json::object())) << "nothing is not the same as nothing";
  EXPECT_TRUE(holds({{"value", "/a"}, {"same_handle_as", {{"config", "brand_account"}}}}, {{"a", "@ACME"}}, "acme"));
  EXPECT_FALSE(holds({{"value", "/a"}, {"same_handle_as", {{"config", "brand_account"}}}}, {{"a", "acme"}}));
  EXPECT_TRUE(holds({{"not", {{"exists", "/a"}}}}, json::object()));
  EXPECT_TRUE(holds({{"any", {{{"exists", "/a"}}, {{"exists", "/b"}}}}}, {{"b", 0}}));
  EXPECT_FALSE(holds({{"all", {{{"exists", "/a"}}, {{"exists", "/b"}}}}}, {{"b", 0}}));
  EXPECT_FALSE(holds(json::array({{{"exists", "/a"}}, {{"exists", "/b"}}}), {{"b", 0}})) << "a list is all of it";
}

TEST(Rules, TheFirstThatMatchesTakesTheEventAndWhatNoneTakesIsCountedByItsName) {
  json file = minimal();
  file["events"][0]["event_name"] = {{"template", "mini.{/type}"}};
  file["events"][0]["fields"] = {
      {"native_id", "/id"}, {"text", "/text"}, {"author", {{"handle", "/by"}, {"name", "/name"}}}};
  file["events"][0]["rules"] = json::parse(R"([
    {"when": {"value": "/type", "is": "note"}, "event": "post", "fields": {"author": {"name": null}}},
    {"when": {"value": "/type", "is": "gone"}, "event": "deletion"},
    {"when": {"value": "/type", "is": "spam"}, "event": "ignore", "event_name": {"const": "spam"}}
  ])");
  const json body = json::parse(R"({"threads": [{"comments": [
    {"type": "note", "id": "1", "text": "t", "by": "ann", "name": "Ann"}, {"type": "gone", "id": "2", "text": "t"},
    {"type": "spam", "id": "3"}, {"type": "odd", "id": "4"}, {"type": "odd", "id": "5"}, {"type": "note", "text": "no id"}]}]})");
  const Mapped mapped = map(*mini(file), body.dump());
  ASSERT_EQ(mapped.events.size(), 2u);
  EXPECT_EQ(mapped.events[0].post.author->handle, "ann");
  EXPECT_EQ(mapped.events[0].post.author->name, "") << "taken away by the rule";
  EXPECT_EQ(mapped.events[1].kind, EventKind::deletion);
  EXPECT_FALSE(mapped.events[1].kind_known);
  EXPECT_EQ(mapped.events[1].post.text, "");
  EXPECT_EQ(mapped.ignored, 4);
  EXPECT_EQ(mapped.ignored_kinds, (std::vector<std::string>{"spam", "mini.odd", "mini.note"}));
}

// The JSON blocks of a section of the documentation.
std::vector<std::string> json_blocks(const std::string& page, const std::string& section) {
  std::vector<std::string> out;
  const std::string open = "```json\n";
  for (auto at = page.find(open, page.find(section)); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    out.push_back(page.substr(at, page.find("```", at) - at));
  }
  return out;
}

TEST(Documentation, TheWorkedExampleDoesWhatItSays) {
  const auto blocks =
      json_blocks(read_file(std::string(TRIAGED_SOURCE_DIR) + "/docs/sources.md"), "## A worked example");
  ASSERT_EQ(blocks.size(), 2u);
  SourceConfig config;
  config.name = "forum";
  config.secrets = {{"token", {"t"}}};
  config.brand_account = "acme";
  const auto source = must(must(parse_source_file("forum", blocks[1]))->bind(config));
  const Mapped mapped = map(*source, blocks[0]);
  ASSERT_EQ(mapped.events.size(), 2u);
  const Post& post = mapped.events[0].post;
  EXPECT_EQ(mapped.events[0].kind, EventKind::post);
  EXPECT_EQ(post.kind, PostKind::comment);
  EXPECT_EQ(post.text, "Line 12 is dead & nobody answers");
  EXPECT_EQ(post.author->handle, "ann");
  EXPECT_EQ(post.author->native_id, "7");
  EXPECT_EQ(post.url, "https://forum.example/t/40#311");
  EXPECT_EQ(format_time(post.created_at), "2026-11-22T09:29:40.000Z");
  EXPECT_EQ(mapped.events[1].kind, EventKind::deletion);
  EXPECT_EQ(mapped.events[1].post.native_id, "290");
  EXPECT_EQ(mapped.ignored, 1);
  EXPECT_EQ(mapped.ignored_kinds, (std::vector<std::string>{"forum.like"}));
}

TEST(Rules, ABodyThatNoGroupKnowsIsOneIgnoredEvent) {
  for (const auto* body : {"{}", "null", "7", "[]", "\"x\"", R"({"threads":7})", R"({"threads":[]})"}) {
    const Mapped mapped = map(*mini(minimal()), body);
    EXPECT_EQ(mapped.events.size(), 0u);
    EXPECT_EQ(mapped.ignored, 1) << body;
    EXPECT_EQ(mapped.ignored_kinds.size(), 1u) << body;
  }
}

TEST(Rules, NoRequestHoldsMoreThanTenThousandEvents) {
  json comments = json::array();
  for (int i = 0; i < 10'000; ++i) comments.push_back({{"id", std::to_string(i)}, {"text", "t"}});
  json body = {{"threads", {{{"comments", comments}}}}};
  EXPECT_EQ(map(*mini(minimal()), body.dump()).events.size(), 10'000u);
  body["threads"][0]["comments"].push_back({{"id", "x"}, {"text", "t"}});
  Request request;
  request.body = body.dump();
  const auto mapped = mini(minimal())->map(request.delivery(), now());
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().code, ErrorCode::unprocessable);
  EXPECT_THAT(mapped.error().detail, HasSubstr("10000"));
}

TEST(Rules, LongTextIsCutBetweenCharactersAndLongIdsAreNone) {
  std::string text(64 * 1024 - 1, 'a');
  text += "\U0001F6EB";
  const json body = {
      {"threads", {{{"comments", {{{"id", "1"}, {"text", text}}, {{"id", std::string(257, '1')}, {"text", "t"}}}}}}}};
  const Mapped mapped = map(*mini(minimal()), body.dump());
  ASSERT_EQ(mapped.events.size(), 1u);
  EXPECT_EQ(mapped.events[0].post.text, std::string(64 * 1024 - 1, 'a'));
  EXPECT_EQ(mapped.ignored, 1);
}

}  // namespace
}  // namespace triage::ingest::test
