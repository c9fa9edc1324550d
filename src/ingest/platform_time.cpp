#include "ingest/platform_time.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

namespace triage::ingest {
namespace {

constexpr std::int64_t kLastMillis = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<Time> within(std::int64_t millis) {
  if (millis < 0 || millis > kLastMillis) return std::nullopt;
  return from_millis(millis);
}

// "Wed Oct 10 20:19:24 +0000 2018": fixed columns; the week day is not looked at.
std::optional<Time> read_x(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 30 || text[3] != ' ' || text[7] != ' ' || text[10] != ' ' || text[13] != ':' || text[16] != ':' ||
      text[19] != ' ' || (text[20] != '+' && text[20] != '-') || text[25] != ' ') {
    return std::nullopt;
  }
  const auto month = kMonths.find(text.substr(4, 3));
  const auto day = digits(text.substr(8, 2));
  const auto hour = digits(text.substr(11, 2));
  const auto minute = digits(text.substr(14, 2));
  const auto second = digits(text.substr(17, 2));
  const auto off_hour = digits(text.substr(21, 2));
  const auto off_minute = digits(text.substr(23, 2));
  const auto year = digits(text.substr(26, 4));
  if (month == std::string_view::npos || month % 3 != 0 || !day || !hour || !minute || !second || !off_hour ||
      !off_minute || !year) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60 || *off_hour > 23 || *off_minute > 59) {
    return std::nullopt;
  }
  const int offset = (*off_hour * 60 + *off_minute) * (text[20] == '-' ? -1 : 1);
  const auto seconds = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(*hour) +
                       std::chrono::minutes(*minute - offset) + std::chrono::seconds(std::min(*second, 59));
  return within(std::chrono::duration_cast<Duration>(seconds).count());
}

std::optional<Time> read_rfc3339(std::string_view text) {
  std::string with_colon;
  // Meta leaves the colon of the offset out: 2026-11-22T09:30:00+0000.
  if (text.size() >= 24 && (text[text.size() - 5] == '+' || text[text.size() - 5] == '-')) {
    with_colon.assign(text).insert(text.size() - 2, ":");
    text = with_colon;
  }
  const auto time = parse_time(text);
  return time ? within(to_millis(*time)) : std::nullopt;
}

std::optional<double> read_number(const Value& value) {
  if (const auto number = number_in(&value)) return number;
  const auto text = string_in(&value);
  if (!text || text->empty() || text->size() > 20) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return static_cast<double>(number);
}

std::optional<Time> read_epoch(const Value& value, TimeFormat format) {
  constexpr double kLikelyMillis = 1e11;  // as seconds this is the year 5138, as milliseconds 1973
  const auto number = read_number(value);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  const bool millis =
      format == TimeFormat::epoch_milliseconds || (format == TimeFormat::epoch && std::abs(*number) >= kLikelyMillis);
  const double scaled = millis ? *number : *number * 1000;
  if (scaled < 0 || scaled > static_cast<double>(kLastMillis)) return std::nullopt;
  return within(static_cast<std::int64_t>(scaled));
}

}  // namespace

std::optional<TimeFormat> parse_time_format(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, TimeFormat>, 5> kNames{
      {{"rfc3339", TimeFormat::rfc3339},
       {"x", TimeFormat::x},
       {"epoch_seconds", TimeFormat::epoch_seconds},
       {"epoch_milliseconds", TimeFormat::epoch_milliseconds},
       {"epoch", TimeFormat::epoch}}};
  for (const auto& [known, format] : kNames) {
    if (name == known) return format;
  }
  return std::nullopt;
}

std::optional<Time> read_time(const Value& value, TimeFormat format) {
  switch (format) {
    case TimeFormat::rfc3339:
    case TimeFormat::x: {
      const auto text = string_in(&value);
      if (!text || text->size() > 64) return std::nullopt;
      return format == TimeFormat::x ? read_x(*text) : read_rfc3339(*text);
    }
    case TimeFormat::epoch_seconds:
    case TimeFormat::epoch_milliseconds:
    case TimeFormat::epoch:
      return read_epoch(value, format);
  }
  return std::nullopt;
}

}  // namespace triage::ingest
