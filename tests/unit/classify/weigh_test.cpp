// The facts beside the text.
#include "helpers.h"

namespace triage::classify {
namespace {

Verdict with_urgency(double urgency, bool actionable = true) {
  Verdict verdict;
  verdict.actionable = actionable;
  verdict.text_urgency = verdict.urgency = urgency;
  verdict.priority = priority_of(urgency);
  return verdict;
}

Post from(std::int64_t followers, std::optional<double> rating = std::nullopt) {
  Post post;
  post.author = Author{};
  post.author->followers = followers;
  post.rating = rating;
  return post;
}

Context everything() {
  Context context;
  context.earlier_posts_in_case = 3;
  context.earlier_cases = 2;
  context.reopened = true;
  context.waiting_hours = 12;
  return context;
}

TEST(Weigh, EachFactCountsAndIsAReason) {
  const FactorWeights weights;
  const auto points = [&](const Post& post, const Context& context) {
    const Verdict verdict = weigh(with_urgency(30), post, context, weights);
    EXPECT_EQ(verdict.text_urgency, 30);
    EXPECT_EQ(verdict.reasons.size(), verdict.urgency > 30 ? 1U : 0U);
    for (const Reason& reason : verdict.reasons) {
      EXPECT_EQ(reason.what, "urgency");
      EXPECT_NEAR(reason.weight, (verdict.urgency - 30) / 100, 1e-9);
    }
    return verdict.urgency - 30;
  };
  EXPECT_DOUBLE_EQ(points({}, {}), 0);
  EXPECT_DOUBLE_EQ(points(from(9'999), {}), 0);
  EXPECT_DOUBLE_EQ(points(from(10'000), {}), 5);
  EXPECT_DOUBLE_EQ(points(from(100'000), {}), 10);
  EXPECT_DOUBLE_EQ(points(from(0, 1), {}), 4);
  EXPECT_DOUBLE_EQ(points(from(0, 2), {}), 0);
  Context context;
  context.earlier_cases = 1;
  EXPECT_DOUBLE_EQ(points({}, context), 8);
  context.reopened = true;
  EXPECT_DOUBLE_EQ(points({}, context), 8) << "both say that the customer was failed before";
  context = {};
  context.earlier_posts_in_case = 2;
  EXPECT_DOUBLE_EQ(points({}, context), 6);
  context = {};
  context.waiting_hours = 2;
  EXPECT_DOUBLE_EQ(points({}, context), 3);
  context.waiting_hours = 400;
  EXPECT_DOUBLE_EQ(points({}, context), 6);
}

TEST(Weigh, NeverRaisesMoreThanOneBand) {
  const FactorWeights heavy{100, 100, 100, 100, 100};
  for (int tenth = 0; tenth <= 1000; ++tenth) {
    const double urgency = tenth / 10.0;
    const Verdict verdict = weigh(with_urgency(urgency), from(5'000'000, 1), everything(), heavy);
    EXPECT_LE(static_cast<int>(verdict.priority) - static_cast<int>(priority_of(urgency)), 1) << urgency;
    EXPECT_GE(verdict.urgency, urgency);
    EXPECT_LE(verdict.urgency, 100);
    EXPECT_EQ(verdict.priority, priority_of(verdict.urgency));
  }
}

TEST(Weigh, LeavesWhatNobodyCanActOnAsItIs) {
  const Verdict verdict = weigh(with_urgency(10, false), from(5'000'000, 1), everything(), {});
  EXPECT_EQ(verdict.urgency, 10);
  EXPECT_TRUE(verdict.reasons.empty());
}

TEST(Weigh, AWeightOfZeroSwitchesAFactOff) {
  const Verdict verdict = weigh(with_urgency(30), from(5'000'000, 1), everything(), {0, 0, 0, 0, 0});
  EXPECT_EQ(verdict.urgency, 30);
  EXPECT_TRUE(verdict.reasons.empty());
}

}  // namespace
}  // namespace triage::classify
