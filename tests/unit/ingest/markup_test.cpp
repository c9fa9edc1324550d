// HTML becomes the text that people read, and JSON within strings is as good as any other; whatever either holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "support.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A platform whose body is one post; its text is that expression, and "@nested" the JSON in /data.
json file_with(const json& text, const json& nested = "/data") {
  return {{"name", "mini"},
          {"platform", "mini"},
          {"secrets", {{"key", json::object()}}},
          {"signatures", {{{"scheme", "hmac"}, {"secret", "key"}, {"header", "x-mini"}}}},
          {"events",
           {{{"each", {""}},
             {"let", {{"nested", nested}}},
             {"rules", {{{"event", "post"}, {"fields", {{"native_id", {{"const", "1"}}}, {"text", text}}}}}}}}}};
}

std::string text_of(const json& file, const json& body) {
  SourceConfig config;
  config.name = "mini";
  config.secrets = {{"key", {"k"}}};
  const auto source = must(must(parse_source_file("mini", file.dump()))->bind(std::move(config)));
  const Mapped mapped = map(*source, body.dump());
  return mapped.events.empty() ? "(ignored)" : mapped.events[0].post.text;
}

std::string faults_of(const json& text) {
  const auto parsed = parse_source_file("mini", file_with(text).dump());
  return parsed ? "" : faults(parsed.error());
}

std::string shown(const std::string& html, const json& until = nullptr) {
  static const json file = file_with({{"text", "/t"}, {"html", true}, {"until", "/u"}});
  return text_of(file, {{"t", html}, {"u", until}});
}

TEST(Html, ParagraphsAndLinesStandApart) {
  EXPECT_EQ(shown("<p>one</p><p>two<br>three<br/>four</p>"), "one\n\ntwo\nthree\nfour");
  EXPECT_EQ(shown("<p>one<br></p>\n  <p>two"), "one\n\ntwo");
  EXPECT_EQ(shown("a<br><br>b"), "a\n\nb");
  EXPECT_EQ(shown("<div>a</div><div>b</div><h2>c</h2>d<ul>\n<li>e</li>\n<li>f</li>\n</ul>"), "a\nb\nc\nd\ne\nf");
  EXPECT_EQ(shown("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"), "a b\nc");
  EXPECT_EQ(shown("<BR><P>a<BR>b</P><br>"), "a\nb") << "none before, none after";
}

TEST(Html, WhiteSpaceIsOneSpaceButInPre) {
  EXPECT_EQ(shown("  a \n\t b <b> c </b> d  "), "a b c d");
  EXPECT_EQ(shown("line <p> a </p> b"), "line\n\na\n\nb");
  EXPECT_EQ(shown("x<pre>a  b\n  c</pre>y  z"), "x\na  b\n  c\ny z");
  EXPECT_EQ(shown("<i>a</i><i>b</i>"), "ab");
}

TEST(Html, EntitiesAreReadOnce) {
  EXPECT_EQ(shown("a &amp; b &lt;3 &quot;q&quot; &#39;s&#x27; &hellip; caf&eacute; &#128747;"),
            "a & b <3 \"q\" 's' … café \U0001F6EB");
  EXPECT_EQ(shown("&amp;lt;br&amp;gt;"), "&lt;br&gt;");
  EXPECT_EQ(shown("&lt;b&gt;not a tag&lt;/b&gt;"), "<b>not a tag</b>");
  EXPECT_EQ(shown("a&nbsp;b"), "a\u00a0b");
  EXPECT_EQ(shown("&bogus; & &; &#xD800; &#0; AT&T &amp"), "&bogus; & &; &#xD800; &#0; AT&T &amp");
}

TEST(Html, LinksKeepTheTextThatMastodonShows) {
  EXPECT_EQ(shown("<p><span class=\"h-card\"><a href=\"https://mastodon.example/@acme\" class=\"u-url mention\">"
                  "@<span>acme</span></a></span> see <a href=\"https://example.com/a/long/path\" rel=\"nofollow\">"
                  "<span class=\"invisible\">https://</span><span class=\"ellipsis\">example.com/a</span>"
                  "<span class=\"invisible\">/long/path</span></a> <a href=\"/tags/gate\">#<span>gate</span></a></p>"),
            "@acme see example.com/a #gate");
  EXPECT_EQ(shown("<a><span class='x invisible'>a<span>b</span>c</span>d</a>"), "d");
  EXPECT_EQ(shown("<a><span class=invisible>a</a>b"), "b") << "a link's end ends what is invisible in it";
  EXPECT_EQ(shown("<span class=\"invisible\">a</span>"), "a") << "words outside of links are never hidden";
  EXPECT_EQ(shown("<a><span class=\"invisibles\">a</span></a>"), "a");
}

TEST(Html, ScriptStyleAndCommentsAreLeftOut) {
  EXPECT_EQ(shown("a<script>if (x < 1) document.write('<p>no</p>')</script>b"), "ab");
  EXPECT_EQ(shown("a<STYLE type=\"text/css\">p > b {}</style >b"), "ab");
  EXPECT_EQ(shown("a<script>x</scripty></script/>b"), "ab");
  EXPECT_EQ(shown("a<!-- <p>no</p> -->b<!DOCTYPE html>c<?xml version=\"1.0\"?>d</>e"), "abcde");
  EXPECT_EQ(shown("a<script>the rest"), "a");
  EXPECT_EQ(shown("a<!-- the rest"), "a");
}

TEST(Html, WhatIsNoTagIsText) {
  EXPECT_EQ(shown("1 < 2 and 3 > 2"), "1 < 2 and 3 > 2");
  EXPECT_EQ(shown("<3 <- < <"), "<3 <- < <");
  EXPECT_EQ(shown("plain"), "plain");
  EXPECT_EQ(shown(""), "(ignored)");
  EXPECT_EQ(shown("<p></p>"), "(ignored)");
}

TEST(Html, BrokenTagsDoNotTakeTheTextAlong) {
  EXPECT_EQ(shown("<a title=\"a > b\">c</a>"), "c") << "a > within quotes does not end the tag";
  EXPECT_EQ(shown("<a title='a > b' x = \">\" y>c</a>"), "c");
  EXPECT_EQ(shown("<a href=\"x>click</a> here"), "click here") << "a quote that nothing closes is not one";
  EXPECT_EQ(shown("<b <i>c</i>"), "c");
  EXPECT_EQ(shown("</p></a></b>c</div></div>"), "c");
  EXPECT_EQ(shown("a<b"), "a");
  EXPECT_EQ(shown("<p class=>a<p =>b<p ===>c"), "a\n\nb\n\nc");
}

TEST(Html, MayBeCutBefore) {
  EXPECT_EQ(shown("caf\u00e9 <b>x</b>", 4), "caf\u00e9");
}

TEST(Html, TakesNoLongerThanItsLength) {
  std::vector<std::string> texts;
  for (const std::string& piece :
       {std::string("<"), std::string("<a"), std::string("<a b=\""), std::string("<!--"), std::string("</script"),
        std::string("<script>"), std::string("&"), std::string("&#"), std::string("<a><span class=invisible>"),
        std::string("<pre>\n"), std::string("\" '")}) {
    std::string text;
    while (text.size() < 500'000) text += piece;
    texts.push_back(text);
    texts.push_back("<script>" + text);
    texts.push_back("<a title='" + text);
  }
  const auto start = std::chrono::steady_clock::now();
  for (const auto& text : texts) shown(text);
  // A few seconds with every sanitizer; hours if any of them took the square of its length.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(Html, EachFaultOfTheFileIsNamed) {
  EXPECT_THAT(faults_of({{"text", "/t"}, {"html", "yes"}}), HasSubstr("/fields/text/html: expected true or false"));
  EXPECT_THAT(faults_of({{"text", "/t"}, {"html", true}, {"unescape", "html"}}),
              HasSubstr("/fields/text/html: expected either unescape or html"));
}

std::string nested(const json& data, const json& how = {{"json", "/data"}},
                   const std::string& pointer = "@nested/a/b") {
  return text_of(file_with(pointer, how), {{"data", data}});
}

TEST(NestedJson, PointersGoIntoABindingOfIt) {
  EXPECT_EQ(nested(R"({"a": {"b": "deep"}})"), "deep");
  EXPECT_EQ(nested(R"({"a": {"b": "again"}})", {{"json", "/data"}}), "again");
  EXPECT_EQ(nested(R"("text")", {{"json", "/data"}}, "@nested"), "text");
  EXPECT_EQ(nested(json(R"({"a": {"b": "twice"}})").dump(), {{"json", {{"json", "/data"}}}}), "twice");
}

TEST(NestedJson, MayBeBase64AsPubSubSendsIt) {
  const json base64 = {{"json", "/data"}, {"encoding", "base64"}};
  EXPECT_EQ(nested("eyJhIjogeyJiIjogImRlZXAifX0=", base64), "deep");
  EXPECT_EQ(nested(R"({"a": {"b": "deep"}})", base64), "(ignored)");
  EXPECT_EQ(nested("%%%", base64), "(ignored)");
}

TEST(NestedJson, WhatIsNoneIsNotThere) {
  for (const json& bad :
       {json("{"), json(""), json("null"), json(R"({"a": {"b": 1}}x)"), json("\"\\ud800\""), json(7), json(nullptr),
        json::object({{"a", {{"b", "an object is no string"}}}}), json(std::string(100'000, '['))}) {
    EXPECT_EQ(nested(bad), "(ignored)") << bad.dump().substr(0, 100);
  }
}

TEST(NestedJson, ARequestHoldsNoMoreThanEightMebibytesOfIt) {
  const std::string post = R"({"a": {"b": "deep"}})";
  EXPECT_EQ(nested(post + std::string(8 * 1024 * 1024 - post.size(), ' ')), "deep");
  EXPECT_EQ(nested(post + std::string(8 * 1024 * 1024 - post.size() + 1, ' ')), "(ignored)");
}

TEST(NestedJson, EachFaultOfTheFileIsNamed) {
  EXPECT_THAT(faults_of({{"json", "/t"}, {"encoding", "rot13"}}), HasSubstr("/fields/text/encoding: expected base64"));
  EXPECT_THAT(faults_of({{"json", 7}}), HasSubstr("/fields/text/json: expected a JSON pointer"));
  EXPECT_THAT(faults_of({{"json", "/t"}, {"depth", 7}}), HasSubstr("/fields/text/depth: unknown key"));
}

}  // namespace
}  // namespace triage::ingest::test
