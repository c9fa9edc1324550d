// Time as the project knows it: UTC milliseconds, and durations as people write them in a configuration.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "triage/model/error.h"

namespace triage {

using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Duration>;

// The wall clock, once, at the edges. The middle gets time as an argument.
Time wall_clock_now();

// RFC 3339 in UTC with milliseconds: 2026-11-22T09:30:00.000Z. Years 0000 to 9999.
std::string format_time(Time time);

// RFC 3339 with any offset and any number of fraction digits (cut to milliseconds). A leap second is read as :59.999.
Result<Time> parse_time(std::string_view text);

// A whole number with a unit: ms, s, m, h, d or y (365 days); "90s", "15m", "2h", "30d", "250ms". Never negative; at
// most 100 years.
Result<Duration> parse_duration(std::string_view text);

// In the largest unit up to days that is exact: 90s, 15m, 2h, 30d, 1500ms.
std::string format_duration(Duration duration);

inline std::int64_t to_millis(Time time) {
  return time.time_since_epoch().count();
}
inline Time from_millis(std::int64_t millis) {
  return Time(Duration(millis));
}

}  // namespace triage
