// The facts beside the text: reach, history, waiting, a crowd; and what the text says of such facts. Small sums in the
// open, so that a brand can weigh them itself.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "triage/classify/classifier.h"

namespace triage::classify {
namespace {

std::string counted(std::int64_t n, const char* one, const char* many) {
  return std::to_string(n) + ' ' + (n == 1 ? one : many);
}

// The highest urgency that is still within so many bands above the text's.
double ceiling_of(double text_urgency, int bands) {
  constexpr double kTop[] = {19.9, 54.9, 79.9, 100};
  return kTop[std::min(static_cast<int>(priority_of(text_urgency)) + bands, 3)];
}

}  // namespace

Verdict weigh(Verdict verdict, const Post& post, const Context& context, const FactorWeights& weights) {
  if (!verdict.actionable) return verdict;
  std::vector<Reason> found;
  double points = 0;
  const auto add = [&](double weight, std::string cue) {
    if (!(weight > 0)) return;
    points += weight;
    found.push_back({"urgency", std::move(cue), weight / 100});
  };

  if (post.author && post.author->followers) {
    const std::int64_t followers = *post.author->followers;
    const double share = followers >= 100'000 ? 1 : followers >= 10'000 ? 0.5 : 0;
    add(share * weights.reach, counted(followers, "follower", "followers"));
  }
  if (context.reopened) {
    add(weights.failed_before, "came back after a resolution");
  } else if (context.earlier_cases > 0) {
    add(weights.failed_before, counted(context.earlier_cases, "earlier case", "earlier cases"));
  }
  if (context.earlier_posts_in_case > 0) {
    add(weights.repeated,
        counted(context.earlier_posts_in_case, "earlier post unanswered", "earlier posts unanswered"));
  }
  if (context.waiting_hours && *context.waiting_hours >= 1) {
    constexpr double kFullAfterHours = 4;
    const double hours = *context.waiting_hours;
    add(weights.waiting * std::min(hours / kFullAfterHours, 1.0),
        "waiting for " + counted(static_cast<std::int64_t>(std::min(hours, 1e6)), "hour", "hours"));
  }
  if (post.rating && *post.rating <= 1) add(weights.low_rating, "one star");
  if (context.crowd > 0) {
    constexpr double kFullCrowd = 5;
    add(weights.crowd * std::min(context.crowd / kFullCrowd, 1.0),
        counted(context.crowd, "other customer", "other customers") + " at " + context.site + " in the same trouble");
  }
  // One and the same time is not counted twice: a case that waits is in `waiting`.
  constexpr double kFullLength = 8;
  const Said& said = verdict.said;
  const double case_hours = context.waiting_hours ? 0 : context.case_hours.value_or(0);
  if (said.hours >= case_hours && said.hours > 0) {
    add(weights.how_long * std::min(said.hours / kFullLength, 1.0), said.how_long);
  } else if (case_hours >= 1) {
    add(weights.how_long * std::min(case_hours / kFullLength, 1.0),
        "open for " + counted(static_cast<std::int64_t>(std::min(case_hours, 1e6)), "hour", "hours"));
  }
  bool two_bands = false;
  if (verdict.moment == Moment::in_the_moment) {
    for (const auto& [words, weight] :
         {std::pair{&said.vulnerable, weights.vulnerable}, {&said.danger, weights.danger}}) {
      if (words->empty() || !(weight > 0)) continue;
      add(weight, *words);
      two_bands = true;
    }
  }

  if (found.empty()) return verdict;
  // To a tenth, downwards, as the text's.
  const double raised = std::floor((verdict.text_urgency + points) * 10 + 1e-6) / 10;
  verdict.urgency = std::max(verdict.urgency, std::min(raised, ceiling_of(verdict.text_urgency, two_bands ? 2 : 1)));
  verdict.priority = priority_of(verdict.urgency);
  verdict.reasons.insert(verdict.reasons.end(), std::make_move_iterator(found.begin()),
                         std::make_move_iterator(found.end()));
  std::stable_sort(verdict.reasons.begin(), verdict.reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.weight > b.weight; });
  return verdict;
}

}  // namespace triage::classify
