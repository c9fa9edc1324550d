#include "ingest/platform_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

#include "ingest/text.h"

namespace triage::ingest {
namespace {

constexpr std::int64_t kLastMillis = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

std::optional<int> digits(std::string_view text) {
  if (text.empty() || text.front() == '-') return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Time> within(std::int64_t millis) {
  if (millis < 0 || millis > kLastMillis) return std::nullopt;
  return from_millis(millis);
}

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

// From 1; nothing for what is no month's first three letters.
std::optional<int> month_of(std::string_view name) {
  for (std::size_t i = 0; i < kMonths.size(); i += 3) {
    if (same_ignoring_case(name, kMonths.substr(i, 3))) return static_cast<int>(i / 3 + 1);
  }
  return std::nullopt;
}

// As a clock on the wall and a calendar beside it show it, that much (in minutes) ahead of UTC.
struct WallTime {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;  // 60 is a leap second, which we read as the one before
  int offset = 0;
};

std::optional<Time> on_our_clock(const WallTime& wall) {
  const std::chrono::year_month_day date{std::chrono::year(wall.year),
                                         std::chrono::month(static_cast<unsigned>(wall.month)),
                                         std::chrono::day(static_cast<unsigned>(wall.day))};
  if (!date.ok() || wall.hour > 23 || wall.minute > 59 || wall.second > 60) return std::nullopt;
  const auto seconds = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(wall.hour) +
                       std::chrono::minutes(wall.minute - wall.offset) +
                       std::chrono::seconds(std::min(wall.second, 59));
  return within(std::chrono::duration_cast<Duration>(seconds).count());
}

// Of "+hhmm" or "-hhmm", in minutes.
std::optional<int> offset_of(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = digits(text.substr(1, 2));
  const auto minutes = digits(text.substr(3, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (*hours * 60 + *minutes) * (text[0] == '-' ? -1 : 1);
}

// "Wed Oct 10 20:19:24 +0000 2018": fixed columns; the week day is not looked at.
std::optional<Time> read_x(std::string_view text) {
  if (text.size() != 30 || text[3] != ' ' || text[7] != ' ' || text[10] != ' ' || text[13] != ':' || text[16] != ':' ||
      text[19] != ' ' || text[25] != ' ') {
    return std::nullopt;
  }
  const auto month = month_of(text.substr(4, 3));
  const auto day = digits(text.substr(8, 2));
  const auto hour = digits(text.substr(11, 2));
  const auto minute = digits(text.substr(14, 2));
  const auto second = digits(text.substr(17, 2));
  const auto offset = offset_of(text.substr(20, 5));
  const auto year = digits(text.substr(26, 4));
  if (!month || !day || !hour || !minute || !second || !offset || !year) return std::nullopt;
  return on_our_clock({*year, *month, *day, *hour, *minute, *second, *offset});
}

// A mail date from its front to its end. White space and comments may stand between any two of its parts, as the
// obsolete syntax of RFC 5322 has it.
class MailDate {
 public:
  explicit MailDate(std::string_view text) : rest_(text) {}

  std::optional<Time> read() {
    skip_blank();
    if (!rest_.empty() && is_letter(rest_.front())) {
      constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
      const auto name = take(is_letter);
      const bool known =
          std::any_of(kDays.begin(), kDays.end(), [&](std::string_view day) { return same_ignoring_case(day, name); });
      skip_blank();
      if (!known || !take(',')) return std::nullopt;
    }
    const auto day = number(1, 2);
    const auto month = month_of(word());
    const auto year = full_year();
    const auto hour = number(2, 2);
    if (!day || !month || !year || !hour || !take(':')) return std::nullopt;
    const auto minute = number(2, 2);
    const auto second = take(':') ? number(2, 2) : 0;
    const auto offset = zone();
    skip_blank();
    if (!minute || !second || !offset || !rest_.empty() || !closed_) return std::nullopt;
    return on_our_clock({*year, *month, *day, *hour, *minute, *second, *offset});
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  // White space and comments, which may hold further ones.
  void skip_blank() {
    int depth = 0;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = rest_.front();
      if (c == '(') {
        ++depth;
      } else if (depth > 0 && c == ')') {
        --depth;
      } else if (depth > 0 && c == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      } else if (depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n') {
        return;
      }
    }
    closed_ = depth == 0;
  }

  std::string_view take(bool (*wanted)(char)) {
    std::size_t size = 0;
    while (size < rest_.size() && wanted(rest_[size])) ++size;
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  bool take(char wanted) {
    skip_blank();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view word() {
    skip_blank();
    return take(is_letter);
  }

  std::optional<int> number(std::size_t shortest, std::size_t longest) {
    skip_blank();
    const auto text = take(is_digit);
    return text.size() < shortest || text.size() > longest ? std::nullopt : digits(text);
  }

  // Years of two and three digits as section 4.3 reads them.
  std::optional<int> full_year() {
    skip_blank();
    const auto text = take(is_digit);
    const auto value = text.size() < 2 || text.size() > 4 ? std::nullopt : digits(text);
    if (!value || text.size() == 4) return value;
    return *value + (text.size() == 2 && *value < 50 ? 2000 : 1900);
  }

  // In minutes. Section 4.3: what is neither an offset nor one of the names there counts as UTC.
  std::optional<int> zone() {
    constexpr std::array<std::pair<std::string_view, int>, 8> kNames{
        {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}}};
    skip_blank();
    if (rest_.empty()) return std::nullopt;
    if (!is_letter(rest_.front())) {
      const auto text = rest_.substr(0, 5);
      rest_.remove_prefix(text.size());
      if (!rest_.empty() && is_digit(rest_.front())) return std::nullopt;
      return offset_of(text);
    }
    const auto name = take(is_letter);
    if (name.size() > 5) return std::nullopt;
    for (const auto& [known, hours] : kNames) {
      if (same_ignoring_case(name, known)) return hours * 60;
    }
    return 0;
  }

  std::string_view rest_;
  bool closed_ = true;  // the comment that the text ends with
};

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
  static constexpr std::array<std::pair<std::string_view, TimeFormat>, 6> kNames{
      {{"rfc3339", TimeFormat::rfc3339},
       {"rfc5322", TimeFormat::rfc5322},
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
    case TimeFormat::rfc5322:
    case TimeFormat::x: {
      constexpr std::size_t kLongest = 128;  // a mail date may have a comment at its end
      const auto text = string_in(&value);
      if (!text || text->size() > kLongest) return std::nullopt;
      if (format == TimeFormat::rfc5322) return MailDate(*text).read();
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
