// The ways in which platforms write a time. A source file names them.
#pragma once

#include <optional>
#include <string_view>

#include "ingest/value.h"
#include "triage/model/time.h"

namespace triage::ingest {

enum class TimeFormat {
  rfc3339,  // 2026-11-22T09:30:00.000Z; an offset without its colon (+0000) too
  // Sun, 22 Nov 2026 09:30:00 +0100: the date of a mail and of an RSS item (RFC 5322 section 3.3) with the obsolete
  // forms of section 4.3: years of two digits, zones by name (EST; one that is not known there is UTC), comments in
  // parentheses. The day's name, which need not be the right one, and the seconds may be left out.
  rfc5322,
  x,                   // Wed Oct 10 20:19:24 +0000 2018
  epoch_seconds,       // 1539202764, as a number or in a string
  epoch_milliseconds,  // 1539202764123
  epoch,               // either; from 100,000,000,000 on it is milliseconds
};

std::optional<TimeFormat> parse_time_format(std::string_view name);

// Nothing where the value is not such a time, or not within the years 1970 to 9999.
std::optional<Time> read_time(const Value& value, TimeFormat format);

}  // namespace triage::ingest
