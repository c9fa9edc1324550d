#include "triage/model/time.h"

#include <gtest/gtest.h>

namespace triage {
namespace {

using namespace std::chrono_literals;

std::string read(std::string_view text) {
  const auto time = parse_time(text);
  return time ? format_time(*time) : "refused: " + time.error().detail;
}

TEST(Time, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(format_time(from_millis(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(from_millis(1'795'339'800'001)), "2026-11-22T09:30:00.001Z");
  EXPECT_EQ(format_time(from_millis(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_time(from_millis(951'782'400'000)), "2000-02-29T00:00:00.000Z");
}

TEST(Time, BeyondTheYears0000To9999IsWrittenAsTheNearestInside) {
  EXPECT_EQ(format_time(Time::min()), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(Time::max()), "9999-12-31T23:59:59.999Z");
}

TEST(Time, ReadsAnyOffsetAndAnyFraction) {
  EXPECT_EQ(read("2026-11-22T09:30:00Z"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("2026-11-22t09:30:00z"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("2026-11-22 09:30:00Z"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("2026-11-22T15:00:00+05:30"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("2026-11-21T23:30:00-10:00"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("2026-11-22T09:30:00-00:00"), "2026-11-22T09:30:00.000Z");
  EXPECT_EQ(read("2026-11-22T09:30:00.5Z"), "2026-11-22T09:30:00.500Z");
  EXPECT_EQ(read("2026-11-22T09:30:00.123999999999Z"), "2026-11-22T09:30:00.123Z");
  EXPECT_EQ(read("0000-01-01T00:00:00Z"), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(read("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z");
}

TEST(Time, ALeapSecondIsTheLastMillisecondOfItsDay) {
  EXPECT_EQ(read("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59.999Z");
  EXPECT_EQ(read("2017-01-01T05:29:60+05:30"), "2016-12-31T23:59:59.999Z");
  EXPECT_FALSE(parse_time("2016-12-31T12:00:60Z"));
}

TEST(Time, RefusesWhatIsNotRfc3339) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-22",
                           "2026-11-22T09:30Z",
                           "2026-11-22T09:30:00",
                           "2026-13-22T09:30:00Z",
                           "2026-02-29T09:30:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T09:60:00Z",
                           "2026-11-22T09:30:61Z",
                           "2026-11-22T09:30:00.Z",
                           "2026-11-22T09:30:00Zx",
                           " 2026-11-22T09:30:00Z",
                           "2026-11-22T09:30:00+0530",
                           "2026-11-22T09:30:00+24:00",
                           "2026-11-22T09:30:00+05:60",
                           "+026-11-22T09:30:00Z",
                           "2026-11-22T09:30:00,5Z",
                           "0000-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00",
                           "20261122T093000Z",
                           "1803"}) {
    EXPECT_EQ(read(text).substr(0, 32), "refused: expected an RFC 3339 ti") << text;
  }
}

TEST(Time, WhatIsWrittenIsReadAgain) {
  for (std::int64_t millis = -62'000'000'000'000; millis < 253'000'000'000'000; millis += 999'999'999'977) {
    const auto again = parse_time(format_time(from_millis(millis)));
    ASSERT_TRUE(again);
    EXPECT_EQ(to_millis(*again), millis);
  }
}

TEST(Duration, IsAWholeNumberWithAUnit) {
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("90s"), 90s);
  EXPECT_EQ(*parse_duration("15m"), 15min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("30d"), 720h);
  EXPECT_EQ(*parse_duration("2y"), 24h * 730);
  EXPECT_EQ(*parse_duration("0s"), 0s);
  EXPECT_EQ(*parse_duration("100y"), 24h * 36'500);
}

TEST(Duration, RefusesWhatIsNot) {
  for (const char* text : {"", "s", "90", "-5s", "+5s", "1.5h", "5 m", "5w", "5M", "101y", "5mm",
                           "99999999999999999999999s", "9223372036854775807d", "m5", " 5s", "5s "}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, IsWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(15min), "15m");
  EXPECT_EQ(format_duration(90min), "90m");
  EXPECT_EQ(format_duration(2h), "2h");
  EXPECT_EQ(format_duration(30 * 24h), "30d");
}

}  // namespace
}  // namespace triage
