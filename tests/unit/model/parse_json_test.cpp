#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "triage/model/json.h"

namespace triage {
namespace {

using namespace std::string_literals;

std::string refusal(std::string_view bytes, int max_depth = 128) {
  const auto document = parse_json(bytes, max_depth);
  if (document) return "accepted";
  EXPECT_EQ(document.error().code, ErrorCode::bad_request);
  return document.error().detail;
}

TEST(ParseJson, ReadsAnyValue) {
  EXPECT_EQ(parse_json(R"({"a": [1, -2.5, true, null, "é😀 \ud83d\ude00"]})")->dump(),
            R"({"a":[1,-2.5,true,null,"é😀 😀"]})");
  EXPECT_EQ(parse_json("  7\n")->dump(), "7");
  EXPECT_EQ(*parse_json("\"\\u0000\""), "\0"s);
}

TEST(ParseJson, ANumberTooLongForAnIntegerIsADouble) {
  EXPECT_EQ(parse_json("18446744073709551616")->get<double>(), 18446744073709551616.0);
  EXPECT_EQ(parse_json("18446744073709551615")->get<std::uint64_t>(), 18446744073709551615ULL);
  EXPECT_EQ(parse_json("1e-400")->get<double>(), 0);
}

TEST(ParseJson, ANumberTooLargeForADoubleIsRefused) {
  EXPECT_EQ(refusal("[1, 1e400]"), "not valid JSON at byte 8: the number is too large");
}

TEST(ParseJson, OfDuplicateKeysTheLastWins) {
  EXPECT_EQ(parse_json(R"({"a": {"x": 1}, "b": 2, "a": {"y": 3}})")->dump(), R"({"a":{"y":3},"b":2})");
}

TEST(ParseJson, TheErrorNamesTheByteAndWhatWasExpected) {
  EXPECT_EQ(refusal(""), "not valid JSON at byte 0: unexpected end of input, expected '[', '{', or a literal");
  EXPECT_EQ(refusal(R"({"a": 1)"), "not valid JSON at byte 7: unexpected end of input, expected '}'");
  EXPECT_EQ(refusal(R"({"a" 1})"), "not valid JSON at byte 5: unexpected number literal, expected ':'");
  EXPECT_EQ(refusal("[1,]"), "not valid JSON at byte 3: unexpected ']', expected '[', '{', or a literal");
  EXPECT_EQ(refusal("{} {}"), "not valid JSON at byte 3: unexpected '{', expected end of input");
  EXPECT_EQ(refusal("nul"), "not valid JSON at byte 3: invalid literal, expected a value");
  EXPECT_EQ(refusal("[1.]"), "not valid JSON at byte 3: invalid number; expected digit after '.'");
  EXPECT_EQ(refusal("{'a': 1}"), "not valid JSON at byte 1: invalid literal, expected a string");
}

TEST(ParseJson, InvalidUtf8IsRefusedAtItsByte) {
  EXPECT_EQ(refusal("[\"ab\xC3\x28\"]"), "not valid JSON at byte 5: invalid string: ill-formed UTF-8 byte");
  for (const char* bytes : {"\"\xFF\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"",
                            "\"\\ud800\"", "\"\\udc00 \"", "\xFF", "[\xC3\xA9]"}) {
    EXPECT_NE(refusal(bytes), "accepted") << bytes;
  }
}

TEST(ParseJson, TheErrorIsValidTextAndRepeatsNothingOfTheBody) {
  for (const std::string& body : {"{\"password\": \"hunter2\xFF\"}"s, "\"hunter2; expected \xFF\xFE\""s,
                                  "[\"hunter2"s + std::string(100'000, 'x'), "{\"a\": hunter2}"s, "[hunter2\xC3"s,
                                  "\"x; last read: ' - hunter2; expected "s}) {
    const std::string text = refusal(body);
    EXPECT_NE(text, "accepted");
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    EXPECT_LT(text.size(), 200U);
    EXPECT_NO_THROW(nlohmann::json(text).dump());
  }
}

TEST(ParseJson, DepthIsBoundedBeforeItIsBuilt) {
  EXPECT_TRUE(parse_json(std::string(128, '[') + std::string(128, ']')));
  EXPECT_EQ(refusal(std::string(129, '[') + std::string(129, ']')),
            "not valid JSON at byte 128: nested too deep, expected at most 128 levels");
  EXPECT_EQ(refusal(R"({"[[\"[[": [[[]]]})", 3),
            "not valid JSON at byte 13: nested too deep, expected at most 3 levels");
  EXPECT_EQ(refusal(std::string(8 << 20, '[')),
            "not valid JSON at byte 128: nested too deep, expected at most 128 levels");
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  EXPECT_EQ(refusal(objects), "not valid JSON at byte 640: nested too deep, expected at most 128 levels");
}

TEST(ParseJson, WideIsNotDeep) {
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += "{\"a\": []},";
  wide += "0]";
  EXPECT_TRUE(parse_json(wide));
}

std::string written_refusal(std::string_view text) {
  const auto document = parse_written_json(text);
  return document ? "accepted" : document.error().detail;
}

TEST(ParseWrittenJson, PassesOverComments) {
  const auto document =
      parse_written_json("// first\n{\"a\": /* here */ 1, // there\n \"b\": \"// not here\"}\n// last");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->dump(), R"({"a":1,"b":"// not here"})");
  EXPECT_NE(refusal("{} // comment"), "accepted");
}

TEST(ParseWrittenJson, NamesLineAndColumn) {
  EXPECT_EQ(written_refusal("{\n  \"a\": 1,\n  b: 2\n}"),
            "not valid JSON at line 3, column 3: invalid literal, expected a string");
  EXPECT_EQ(written_refusal(""),
            "not valid JSON at line 1, column 1: unexpected end of input, expected '[', '{', or a literal");
  EXPECT_EQ(written_refusal(std::string(200, '[')),
            "not valid JSON at line 1, column 129: nested too deep, expected at most 128 levels");
}

TEST(ParseWrittenJson, RefusesAKeyThatStandsTwiceInOneObject) {
  EXPECT_EQ(written_refusal("{\"a\": 1,\n\"b\": {\"a\": 1}, \"a\": 2}"),
            "not valid JSON at line 2, column 18: the key \"a\" stands here for the second time, expected it once");
  EXPECT_EQ(written_refusal(R"([{"a": 1}, {"a": 1}])"), "accepted");
}

// Every cut and every changed byte of a document is either read or refused with a text that can be sent.
TEST(ParseJson, CutAndDamagedDocumentsAreRefusedCleanly) {
  const std::string body =
      R"({"posts": [{"native_id": "1803", "text": "caf\u00e9 é 😀", "rating": 2.5e0, "verified": true, "geo": null}]})";
  ASSERT_TRUE(parse_json(body));
  for (std::size_t i = 0; i < body.size(); ++i) {
    EXPECT_NE(refusal(body.substr(0, i)), "accepted") << i;
    for (int byte = 0; byte < 256; ++byte) {
      std::string damaged = body;
      damaged[i] = static_cast<char>(byte);
      const auto document = parse_json(damaged);
      ASSERT_NO_THROW(document ? document->dump() : nlohmann::json(document.error().detail).dump());
    }
  }
}

}  // namespace
}  // namespace triage
