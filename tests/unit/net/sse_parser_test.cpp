// The interpretation of an event stream: WHATWG HTML standard, 9.2.6.
#include "triage/net/sse_parser.h"

#include <string>
#include <string_view>
#include <vector>

#include "support.h"

namespace triage::net::testing {
namespace {

using Events = std::vector<ServerEvent>;

void feed(SseParser& parser, std::string_view bytes, Events& events) {
  while (auto event = parser.next(bytes)) events.push_back(std::move(*event));
  EXPECT_TRUE(bytes.empty());
}

Events parse(std::string_view text) {
  SseParser parser(1000);
  Events events;
  feed(parser, text, events);
  return events;
}

TEST(SseParser, ReadsWhatTheStandardSays) {
  struct Case {
    std::string_view text;
    Events events;
  };
  using namespace std::string_view_literals;
  const std::vector<Case> cases{
      {"", {}},
      {"data: a\n\n", {{"message", "a", ""}}},
      // the examples of the standard, 9.2.6
      {"data: YHOO\ndata: +2\ndata: 10\n\n", {{"message", "YHOO\n+2\n10", ""}}},
      {": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
       {{"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}},
      {"data\n\ndata\ndata\n\ndata:", {{"message", "", ""}, {"message", "\n", ""}}},
      {"data:test\n\ndata: test\n\n", {{"message", "test", ""}, {"message", "test", ""}}},
      // names, and what is dropped with the event that has no data
      {"event: update\ndata: {\"a\":1}\n\n", {{"update", "{\"a\":1}", ""}}},
      {"event: a\nevent: b\ndata: c\n\ndata: d\n\n", {{"b", "c", ""}, {"message", "d", ""}}},
      {"event: a\n\ndata: b\n\n", {{"message", "b", ""}}},
      {"event:\ndata: b\n\n", {{"message", "b", ""}}},
      // ids last until the next, with events without data, too
      {"id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\n",
       {{"message", "a", "1"}, {"message", "b", "1"}, {"message", "c", "2"}}},
      {"id: 1\ndata: a\n\nid: 2\0003\ndata: b\n\n"sv, {{"message", "a", "1"}, {"message", "b", "1"}}},
      // comments, unknown fields, fields of another spelling
      {":thump\n:\n: data: a\n\n:thump\n", {}},
      {"Data: a\n data: b\ndatum: c\nfoo\nretry: x\n\n", {}},
      {"data:a:b: c\n\n", {{"message", "a:b: c", ""}}},
      {"data:\ta \n\n", {{"message", "\ta ", ""}}},
      // all three line ends
      {"data: a\r\rdata: b\r\n\r\ndata: c\n\ndata: d\r\n\rdata: e\n\r\n",
       {{"message", "a", ""}, {"message", "b", ""}, {"message", "c", ""}, {"message", "d", ""}, {"message", "e", ""}}},
      {"data: a\n\r", {{"message", "a", ""}}},
      {"data: a\r\ndata: b\n\n", {{"message", "a\nb", ""}}},
      // one byte order mark, and only at the start
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {{"message", "a", ""}}},
      {"\xEF\xBB\xBF\xEF\xBB\xBF"
       "data: a\n\ndata: b\n\n",
       {{"message", "b", ""}}},
      {"\xEF\xBB"
       "data: a\n\ndata: b\n\n",
       {{"message", "b", ""}}},
      {"data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {{"message", "a", ""}}},
      {"data: \xEF\xBB\xBF\n\n", {{"message", "\xEF\xBB\xBF", ""}}},
      // bytes as they are
      {"data: gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 \xFF\xC3\n\n",
       {{"message", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 \xFF\xC3", ""}}},
      {"data: a\0b\n\n"sv, {{"message", std::string("a\0b", 3), ""}}},
      // the end of the stream ends no event
      {"data: a\n\ndata: b\n", {{"message", "a", ""}}},
      {"data: a\n\ndata: b", {{"message", "a", ""}}},
  };
  for (const auto& [text, events] : cases) EXPECT_EQ(parse(text), events) << text;
}

TEST(SseParser, GivesTheSameEventsHoweverTheStreamIsCut) {
  const std::string text =
      "\xEF\xBB\xBF: hello\r\n\r\nevent: update\r\ndata: {\"text\":\"gr\xC3\xBC\xC3\x9F\"}\r\nid: 7\r\n\r\n"
      ":thump\n\ndata: one\rdata\rdata: three\r\revent: delete\ndata: 8\n\nid: 9\n\nretry: 1500\r\n\ndata: x\r\n\r\n"
      "data: cut off";
  const Events whole = parse(text);
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_EQ(whole[0], (ServerEvent{"update", "{\"text\":\"gr\xC3\xBC\xC3\x9F\"}", "7"}));
  EXPECT_EQ(whole[1], (ServerEvent{"message", "one\n\nthree", "7"}));
  EXPECT_EQ(whole[2], (ServerEvent{"delete", "8", "7"}));
  EXPECT_EQ(whole[3], (ServerEvent{"message", "x", "9"}));
  const auto cut = [&](std::size_t first, std::size_t second) {
    SseParser parser(1000);
    Events events;
    const std::string_view view = text;
    feed(parser, view.substr(0, first), events);
    feed(parser, view.substr(first, second - first), events);
    feed(parser, view.substr(second), events);
    EXPECT_EQ(events, whole) << first << ' ' << second;
    EXPECT_EQ(parser.last_id(), "9");
    EXPECT_EQ(parser.retry(), 1500ms);
  };
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) cut(first, second);
  }

  SseParser parser(1000);
  Events events;
  for (const char c : text) feed(parser, std::string_view(&c, 1), events);
  EXPECT_EQ(events, whole);
}

TEST(SseParser, EndsAnEventAtItsLastCr) {
  SseParser parser(1000);
  std::string_view first = "data: a\r\n\r";
  EXPECT_TRUE(parser.next(first)) << "it does not wait for what may be an LF";
  std::string_view second = "\ndata: b\r\n\r\n";
  const auto event = parser.next(second);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, "b");
}

TEST(SseParser, KnowsTheIdToComeBackWith) {
  SseParser parser(1000);
  Events events;
  feed(parser, "id: 1\ndata: a\n\nid: 2\n", events);
  EXPECT_EQ(parser.last_id(), "1") << "the event of 2 has not ended";
  feed(parser, "\n", events);
  EXPECT_EQ(parser.last_id(), "2");
  EXPECT_EQ(events.size(), 1U);
}

TEST(SseParser, KnowsHowLongToWait) {
  const auto retry = [](std::string_view text) {
    SseParser parser(1000);
    Events events;
    feed(parser, text, events);
    return parser.retry();
  };
  EXPECT_EQ(retry("data: a\n\n"), std::nullopt);
  EXPECT_EQ(retry("retry: 3000\n"), 3000ms);
  EXPECT_EQ(retry("retry:0\n"), 0ms);
  EXPECT_EQ(retry("retry: 3000"), std::nullopt);
  EXPECT_EQ(retry("retry: 3000\nretry: soon\nretry:\nretry: -1\nretry: 1.5\nretry: 1 \n"), 3000ms);
  EXPECT_EQ(retry("retry: 99999999999999999999999\n"), 24h);
  EXPECT_EQ(retry("retry: 9223372036854775807\n"), 24h);
}

TEST(SseParser, HoldsNoMoreThanItMay) {
  const auto too_large = [](std::string_view text) {
    SseParser parser(100);
    Events events;
    for (const char c : text) feed(parser, std::string_view(&c, 1), events);
    SseParser at_once(100);
    Events same;
    feed(at_once, text, same);
    EXPECT_EQ(events, same);
    EXPECT_EQ(parser.too_large(), at_once.too_large());
    return parser.too_large();
  };
  EXPECT_FALSE(too_large("data:" + std::string(95, 'a') + "\n\n"));
  EXPECT_TRUE(too_large("data:" + std::string(96, 'a')));
  EXPECT_FALSE(too_large("data:" + std::string(90, 'a') + "\ndata:" + std::string(9, 'b') + "\n\n"));
  EXPECT_TRUE(too_large("data:" + std::string(90, 'a') + "\ndata:" + std::string(10, 'b') + "\n"));
  EXPECT_TRUE(too_large("event:" + std::string(50, 'a') + "\ndata:" + std::string(51, 'b') + "\n"));
  EXPECT_TRUE(too_large("unknown" + std::string(100, 'a')));
  EXPECT_FALSE(too_large(":" + std::string(1000, 'a') + "\n\n")) << "a comment is not held";

  SseParser parser(10);
  Events events;
  feed(parser, "data: a\n\ndata: too long\n\ndata: b\n\n", events);
  EXPECT_EQ(events, (Events{{"message", "a", ""}}));
  EXPECT_TRUE(parser.too_large());
  feed(parser, "\n\ndata: c\n\n", events);
  EXPECT_EQ(events.size(), 1U);
}

}  // namespace
}  // namespace triage::net::testing
