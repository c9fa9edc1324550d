#include "route/match.h"

#include <algorithm>
#include <cmath>

namespace triage::route {
namespace {

bool one_of(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

template <class Enum>
bool one_of(const std::vector<Enum>& values, Enum value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

std::string_view spelling(const std::string& value) {
  return value;
}
template <class Enum>
std::string_view spelling(Enum value) {
  return to_string(value);
}

template <class Value>
std::string alternatives(const std::vector<Value>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += i + 1 == values.size() ? " or " : ", ";
    out += spelling(values[i]);
  }
  return out;
}

std::string_view yes_no(bool value) {
  return value ? "yes" : "no";
}
std::string or_none(std::string_view value) {
  return value.empty() ? "not known" : std::string(value);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// BCP 47 basic filtering (RFC 4647): the range "en" takes en and en-GB, in any case.
bool in_range(std::string_view range, std::string_view tag) {
  if (tag.size() < range.size() || (tag.size() > range.size() && tag[range.size()] != '-')) return false;
  return std::equal(range.begin(), range.end(), tag.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view language_of(const Facts& facts) {
  const std::string& judged = facts.verdict.language;
  return judged.empty() || judged == "und" ? facts.post.language : judged;
}

// Calls visit(holds, name, found, wanted) for each condition that is set, until it returns false. `found` and `wanted`
// are functions, so that matching builds no text.
template <class Visit>
void each_condition(const Match& match, const Facts& facts, const Visit& visit) {
  const Post& post = facts.post;
  const Verdict& verdict = facts.verdict;

  if (match.moment &&
      !visit(
          verdict.moment == *match.moment, "moment", [&] { return std::string(to_string(verdict.moment)); },
          [&] { return std::string(to_string(*match.moment)); })) {
    return;
  }
  if (match.min_urgency &&
      !visit(
          verdict.urgency >= *match.min_urgency, "urgency", [&] { return plain_number(verdict.urgency); },
          [&] { return plain_number(*match.min_urgency) + " or more"; })) {
    return;
  }
  const auto labels = [&](const auto& wanted, auto value, const char* name) {
    if (wanted.empty()) return true;
    return visit(
        one_of(wanted, value), name, [&] { return std::string(to_string(value)); },
        [&] { return alternatives(wanted); });
  };
  if (!labels(match.priority, verdict.priority, "priority")) return;
  if (!labels(match.topic, verdict.topic, "topic")) return;
  if (!labels(match.intent, verdict.intent, "intent")) return;
  if (match.actionable && !visit(
                              verdict.actionable == *match.actionable, "actionable",
                              [&] { return std::string(yes_no(verdict.actionable)); },
                              [&] { return std::string(yes_no(*match.actionable)); })) {
    return;
  }
  const auto names = [&](const std::vector<std::string>& wanted, std::string_view value, const char* name) {
    if (wanted.empty()) return true;
    return visit(
        one_of(wanted, value), name, [&] { return or_none(value); }, [&] { return alternatives(wanted); });
  };
  if (!names(match.site, facts.site ? std::string_view(facts.site->site) : std::string_view(), "site")) return;
  if (!names(match.platform, post.platform, "platform")) return;
  if (!labels(match.kind, post.kind, "kind")) return;
  if (!names(match.source, post.source, "source")) return;
  if (!names(match.brand_account, post.brand_account, "brand_account")) return;
  if (!match.language.empty()) {
    const std::string_view tag = language_of(facts);
    const bool holds = std::any_of(match.language.begin(), match.language.end(),
                                   [&](const std::string& range) { return in_range(range, tag); });
    if (!visit(
            holds, "language", [&] { return or_none(tag); }, [&] { return alternatives(match.language); })) {
      return;
    }
  }
  if (match.min_followers) {
    const auto followers = post.author ? post.author->followers : std::nullopt;
    if (!visit(
            followers && *followers >= *match.min_followers, "followers",
            [&] { return followers ? std::to_string(*followers) : or_none(""); },
            [&] { return std::to_string(*match.min_followers) + " or more"; })) {
      return;
    }
  }
  if (match.verified) {
    const bool verified = post.author && post.author->verified.value_or(false);
    if (!visit(
            verified == *match.verified, "verified", [&] { return std::string(yes_no(verified)); },
            [&] { return std::string(yes_no(*match.verified)); })) {
      return;
    }
  }
  if (match.max_rating) {
    visit(
        post.rating && *post.rating <= *match.max_rating, "rating",
        [&] { return post.rating ? plain_number(*post.rating) : or_none(""); },
        [&] { return plain_number(*match.max_rating) + " or less"; });
  }
}

}  // namespace

std::string plain_number(double value) {
  // Cut, not rounded: 54.96 must not read as 55 where 55 was wanted.
  const auto tenths = static_cast<long long>(std::floor(value * 10 + 1e-9));
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text.append(".").append(std::to_string(std::abs(tenths % 10)));
  return text;
}

bool matches(const Match& match, const Facts& facts) {
  bool all = true;
  each_condition(match, facts, [&](bool holds, const char*, const auto&, const auto&) { return all = holds; });
  return all;
}

std::string first_mismatch(const Match& match, const Facts& facts) {
  std::string text;
  each_condition(match, facts, [&](bool holds, const char* name, const auto& found, const auto& wanted) {
    if (!holds) text = std::string(name) + " is " + found() + ", wanted " + wanted();
    return holds;
  });
  return text;
}

std::string what_held(const Match& match, const Facts& facts) {
  std::string text;
  each_condition(match, facts, [&](bool, const char* name, const auto& found, const auto&) {
    if (!text.empty()) text += ", ";
    text.append(name).append(" ").append(found());
    return true;
  });
  return text;
}

}  // namespace triage::route
