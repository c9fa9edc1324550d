// Reading and writing times and durations, by hand because both are on the way of every post.
#include "triage/model/time.h"

#include <array>
#include <charconv>
#include <utility>

namespace triage {
namespace {

constexpr std::int64_t kDayMillis = 86'400'000;
constexpr std::int64_t kFirstMillis = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
constexpr std::int64_t kLastMillis = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

struct Unit {
  std::string_view name;
  std::int64_t millis;
};

constexpr std::array<Unit, 6> kUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", kDayMillis}, {"y", 365 * kDayMillis}}};
constexpr std::int64_t kLongestMillis = 36'525 * kDayMillis;  // 100 years

void write_digits(int value, int digits, char* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads fixed-width fields from the front of a text; the first that does not fit ends it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    if (rest_.size() < count) ok_ = false;
    int value = 0;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      if (!is_digit(rest_[i])) ok_ = false;
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return value;
  }

  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) ok_ = false;
    if (!ok_) return 0;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  bool next_is(char c) const { return ok_ && !rest_.empty() && rest_.front() == c; }
  bool next_is_digit() const { return ok_ && !rest_.empty() && is_digit(rest_.front()); }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string_view rest_;
  bool ok_ = true;
};

Error not_a_time(std::string_view why) {
  std::string detail = "expected an RFC 3339 time such as 2026-11-22T09:30:00Z";
  if (!why.empty()) {
    detail += ": ";
    detail += why;
  }
  return make_error(ErrorCode::unprocessable, std::move(detail));
}

}  // namespace

Time wall_clock_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string format_time(Time time) {
  std::int64_t millis = to_millis(time);
  if (millis < kFirstMillis) millis = kFirstMillis;
  if (millis > kLastMillis) millis = kLastMillis;

  std::int64_t day = millis / kDayMillis;
  std::int64_t rest = millis % kDayMillis;
  if (rest < 0) {
    rest += kDayMillis;
    --day;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const int in_day = static_cast<int>(rest);

  std::string out = "0000-00-00T00:00:00.000Z";
  char* at = out.data();
  write_digits(static_cast<int>(date.year()), 4, at);
  write_digits(static_cast<int>(static_cast<unsigned>(date.month())), 2, at + 5);
  write_digits(static_cast<int>(static_cast<unsigned>(date.day())), 2, at + 8);
  write_digits(in_day / 3'600'000, 2, at + 11);
  write_digits(in_day / 60'000 % 60, 2, at + 14);
  write_digits(in_day / 1'000 % 60, 2, at + 17);
  write_digits(in_day % 1'000, 3, at + 20);
  return out;
}

Result<Time> parse_time(std::string_view text) {
  Scanner in(text);
  const int year = in.digits(4);
  in.one_of("-");
  const int month = in.digits(2);
  in.one_of("-");
  const int day = in.digits(2);
  in.one_of("Tt ");
  const int hour = in.digits(2);
  in.one_of(":");
  const int minute = in.digits(2);
  in.one_of(":");
  int second = in.digits(2);

  int fraction = 0;
  if (in.next_is('.')) {
    in.one_of(".");
    int scale = 100;
    if (!in.next_is_digit()) return not_a_time("a digit belongs after the point");
    while (in.next_is_digit()) {
      fraction += in.digits(1) * scale;
      scale /= 10;
    }
  }

  int offset_minutes = 0;
  const char zone = in.one_of("Zz+-");
  if (zone == '+' || zone == '-') {
    const int hours = in.digits(2);
    in.one_of(":");
    const int minutes = in.digits(2);
    if (in.ok() && (hours > 23 || minutes > 59)) return not_a_time("the offset is out of range");
    offset_minutes = (hours * 60 + minutes) * (zone == '-' ? -1 : 1);
  }
  if (!in.done()) return not_a_time({});

  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return not_a_time("there is no such day");
  if (hour > 23 || minute > 59 || second > 60) return not_a_time("there is no such time of day");

  const std::int64_t minutes_utc = hour * 60 + minute - offset_minutes;
  if (second == 60) {
    const std::int64_t of_day = (minutes_utc % 1440 + 1440) % 1440;
    if (of_day != 1439) return not_a_time("a leap second ends a day of UTC");
    second = 59;
    fraction = 999;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t millis = days * kDayMillis + minutes_utc * 60'000 + second * 1'000 + fraction;
  if (millis < kFirstMillis || millis > kLastMillis) return not_a_time("the year in UTC is not 0000 to 9999");
  return from_millis(millis);
}

Result<Duration> parse_duration(std::string_view text) {
  const auto fail = [](std::string_view why) {
    std::string detail = "expected a duration such as \"90s\", \"15m\", \"2h\" or \"30d\"";
    if (!why.empty()) {
      detail += ": ";
      detail += why;
    }
    return make_error(ErrorCode::unprocessable, std::move(detail));
  };

  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return fail("it begins with a whole number");
  const std::string_view unit_name = text.substr(digits);
  if (unit_name.empty()) return fail("the unit is missing (ms, s, m, h, d or y)");

  for (const Unit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, count);
    if (error != std::errc() || count > kLongestMillis / unit.millis) return fail("it is longer than 100 years");
    return Duration(count * unit.millis);
  }
  return fail("the units are ms, s, m, h, d and y");
}

std::string format_duration(Duration duration) {
  const std::int64_t millis = duration.count();
  if (millis == 0) return "0s";
  for (std::size_t i = 5; i-- > 0;) {  // from days down: a year is for reading only
    const Unit& unit = kUnits[i];
    if (millis % unit.millis == 0) return std::to_string(millis / unit.millis).append(unit.name);
  }
  return std::to_string(millis) + "ms";
}

}  // namespace triage
