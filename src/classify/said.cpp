#include "classify/said.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

namespace triage::classify {
namespace {

using Forms = std::span<const std::string_view>;

bool is_one_of(std::string_view form, Forms forms) {
  return std::find(forms.begin(), forms.end(), form) != forms.end();
}

double hours_of(std::string_view unit) {
  if (unit.starts_with("sec")) return 1.0 / 3600;
  if (unit.starts_with("min")) return 1.0 / 60;
  if (unit.starts_with("h")) return 1;
  if (unit.starts_with("d")) return 24;
  if (unit.starts_with("w")) return 24 * 7;
  if (unit.starts_with("mo")) return 24 * 30;
  return 24 * 365;
}

double number_of(std::string_view form) {
  constexpr std::string_view kNumbers[] = {"one", "two",   "three", "four", "five",
                                           "six", "seven", "eight", "nine", "ten"};
  for (std::size_t i = 0; i < std::size(kNumbers); ++i) {
    if (form == kNumbers[i]) return static_cast<double>(i + 1);
  }
  if (form == "half") return 0.5;
  if (form == "couple" || form == "few" || form == "several") return 3;
  if (form == "twelve" || form == "dozen") return 12;
  return form == "twenty" ? 20 : form == "thirty" ? 30 : 0;
}

// Hours since the weekday of that name before the post was written, at the same time of day.
double since_weekday(std::string_view form, Time written) {
  constexpr std::string_view kDays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
  const auto found = std::find(std::begin(kDays), std::end(kDays), form);
  if (found == std::end(kDays)) return 0;
  const auto today = std::chrono::weekday(std::chrono::floor<std::chrono::days>(written)).c_encoding();
  const auto day = static_cast<unsigned>(found - std::begin(kDays));
  const unsigned ago = (today + 7 - day) % 7;
  return 24.0 * (ago == 0 ? 7 : ago);
}

class Reading {
 public:
  Reading(const Tokens& tokens, const Post& post) : tokens_(tokens), list_(tokens.list), post_(post) {}

  // From where "for", "since" or the like stands to the unit: the longest that the text says.
  void how_long(Said& said) const {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const Token& token = list_[i];
      if (token.kind != TokenKind::word) continue;
      if (form(i) == "since" && i + 1 < list_.size()) {
        std::size_t at = i + 1;
        if (form(at) == "last" && at + 1 < list_.size()) ++at;
        double hours = since_weekday(form(at), post_.created_at);
        if (form(at) == "yesterday") hours = 24;
        if (form(at) == "week") hours = 24 * 7;
        if (form(at) == "month") hours = 24 * 30;
        if (hours > said.hours) take(hours, i, at, said);
        continue;
      }
      if ((token.cues & (bit(Cue::unit_short) | bit(Cue::unit_long))) == 0 || i == 0) continue;
      const bool digits = list_[i - 1].kind == TokenKind::number;
      const double number = digits ? static_cast<double>(list_[i - 1].number) : number_of(form(i - 1));
      const double hours = number * hours_of(form(i));
      if (hours <= said.hours || is_past_or_future(i)) continue;
      if (const std::size_t from = lasting_from(i); from < i) take(hours, from, i, said);
    }
  }

  std::string first_of(Cue cue) const {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_[i].kind != TokenKind::word || (list_[i].cues & bit(cue)) == 0) continue;
      if ((list_[i].flags & kNegated) == 0) return quote(i, i);
    }
    return {};
  }

 private:
  std::string_view form(std::size_t i) const { return tokens_.form(list_[i]); }

  std::string quote(std::size_t first, std::size_t last) const {
    constexpr std::size_t kMost = 60;
    const std::size_t begin = list_[first].begin, size = list_[last].end - list_[first].begin;
    return size > kMost ? quote(last, last).substr(0, kMost) : post_.text.substr(begin, size);
  }

  void take(double hours, std::size_t first, std::size_t last, Said& said) const {
    said.hours = std::min(hours, 1e6);
    said.how_long = quote(first, last);
  }

  // "3 hours ago", "in 2 hours", "2 hours later": not how long it goes on.
  bool is_past_or_future(std::size_t unit) const {
    constexpr std::string_view kBehind[] = {"ago", "later", "before", "away", "early", "until"};
    constexpr std::string_view kAhead[] = {"in", "within", "next", "after", "last"};
    if (unit + 1 < list_.size() && is_one_of(form(unit + 1), kBehind)) return true;
    return unit >= 2 && is_one_of(form(unit - 2), kAhead);
  }

  // The word that makes the number and unit before `unit` a length of time; `unit` itself where there is none.
  std::size_t lasting_from(std::size_t unit) const {
    constexpr std::string_view kBefore[] = {"for", "over", "past", "been", "since", "already", "almost", "nearly"};
    constexpr std::string_view kBehind[] = {"now", "already", "so", "late", "delay", "straight"};
    constexpr CueMask kStates = bit(Cue::waiting) | bit(Cue::waited) | bit(Cue::stuck) | bit(Cue::delay);
    std::size_t found = unit;
    for (std::size_t back = 2; back <= 4 && back <= unit; ++back) {
      const Token& token = list_[unit - back];
      if (token.kind == TokenKind::punctuation) break;
      if (is_one_of(form(unit - back), kBefore) || (token.cues & kStates) != 0) {
        found = unit - back;
        break;
      }
    }
    const bool behind = unit + 1 < list_.size() && is_one_of(form(unit + 1), kBehind);
    return found < unit ? found : behind ? unit - 1 : unit;
  }

  const Tokens& tokens_;
  const std::vector<Token>& list_;
  const Post& post_;
};

}  // namespace

Said said_in(const Tokens& tokens, const Post& post, const Verdict& verdict) {
  Said said;
  if (!verdict.actionable) return said;  // nothing beside the text counts there
  CueMask cues = 0;
  bool since = false;
  for (const Token& token : tokens.list) {
    cues |= token.cues;
    since = since || tokens.form(token) == "since";
  }
  const Reading reading(tokens, post);
  if (since || (cues & (bit(Cue::unit_short) | bit(Cue::unit_long))) != 0) reading.how_long(said);
  if ((cues & bit(Cue::vulnerable)) != 0) said.vulnerable = reading.first_of(Cue::vulnerable);
  if ((cues & bit(Cue::danger)) != 0 && verdict.topic == Topic::safety) said.danger = reading.first_of(Cue::danger);
  return said;
}

}  // namespace triage::classify
