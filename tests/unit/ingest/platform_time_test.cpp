// The dates of mails and of feeds.
#include "ingest/platform_time.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace triage::ingest::test {
namespace {

std::string read(const nlohmann::json& value) {
  const auto time = read_time(to_value(value), TimeFormat::rfc5322);
  return time ? format_time(*time) : "(none)";
}

TEST(MailDates, AreReadAsRfc5322WritesThem) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"Sun, 22 Nov 2026 09:30:00 +0100", "2026-11-22T08:30:00.000Z"},
      {"22 Nov 2026 09:30:00 -0530", "2026-11-22T15:00:00.000Z"},
      {"Sun, 22 Nov 2026 09:30 +0000", "2026-11-22T09:30:00.000Z"},
      {"1 Jan 2027 00:30:00 +0100", "2026-12-31T23:30:00.000Z"},
      {"Thu, 29 Feb 2024 23:59:60 -0000", "2024-02-29T23:59:59.000Z"},
      {"sun,22 nov 2026 09:30:00 +0100", "2026-11-22T08:30:00.000Z"},
      {"Mon, 22 Nov 2026 09:30:00 +0100", "2026-11-22T08:30:00.000Z"},  // it was a Sunday
      {"  Sun,\t22 Nov\r\n 2026  09:30:00   +0100  ", "2026-11-22T08:30:00.000Z"},
      // Appendix A.5 and A.6.2 and A.6.3 of the RFC; its first is before 1970
      {"Thu, 13 Feb 1999 23:32:54 -0330 (Newfoundland Time)", "1999-02-14T03:02:54.000Z"},
      {"Thu,\r\n      13\r\n        Feb\r\n          1999\r\n      23:32\r\n               -0330 (Newfoundland Time)",
       "1999-02-14T03:02:00.000Z"},
      {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "1997-11-21T15:55:06.000Z"},
      {"21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06.000Z"},
      {"Sat, 07 Sep 2002 00:00:01 GMT", "2002-09-07T00:00:01.000Z"},  // the RSS 2.0 specification's
  };
  for (const auto& [text, time] : cases) EXPECT_EQ(read(text), time) << text;
}

TEST(MailDates, OldYearsAndZonesAreReadToo) {
  const auto year = [](const std::string& digits) { return read("1 Jan " + digits + " 12:00:00 GMT").substr(0, 4); };
  EXPECT_EQ(year("26"), "2026");
  EXPECT_EQ(year("49"), "2049");
  EXPECT_EQ(year("70"), "1970");
  EXPECT_EQ(year("126"), "2026");
  EXPECT_EQ(year("9999"), "9999");
  EXPECT_EQ(year("50"), "(non") << "1950 is before all of our times";

  const auto hour = [](const std::string& zone) { return read("1 Jan 2026 12:00:00 " + zone).substr(11, 5); };
  for (const auto* utc : {"GMT", "UT", "UTC", "Z", "A", "m", "CEST", "+0000", "-0000"}) {
    EXPECT_EQ(hour(utc), "12:00") << utc;
  }
  EXPECT_EQ(hour("EST"), "17:00");
  EXPECT_EQ(hour("edt"), "16:00");
  EXPECT_EQ(hour("CST"), "18:00");
  EXPECT_EQ(hour("CDT"), "17:00");
  EXPECT_EQ(hour("MST"), "19:00");
  EXPECT_EQ(hour("MDT"), "18:00");
  EXPECT_EQ(hour("PST"), "20:00");
  EXPECT_EQ(hour("PDT"), "19:00");
}

TEST(MailDates, CommentsAreNotLookedAt) {
  for (const auto* comment : {"(CET)", "()", "(a (nested) one)", "(with \\) and \\\\)", "(one) (two)"}) {
    EXPECT_EQ(read("Sun, 22 Nov 2026 09:30:00 +0100 " + std::string(comment)), "2026-11-22T08:30:00.000Z") << comment;
  }
}

TEST(MailDates, WhatIsNoneIsRefused) {
  for (const auto* bad : {"",
                          " ",
                          "Sun",
                          "Sun,",
                          "Sun 22 Nov 2026 09:30:00 +0100",
                          "Foo, 22 Nov 2026 09:30:00 +0100",
                          "Sunday, 22 Nov 2026 09:30:00 +0100",
                          "22 Foo 2026 09:30:00 +0100",
                          "22 November 2026 09:30:00 +0100",
                          "31 Nov 2026 09:30:00 +0100",
                          "0 Nov 2026 09:30:00 +0100",
                          "022 Nov 2026 09:30:00 +0100",
                          "22 Nov 6 09:30:00 +0100",
                          "22 Nov 12026 09:30:00 +0100",
                          "22 Nov 2026 24:00:00 +0100",
                          "22 Nov 2026 09:60:00 +0100",
                          "22 Nov 2026 09:30:61 +0100",
                          "22 Nov 2026 9:30:00 +0100",
                          "22 Nov 2026 09:30:00.5 +0100",
                          "22 Nov 2026 09:30:00",
                          "22 Nov 2026 09:30: +0100",
                          "22 Nov 2026 09 +0100",
                          "22 Nov 2026 09:30:00 0100",
                          "22 Nov 2026 09:30:00 +100",
                          "22 Nov 2026 09:30:00 +01:00",
                          "22 Nov 2026 09:30:00 +01000",
                          "22 Nov 2026 09:30:00 +2400",
                          "22 Nov 2026 09:30:00 +0160",
                          "22 Nov 2026 09:30:00 +0-10",
                          "22 Nov 2026 09:30:00 TOOLONG",
                          "22 Nov 2026 09:30:00 +0100 x",
                          "22 Nov 2026 09:30:00 +0100 (open",
                          "22 Nov 2026 09:30:00 +0100 (open\\)",
                          "22 Nov 2026 09:30:00 +0100 closed)",
                          "-2 Nov 2026 09:30:00 +0100",
                          "1 Jan 1970 00:30:00 +0100",
                          "2026-11-22T09:30:00Z"}) {
    EXPECT_EQ(read(bad), "(none)") << bad;
  }
  EXPECT_EQ(read(1795339800), "(none)");
  EXPECT_EQ(read(nullptr), "(none)");
  EXPECT_EQ(read("Sun, 22 Nov 2026 09:30:00 +0100 (" + std::string(200, 'x') + ")"), "(none)") << "longer than a date";
}

TEST(MailDates, HaveTheirNameAmongTheFormats) {
  EXPECT_EQ(parse_time_format("rfc5322"), TimeFormat::rfc5322);
  EXPECT_EQ(parse_time_format("rfc822"), std::nullopt);
}

}  // namespace
}  // namespace triage::ingest::test
