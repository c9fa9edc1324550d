// Bodies that are not JSON: pointers see them as JSON, and what is broken, too deep or too much is refused by its byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "support.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;
using testing::AnyOf;
using testing::HasSubstr;

std::unique_ptr<Source> source_of(const std::string& format, const json& fields, const json& each = {""}) {
  const json file = {{"name", "mini"},
                     {"platform", "mini"},
                     {"secrets", {{"key", json::object()}}},
                     {"signatures", {{{"scheme", "hmac"}, {"secret", "key"}, {"header", "x-mini"}}}},
                     {"body", format},
                     {"events", {{{"each", each}, {"rules", {{{"event", "post"}, {"fields", fields}}}}}}}};
  SourceConfig config;
  config.name = "mini";
  config.secrets = {{"key", {"k"}}};
  return must(must(parse_source_file("mini", file.dump()))->bind(std::move(config)));
}

// What a pointer finds, as text.
std::string found(const std::string& format, const std::string& pointer, const std::string& body) {
  const auto source = source_of(format, {{"native_id", {{"const", "1"}}}, {"text", pointer}});
  const Mapped mapped = map(*source, body);
  return mapped.events.empty() ? "(nothing)" : mapped.events[0].post.text;
}

Error refused(const std::string& format, const std::string& body) {
  static const auto xml = source_of("xml", {{"native_id", "/a"}});
  static const auto form = source_of("form", {{"native_id", "/a"}});
  static const auto other = source_of("json", {{"native_id", "/a"}});
  Request request;
  request.body = body;
  const auto mapped = (format == "xml" ? xml : format == "form" ? form : other)->map(request.delivery(), now());
  return mapped ? make_error(ErrorCode::internal, "(taken)") : mapped.error();
}

std::string xml(const std::string& pointer, const std::string& body) {
  return found("xml", pointer, body);
}

// The push notification of YouTube's documentation.
const std::string kYouTube = R"(<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015"
         xmlns="http://www.w3.org/2005/Atom">
  <link rel="hub" href="https://pubsubhubbub.appspot.com"/>
  <link rel="self" href="https://www.youtube.com/xml/feeds/videos.xml?channel_id=CHANNEL_ID"/>
  <title>YouTube video feed</title>
  <updated>2015-04-01T19:05:24.552394234+00:00</updated>
  <entry>
    <id>yt:video:VIDEO_ID</id>
    <yt:videoId>VIDEO_ID</yt:videoId>
    <yt:channelId>CHANNEL_ID</yt:channelId>
    <title>Video title</title>
    <link rel="alternate" href="http://www.youtube.com/watch?v=VIDEO_ID"/>
    <author>
     <name>Channel title</name>
     <uri>http://www.youtube.com/channel/CHANNEL_ID</uri>
    </author>
    <published>2015-03-06T21:40:57+00:00</published>
    <updated>2015-03-09T19:05:24.552394234+00:00</updated>
  </entry>
</feed>)";

TEST(XmlBody, AnAtomFeedIsReadAsYouTubeSendsIt) {
  const json fields = {{"native_id", "/yt:videoId"},
                       {"text", "/title"},
                       {"created_at", {{"time", "/published"}, {"format", "rfc3339"}}},
                       {"author", {{"name", "/author/name"}, {"native_id", "/yt:channelId"}}},
                       {"url", "/link/@href"},
                       {"conversation_id",
                        {{"find", "$/feed/link"}, {"where", "/@rel"}, {"is", {{"const", "hub"}}}, {"get", "/@href"}}}};
  const Mapped mapped = map(*source_of("xml", fields, {"/feed/entry"}), kYouTube);
  ASSERT_EQ(mapped.events.size(), 1u);
  const Post& post = mapped.events[0].post;
  EXPECT_EQ(post.native_id, "VIDEO_ID");
  EXPECT_EQ(post.text, "Video title");
  EXPECT_EQ(format_time(post.created_at), "2015-03-06T21:40:57.000Z");
  EXPECT_EQ(post.author->name, "Channel title");
  EXPECT_EQ(post.author->native_id, "CHANNEL_ID");
  EXPECT_EQ(post.url, "http://www.youtube.com/watch?v=VIDEO_ID");
  EXPECT_EQ(post.conversation_id, "https://pubsubhubbub.appspot.com");
}

TEST(XmlBody, TextStandsAloneOrBesideAttributesAndChildren) {
  EXPECT_EQ(xml("/a", "<a>text</a>"), "text");
  EXPECT_EQ(xml("/a/b", "<a><b>text</b></a>"), "text");
  EXPECT_EQ(xml("/a/#text", "<a b='1'>text</a>"), "text");
  EXPECT_EQ(xml("/a/@b", "<a b='1'>text</a>"), "1");
  EXPECT_EQ(xml("/a/#text", "<a>te<b>in</b>xt</a>"), "text");
  EXPECT_EQ(xml("/a", "<a/>"), "(nothing)");
  EXPECT_EQ(xml("/a/@b", "<a b='&lt;1&gt;'/>"), "<1>");
  EXPECT_EQ(xml("/a", "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><a>caf\u00e9</a>\n"),
            "caf\u00e9");
}

TEST(XmlBody, ChildrenOfOneNameAreAnArray) {
  EXPECT_EQ(xml("/a/b/1", "<a><b>one</b><c/><b>two</b><b>three</b></a>"), "two");
  EXPECT_EQ(xml("/a/b/2/@x", "<a><b/><b/><b x='three'/></a>"), "three");
  const auto source = source_of("xml", {{"native_id", ""}, {"text", ""}}, {"/a/b"});
  EXPECT_EQ(map(*source, "<a><b>1</b></a>").events.size(), 1u);
  EXPECT_EQ(map(*source, "<a><b>1</b><b>2</b><b>3</b></a>").events.size(), 3u);
}

TEST(XmlBody, EntitiesAndCdataAreTheirText) {
  EXPECT_EQ(xml("/a", "<a>a &amp; b &#233; &#x1F6EB; &lt;b&gt;</a>"), "a & b \u00e9 \U0001F6EB <b>");
  EXPECT_EQ(xml("/a", "<a><![CDATA[<b> &amp; ]]>c</a>"), "<b> &amp; c");
  EXPECT_EQ(xml("/a", "<a>&#xD800;&#0;&#x110000;&#xFFFFFFFFF;x</a>"), "&#xD800;&#0;&#x110000;&#xFFFFFFFFF;x")
      << "what would not be a character stays as it is";
}

TEST(XmlBody, NoEntityOfADtdIsKnown) {
  const std::string laughs =
      "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\"><!ENTITY file SYSTEM "
      "\"file:///etc/passwd\">]><a>&lol2; &file;</a>";
  EXPECT_EQ(xml("/a", laughs), "&lol2; &file;");
}

TEST(XmlBody, WhatIsNoXmlIsRefusedByItsByte) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "byte 0"},
      {"{}", "byte 0: expected one root element"},
      {"<a>", "byte 2"},
      {"<a></b>", "byte 5"},
      {"<a/>x", "byte 4: expected one root element"},
      {"<a/><b/>", "byte 5: expected one root element"},
      {"<a b></a>", "byte "},
      {"<a>\xc3\x28</a>", "byte 3: expected UTF-8"},
      {"<a>\xed\xa0\x80</a>", "byte 3: expected UTF-8"},
      {std::string("<a>\0</a>", 8), "byte 3: a NUL"},
  };
  for (const auto& [body, says] : cases) {
    const Error error = refused("xml", body);
    EXPECT_EQ(error.code, ErrorCode::bad_request) << body;
    EXPECT_THAT(error.detail, HasSubstr(says)) << body;
  }
}

TEST(XmlBody, EveryPrefixIsRefused) {
  for (std::size_t size = 0; size < kYouTube.size(); ++size) {
    EXPECT_EQ(refused("xml", kYouTube.substr(0, size)).code, ErrorCode::bad_request) << size;
  }
}

TEST(XmlBody, DepthAndSizeAreBounded) {
  const auto nested = [](std::size_t depth) {
    std::string body;
    for (std::size_t i = 0; i < depth; ++i) body += "<a>";
    for (std::size_t i = 0; i < depth; ++i) body += "</a>";
    return body;
  };
  EXPECT_EQ(refused("xml", nested(128)).detail, "(taken)");
  EXPECT_THAT(refused("xml", nested(129)).detail, HasSubstr("byte 385: nested too deep"));
  EXPECT_EQ(refused("xml", nested(200'000)).code, ErrorCode::bad_request);
  const auto many = [](const std::string& one, int count) {
    std::string body = "<a>";
    for (int i = 0; i < count; ++i) body += one;
    return body + "</a>";
  };
  EXPECT_EQ(refused("xml", many("<b/>", 200'000)).detail, "(taken)");
  EXPECT_EQ(refused("xml", many("<b/>", 250'000)).code, ErrorCode::too_large);
  EXPECT_EQ(refused("xml", many("<b/>", 1'000'000)).code, ErrorCode::too_large);
  EXPECT_EQ(refused("xml", many("<b c='' d='' e=''/>", 100'000)).code, ErrorCode::too_large);
}

TEST(FormBody, IsAnObjectOfStrings) {
  EXPECT_EQ(found("form", "/Body", "From=whatsapp%3A%2B15005550006&Body=The+gate+is+closed%21&NumMedia=0"),
            "The gate is closed!");
  EXPECT_EQ(found("form", "/NumMedia", "NumMedia=0"), "0");
  EXPECT_EQ(found("form", "/caf\u00e9", "caf%C3%A9=na\u00efve"), "na\u00efve");
  EXPECT_EQ(found("form", "/a", "a=1&a=2"), "1") << "the first of a name counts";
  EXPECT_EQ(found("form", "/a", "&&b&=c&a=x=y&"), "x=y");
  EXPECT_EQ(found("form", "/a", "b"), "(nothing)");
  EXPECT_EQ(found("form", "/a", ""), "(nothing)");
}

TEST(FormBody, JsonInAFieldIsReachedByABinding) {
  const json file = {{"native_id", "@payload/id"}, {"text", "@payload/text"}};
  json events = {{{"each", {""}},
                  {"let", {{"payload", {{"json", "/payload"}}}}},
                  {"rules", {{{"event", "post"}, {"fields", file}}}}}};
  const json source = {{"name", "mini"},
                       {"platform", "mini"},
                       {"secrets", {{"key", json::object()}}},
                       {"signatures", {{{"scheme", "hmac"}, {"secret", "key"}, {"header", "x-mini"}}}},
                       {"body", "form"},
                       {"events", events}};
  SourceConfig config;
  config.name = "mini";
  config.secrets = {{"key", {"k"}}};
  const auto bound = must(must(parse_source_file("mini", source.dump()))->bind(config));
  const Mapped mapped = map(*bound, "payload=%7B%22id%22%3A7%2C%22text%22%3A%22hi%22%7D");
  ASSERT_EQ(mapped.events.size(), 1u);
  EXPECT_EQ(mapped.events[0].post.native_id, "7");
  EXPECT_EQ(mapped.events[0].post.text, "hi");
}

TEST(FormBody, WhatIsNoFormIsRefusedByItsByte) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a=%", "byte 2: expected two hexadecimal digits"},
      {"a=%4", "byte 2"},
      {"a=1&b=x%zz", "byte 7"},
      {"%x=1", "byte 0"},
      {"a=%C3%28", "byte 2: expected UTF-8"},
      {"a=1&%FF=1", "byte 4: expected UTF-8"},
      {"a=\xff", "expected UTF-8"},
  };
  for (const auto& [body, says] : cases) {
    const Error error = refused("form", body);
    EXPECT_EQ(error.code, ErrorCode::bad_request) << body;
    EXPECT_THAT(error.detail, HasSubstr(says)) << body;
  }
  std::string many;
  for (int i = 0; i < 260'000; ++i) many += "a" + std::to_string(i) + "&";
  EXPECT_EQ(refused("form", many).code, ErrorCode::too_large);
}

// Whoever knows where an object's table lies can choose names that all fall together, which costs the square of their
// number.
TEST(Body, AnObjectHasAtMostTwoThousandMembers) {
  const auto fields = [](std::size_t count, const std::string& before, const std::string& after,
                         const std::string& between) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : between) + before + std::to_string(i) + after;
    return out;
  };
  const auto form = [&](std::size_t count) { return fields(count, "a", "=1", "&"); };
  EXPECT_EQ(found("form", "/a1999", form(2'000)), "1");
  EXPECT_EQ(refused("form", form(2'001)).code, ErrorCode::too_large);
  const auto elements = [&](std::size_t count) { return "<r>" + fields(count, "<a", "/>", "") + "<t>x</t></r>"; };
  EXPECT_EQ(found("xml", "/r/t", elements(1'999)), "x");
  EXPECT_EQ(refused("xml", elements(2'000)).code, ErrorCode::too_large);
  const auto attributes = [&](std::size_t count) { return "<r " + fields(count, "a", "='x'", " ") + "/>"; };
  EXPECT_EQ(found("xml", "/r/@a1999", attributes(2'000)), "x");
  EXPECT_EQ(refused("xml", attributes(2'001)).code, ErrorCode::too_large);
  const std::string many = "<r>" + fields(50'000, "<a>", "</a>", "") + "</r>";
  EXPECT_EQ(found("xml", "/r/a/49999", many), "49999") << "several of one name are one member";
  const auto members = [&](std::size_t count) { return "{\"o\": {" + fields(count, "\"a", "\": 1", ",") + "}}"; };
  EXPECT_EQ(found("json", "/o/a1999", members(2'000)), "1");
  EXPECT_EQ(refused("json", members(2'001)).code, ErrorCode::too_large);
  // A number that only the slower reader takes is no way around.
  EXPECT_EQ(refused("json", "[1e-400, " + members(2'001) + "]").code, ErrorCode::too_large);
  EXPECT_EQ(found("json", "/n", R"({"n": "x", "small": 1e-400})"), "x");
}

TEST(Body, TakesNoLongerThanItsLength) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& piece :
       {std::string("<"), std::string("<a"), std::string("<a "), std::string("<!--"), std::string("<![CDATA["),
        std::string("<!DOCTYPE a ["), std::string("<?"), std::string("<a b='"), std::string("&"), std::string("%"),
        std::string("a=&"), std::string("<a>&#"), std::string("]]>")}) {
    std::string body;
    while (body.size() < 1'000'000) body += piece;
    for (const std::string& before : {std::string(), std::string("<a>")}) {
      const Error error = refused("xml", before + body);
      EXPECT_THAT(error.code, AnyOf(ErrorCode::bad_request, ErrorCode::too_large)) << before << piece;
    }
    refused("form", body);
  }
  // A few seconds with every sanitizer; hours if any of them took the square of its length.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(Body, EachFaultOfTheFileIsNamed) {
  const json signature = {{"scheme", "hmac"}, {"secret", "key"}, {"header", "x-mini"}};
  json file = {
      {"name", "mini"}, {"platform", "mini"},     {"secrets", {{"key", json::object()}}}, {"signatures", {signature}},
      {"body", "yaml"}, {"events", json::array()}};
  EXPECT_THAT(faults(parse_source_file("mini", file.dump()).error()),
              HasSubstr("/body: expected json, xml or form, found \"yaml\""));
  file["body"] = "xml";
  EXPECT_TRUE(parse_source_file("mini", file.dump()));
  file.erase("events");
  file["posts"] = json::object();
  EXPECT_THAT(faults(parse_source_file("mini", file.dump()).error()),
              HasSubstr("/body: expected none beside \"posts\""));
}

}  // namespace
}  // namespace triage::ingest::test
