// The facts beside the text: reach, history, waiting. Small sums in the open, so that a brand can weigh them itself.
#include <algorithm>
#include <cstdint>

#include "triage/classify/classifier.h"

namespace triage::classify {
namespace {

std::string counted(std::int64_t n, const char* one, const char* many) {
  return std::to_string(n) + ' ' + (n == 1 ? one : many);
}

// The highest urgency that is still within one band above the text's.
double ceiling_of(double text_urgency) {
  switch (priority_of(text_urgency)) {
    case Priority::low:
      return 54.9;
    case Priority::normal:
      return 79.9;
    case Priority::high:
    case Priority::critical:
      return 100;
  }
  return 100;
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

  if (found.empty()) return verdict;
  verdict.urgency =
      std::max(verdict.urgency, std::min(verdict.text_urgency + points, ceiling_of(verdict.text_urgency)));
  verdict.priority = priority_of(verdict.urgency);
  verdict.reasons.insert(verdict.reasons.end(), std::make_move_iterator(found.begin()),
                         std::make_move_iterator(found.end()));
  std::stable_sort(verdict.reasons.begin(), verdict.reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.weight > b.weight; });
  return verdict;
}

}  // namespace triage::classify
