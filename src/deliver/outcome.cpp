#include "deliver/outcome.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace triage::deliver {
namespace {

constexpr Duration kLongestRetryAfter = std::chrono::hours(1);  // at least; a longer schedule allows more

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  const char* first = text.data() + at;
  const auto [end, error] = std::from_chars(first, first + count, value);
  if (error != std::errc() || end != first + count || *first == '-') return std::nullopt;
  return value;
}

// An IMF-fixdate, the one form of an HTTP date that may still be sent: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<Time> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = digits(text, 5, 2), year = digits(text, 12, 4);
  const auto hour = digits(text, 17, 2), minute = digits(text, 20, 2), second = digits(text, 23, 2);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

Duration wait_after(const Outcome& outcome, const Options& options, double jitter, std::size_t failed_attempts) {
  if (outcome.retry_after) {
    const Duration longest = std::max(kLongestRetryAfter, *std::ranges::max_element(options.schedule));
    return std::min(*outcome.retry_after, longest);
  }
  const double wait = static_cast<double>(options.schedule[failed_attempts - 1].count());
  return Duration(std::llround(wait * jitter));
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view text, Time now) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0) {
    constexpr std::int64_t kYear = 365 * 86400;  // the caller caps it far below; this keeps the sum from overflowing
    return std::chrono::seconds(std::min(seconds, kYear));
  }
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::max(Duration(0), *date - now);
}

Outcome outcome_of(const Result<net::ClientResponse>& answer, Time now) {
  Outcome outcome;
  if (!answer) {
    outcome.error = answer.error().detail;
    return outcome;
  }
  outcome.status = answer->status;
  if (outcome.status >= 200 && outcome.status < 300) {
    outcome.kind = Outcome::Kind::delivered;
    return outcome;
  }
  outcome.error = "the endpoint answered " + std::to_string(outcome.status);
  if (outcome.status == 410) outcome.kind = Outcome::Kind::gone;
  if (outcome.status >= 300 && outcome.status < 400) outcome.error += "; redirects are not followed";
  if (outcome.status == 429 || outcome.status == 503) {
    const auto header = net::find_header(answer->headers, "Retry-After");
    if (header) outcome.retry_after = parse_retry_after(*header, now);
  }
  return outcome;
}

void apply(const Outcome& outcome, const Options& options, double jitter, Time now, store::DeliveryRecord& row) {
  ++row.attempts;
  row.last_status = outcome.status;
  row.last_error = outcome.error;
  row.in_doubt = row.in_doubt || outcome.in_doubt;
  if (outcome.kind == Outcome::Kind::delivered) {
    row.state = store::DeliveryState::delivered;
    row.done_at = now;
    return;
  }
  if (row.state != store::DeliveryState::waiting && row.state != store::DeliveryState::sending) return;
  row.state = store::DeliveryState::waiting;
  const auto failed = static_cast<std::size_t>(row.attempts);
  const bool final = outcome.kind == Outcome::Kind::refused || outcome.kind == Outcome::Kind::lost;
  if (final || failed > options.schedule.size()) {
    row.state = store::DeliveryState::dead;
    row.done_at = now;
    return;
  }
  row.next_attempt_at = now + wait_after(outcome, options, jitter, failed);
}

}  // namespace triage::deliver
