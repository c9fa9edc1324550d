// The fast reader of JSON takes what the model's reader takes, and makes the same of it.
#include "ingest/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/monotonic_resource.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "support.h"
#include "triage/model/json.h"

namespace triage::ingest::test {
namespace {

using nlohmann::json;

// One word for both kinds of values: what they hold, and that numbers are of the same kind.
json from_value(const Value& value) {
  if (const auto* object = value.if_object()) {
    json out = json::object();
    for (const auto& member : *object) out[std::string(member.key())] = from_value(member.value());
    return out;
  }
  if (const auto* array = value.if_array()) {
    json out = json::array();
    for (const auto& element : *array) out.push_back(from_value(element));
    return out;
  }
  if (const auto text = string_in(&value)) return *text;
  if (value.is_bool()) return value.get_bool();
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_double()) return value.get_double();
  return nullptr;
}

std::string outcome(const Result<json>& read) {
  if (!read) return std::to_string(static_cast<int>(read.error().code)) + ' ' + read.error().detail;
  return read->dump(-1, ' ', true);
}

std::string fast(const std::string& body) {
  boost::json::monotonic_resource memory;
  const auto read = read_json(body, &memory);
  if (!read) return outcome(read.error());
  return outcome({boost::system::in_place_value, from_value(*read)});
}

void expect_same(const std::string& body) {
  EXPECT_EQ(fast(body), outcome(parse_json(body))) << body.substr(0, 200);
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Value, IsWhatTheModelsReaderMakesOfIt) {
  for (const std::string body :
       {"null", "true", " \t\r\n{} ", "[]", "\"\"", "{\"a\":[1,-2,{\"b\":null}]}", "\xef\xbb\xbf{\"a\":1}",
        R"("\u00e9\ud83d\udeeb\n\u0000\/")", "\"caf\xc3\xa9\"",
        // numbers
        "0", "-0", "-0.0", "0.1", "51.470022", "-0.454295", "1e5", "1E+5", "1e-5", "123456789.123456789e-7",
        "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "1e308", "1e309", "-1e400", "1e-400",
        "4.9e-324", "2.2250738585072011e-308", "1e99999999999", "1e-99999999999", "0e99999999999",
        "0.30000000000000004", "8.41e21", "179769313486231580793728971405303415079934132710037826936173.5",
        "0.000000000000000000000000000000000000000000000000000123456789012345678901234567890",
        // what is none
        "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "-", "+1", "1e", "nul", "NaN", "'a'", "[1]x",
        "// c\n1", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\x\"", "\"\x01\"", "\"\xff\"",
        "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc3", "\"abc", "\xff\xfe", "[\"\\u12\"]"}) {
    expect_same(body);
  }
  expect_same(std::string("{}\0", 3));
  expect_same(std::string("{}\0x", 4));
  expect_same(std::string("\"a\0b\"", 5));
}

TEST(Value, OfAKeyThatStandsTwiceTheLastCounts) {
  expect_same(R"({"a":1,"b":2,"a":3})");
  expect_same(R"({"a":{"x":1},"a":null})");
  std::string many = "{";  // so many that they are found by their hashes
  for (int i = 0; i < 200; ++i) {
    many += (i == 0 ? "\"k" : ",\"k") + std::to_string(i % 70) + "\":" + std::to_string(i);
  }
  expect_same(many + "}");
}

TEST(Value, DepthAndNumberAreBounded) {
  for (const std::size_t depth : {127u, 128u, 129u, 1000u, 100'000u}) {
    expect_same(repeated("[", depth) + repeated("]", depth));
    expect_same(repeated("{\"a\":", depth) + "1" + repeated("}", depth));
    expect_same(repeated("[", depth));
  }
  for (const std::size_t count : {249'998u, 249'999u, 250'000u}) {
    expect_same("[0" + repeated(",0", count - 1) + "]");
    expect_same("[{}" + repeated(",{}", count - 1) + "]");
  }
}

TEST(Value, SharesItsFateWithTheModelsReaderOnBrokenBodies) {
  std::mt19937 random(7);
  for (const auto& file : std::filesystem::directory_iterator(std::string(TRIAGED_SOURCE_DIR) + "/tests/fixtures/x")) {
    const std::string body = read_file(file.path());
    expect_same(body);
    for (int i = 0; i < 200; ++i) {
      std::string broken = body;
      const std::size_t at = random() % broken.size();
      switch (random() % 3) {
        case 0:
          broken[at] = static_cast<char>(random());
          break;
        case 1:
          broken.erase(at, 1 + random() % 3);
          break;
        default:
          broken.insert(at, 1, "{}[],:\"\\0e.-"[random() % 12]);
      }
      expect_same(broken);
    }
  }
}

TEST(Value, NumbersAreReadToTheLastPlace) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string digits = std::to_string(random() >> (random() % 64));
    if (random() % 2 == 0) digits.insert(1 + random() % digits.size(), ".0");
    if (random() % 2 == 0) digits += "e" + std::to_string(static_cast<int>(random() % 700) - 350);
    expect_same(digits);
  }
}

}  // namespace
}  // namespace triage::ingest::test
