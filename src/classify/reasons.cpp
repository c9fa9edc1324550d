#include "classify/reasons.h"

#include <algorithm>
#include <cmath>

#include "classify/utf8.h"

namespace triage::classify {
namespace {

// `text` without a character that was cut at its end, and with what is not UTF-8 replaced: a reason goes out as JSON.
std::string whole_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    const char* start = p;
    if (next_code_point(p, end) == kInvalid) {
      if (end - start < 4 && static_cast<unsigned char>(*start) >= 0xC0) break;  // cut
      out += "\xEF\xBF\xBD";
    } else {
      out.append(start, static_cast<std::size_t>(p - start));
    }
  }
  return out;
}

// Where a quotation may begin and end.
bool quotable(const Token& token) {
  return token.kind != TokenKind::punctuation && token.kind != TokenKind::mention;
}

}  // namespace

Questions questions_of(const Verdict& verdict) {
  const auto band = static_cast<std::size_t>(verdict.priority);
  const bool in = verdict.moment == Moment::in_the_moment;
  return {{
      {"moment", 3, kMoment.first + (in ? 0U : 1U), 1, kMoment.first + (in ? 1U : 0U)},
      {"urgency", 2, kUrgency.first + (band == 0 ? 0 : band - 1), band == 0 ? -1.0F : 1.0F},
      {"actionable", 1, kActionable.first, verdict.actionable ? 1.0F : -1.0F},
      {"intent", 1, kIntent.first + static_cast<std::size_t>(verdict.intent)},
      {"topic", 1, kTopic.first + static_cast<std::size_t>(verdict.topic)},
  }};
}

void Contributions::reset(std::size_t tokens) {
  of_token.assign(std::min(tokens, kMostTokens), Shares{});
  of_fact.fill(Shares{});
}

void explain(const Questions& questions, const std::vector<Token>& tokens, std::string_view text,
             Contributions& contributions, std::vector<Reason>& reasons) {
  const std::size_t begun = reasons.size();
  std::vector<Shares>& of_token = contributions.of_token;
  auto& of_fact = contributions.of_fact;
  const std::size_t count = of_token.size();
  Shares totals{};
  const auto count_in = [&](const Shares& shares) {
    for (std::size_t q = 0; q < shares.size(); ++q) totals[q] += std::abs(shares[q]);
  };
  for (const Shares& shares : of_token) count_in(shares);
  for (const Shares& shares : of_fact) count_in(shares);
  for (std::size_t q = 0; q < kQuestions; ++q) {
    const float total = totals[q] + 1e-6F;
    const float least = 0.05F * total;
    for (std::size_t left = questions[q].most_reasons; left > 0; --left) {
      constexpr std::size_t kLongestCue = 4;
      float best = 0;
      std::size_t best_first = 0, best_stop = 0, best_fact = 0;
      for (std::size_t first = 0; first < count; ++first) {
        if (!quotable(tokens[first])) continue;
        float sum = 0;
        for (std::size_t i = first; i < std::min(first + kLongestCue, count); ++i) {
          const float value = of_token[i][q];
          if (value <= 0) break;  // a cue is made of words that all speak for it
          sum += value;
          if (sum > best && quotable(tokens[i])) best = sum, best_first = first, best_stop = i + 1;
        }
      }
      for (std::size_t fact = 0; fact < of_fact.size(); ++fact) {
        if (of_fact[fact][q] > best && !fact_text(static_cast<Fact>(fact)).empty())
          best = of_fact[fact][q], best_fact = fact;
      }
      if (best < least) break;
      Reason& reason = reasons.emplace_back();
      reason.what = questions[q].what;
      reason.weight = best / total;
      if (best_fact != 0) {
        reason.cue = fact_text(static_cast<Fact>(best_fact));
        of_fact[best_fact][q] = 0;
        continue;
      }
      constexpr std::uint32_t kLongestQuote = 60;
      const std::uint32_t begin = tokens[best_first].begin;
      const std::uint32_t end = std::min(tokens[best_stop - 1].end, begin + kLongestQuote);
      reason.cue = whole_characters(text.substr(begin, end - begin));
      for (std::size_t i = best_first; i < best_stop; ++i) of_token[i][q] = 0;
    }
  }
  std::sort(reasons.begin() + static_cast<std::ptrdiff_t>(begun), reasons.end(),
            [](const Reason& a, const Reason& b) { return a.weight > b.weight; });
}

}  // namespace triage::classify
