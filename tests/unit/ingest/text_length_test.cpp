// A text is as long as the platform will say it is.
#include "ingest/text_length.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace triage::ingest::test {
namespace {

TEST(TextLength, EachUnitCountsItsOwn) {
  struct Case {
    std::string text;
    std::size_t characters, utf16, bytes, graphemes;
  };
  for (const Case& one :
       {Case{"", 0, 0, 0, 0}, Case{"abc", 3, 3, 3, 3}, Case{"caf\u00e9", 4, 4, 5, 4}, Case{"cafe\u0301", 5, 5, 6, 4},
        Case{"\U0001F6EB", 1, 2, 4, 1}, Case{std::string("a\0b", 3), 3, 3, 3, 3}}) {
    EXPECT_EQ(text_length(one.text, LengthUnit::characters), one.characters) << one.text;
    EXPECT_EQ(text_length(one.text, LengthUnit::utf16), one.utf16) << one.text;
    EXPECT_EQ(text_length(one.text, LengthUnit::bytes), one.bytes) << one.text;
    EXPECT_EQ(text_length(one.text, LengthUnit::graphemes), one.graphemes) << one.text;
  }
}

TEST(TextLength, GraphemesAreWhatAReaderSees) {
  const std::vector<std::pair<std::string, std::size_t>> cases{
      {"\r\n\n", 2},
      {"e\u0301\u0327o", 2},
      {"\U0001F469\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466!", 2},
      {"\U0001F44D\U0001F3FD\U0001F44D", 2},
      {"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7\U0001F1EA", 3},
      {"1\ufe0f\u20e3", 1},
      {"\u1112\u1161\u11ab\uae00", 2},
      {"\u0e01\u0e33", 1},
      {"\u0928\u093f", 1},
  };
  for (const auto& [text, count] : cases) EXPECT_EQ(text_length(text, LengthUnit::graphemes), count) << text;
}

TEST(TextLength, WhatIsNoUtf8CountsByTheByte) {
  const std::string text = "a\xff\xe2\x82 \xed\xa0\x80";
  EXPECT_EQ(text_length(text, LengthUnit::characters), 8);
  EXPECT_EQ(text_length(text, LengthUnit::utf16), 8);
  EXPECT_EQ(text_length(text, LengthUnit::bytes), 8);
  EXPECT_EQ(text_length(text, LengthUnit::graphemes), 8);
  EXPECT_EQ(text_length(text, LengthUnit::x), 2 + 6 * 2) << "U+FFFD weighs 2";
}

// Each with the weightedLength that parseTweet of npm's twitter-text 3.1.0 gives.
TEST(TextLength, XWeighsAsTwitterTextDoes) {
  const std::vector<std::pair<std::string, std::size_t>> cases{
      {"", 0},
      {"hello", 5},
      {"café", 4},
      {"cafe\u0301", 4},
      {"¡Olé! €5 \u2013 \u201csí\u201d\u2026", 18},
      {"\u2032 \u2033 \u2010", 5},
      {"日本語のテキスト", 16},
      {"한국어", 6},
      {"\u1112\u1161\u11ab", 2},
      {"Привет, мир", 11},
      {"\u05e9\u05dc\u05d5\u05dd", 4},
      {"ไทย", 3},
      {"\u10ff\u1100", 3},
      {"\U0001F44D", 2},
      {"\U0001F44D\U0001F3FD", 2},
      {"\U0001F469\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466", 2},
      {"\U0001F469\U0001F3FD\u200d\U0001F680", 2},
      {"❤\ufe0f", 2},
      {"❤", 2},
      {"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7", 4},
      {"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", 2},
      {"1\ufe0f\u20e3#\u20e3", 4},
      {"1\ufe0f", 3},
      {"© ®", 3},
      {"©\ufe0f", 2},
      {"☎\ufe0e", 4},
      {"\U0001F3F3\ufe0f\u200d\U0001F308 flag", 7},
      {"\U0001F600\ufe0f", 4},
      {"\U0001D49C\U0001D4B7", 4},
      {"see https://example.com/a/very/long/path/that/goes/on/and/on?with=a&query=too#end now", 31},
      {"http://a.de", 23},
      {"HTTPS://EXAMPLE.COM", 23},
      {"https://localhost:8080/x", 24},
      {"https://example.notatld/x", 25},
      {"http://example.community:8080/x?", 24},
      {"http://10.0.0.1/x", 17},
      {"end of it: https://example.com/a.", 35},
      {"(https://en.wikipedia.org/wiki/Foo_(bar))", 25},
      {"https://example.com/a(b)c(d", 25},
      {"https://example.com/?q=a+b.", 24},
      {"https://example.com/#x!", 24},
      {"https://example.com/ж/é\u2013a", 23},
      {"https://t.co/abc123/more", 28},
      {"https://t.co/" + std::string(41, 'a'), 54},
      {"https://t.co/abc?x=1.", 24},
      {"https://sub_domain.example.com https://my_example.com", 46},
      {"example.com", 23},
      {"example.com/path?x=1 and", 27},
      {"example.com?x=1", 27},
      {"mail me@example.com", 19},
      {"#example.com $example.com @example.com", 38},
      {"version 1.2.co", 31},
      {"-example.com", 12},
      {"a.b.c.museum.", 24},
      {"e.g. this.That", 14},
      {"x.com,y.org;z.net", 71},
      {"https://例え.テスト https://例え.コム/あ", 45},
      {"例えexample.com", 27},
      {"пример.рф http://пример.рф", 33},
      {"http://xn--e1afmkfd.xn--p1ai/x", 23},
      {"詳しくはこちらのページをご覧ください。よろしくお願いいたします。example.com", 75},
      {"http://" + std::string(63, 'a') + ".com http://" + std::string(64, 'a') + ".com", 99},
      {"\U0001F44Dhttps://example.com\U0001F44D", 27},
      {"https://a.comhttps://b.com", 26},
      {"example.com-x example.com_x example.com@x", 53},
      {"http://user:pw@example.com/", 27},
      {"\u200eexample.com \ufeffexample.com", 39},
  };
  for (const auto& [text, weight] : cases) EXPECT_EQ(text_length(text, LengthUnit::x), weight) << text;
}

TEST(TextLength, XWeighsLaterEmojiAsItsClientsDo) {
  for (const auto* emoji : {"\U0001F9D1\u200d\U0001F680", "\U0001F3F3\ufe0f\u200d\u26a7\ufe0f", "\U0001FAE0",
                            "\u2764\ufe0f\u200d\U0001F525", "\U0001FAF1\U0001F3FB\u200d\U0001FAF2\U0001F3FF"}) {
    EXPECT_EQ(text_length(emoji, LengthUnit::x), 2) << emoji;
  }
}

TEST(TextLength, LongTextsTakeTimeInProportion) {
  using std::chrono::steady_clock;
  const auto repeated = [](const std::string& part) {
    std::string text;
    while (text.size() < 400'000) text += part;
    return text;
  };
  for (const auto* part : {"a.", "\u6771", "-", "a.b-", "https://", "https://a.com/(", "https://a.com/((a)", "\u6771.",
                           "e\u0301", "\u200d", "xn--", "a_.", "\U0001F469\u200d", "https://a.com/?.", "\u6771.com"}) {
    const auto start = steady_clock::now();
    text_length(repeated(part), LengthUnit::x);
    EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(5)) << part;
  }
}

TEST(TextLength, UnitsHaveNames) {
  EXPECT_EQ(parse_length_unit("characters"), LengthUnit::characters);
  EXPECT_EQ(parse_length_unit("utf16"), LengthUnit::utf16);
  EXPECT_EQ(parse_length_unit("bytes"), LengthUnit::bytes);
  EXPECT_EQ(parse_length_unit("graphemes"), LengthUnit::graphemes);
  EXPECT_EQ(parse_length_unit("x"), LengthUnit::x);
  EXPECT_EQ(parse_length_unit("inches"), std::nullopt);
}

}  // namespace
}  // namespace triage::ingest::test
