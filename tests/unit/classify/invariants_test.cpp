// What holds inside the judge, whatever the model believes.
#include "classify/fast_judge.h"
#include "helpers.h"

namespace triage::classify {
namespace {

const FastJudge& fast() {
  return dynamic_cast<const FastJudge&>(shipped());
}

TEST(Verdicts, APostWithNoExperienceIsAfterTheFactWithConfidenceAtMostSixTenths) {
  const double threshold = fast().model().calibration().neither_threshold;
  std::size_t about_none = 0;
  for (std::size_t i = 0; i < corpus().size(); i += 5) {
    const Beliefs beliefs = fast().beliefs(corpus()[i].post);
    const Verdict verdict = fast().judge(corpus()[i].post, Time{});
    if (verdict.language != "en" && verdict.language != "und") continue;
    if (beliefs.neither >= threshold) {
      ++about_none;
      EXPECT_EQ(verdict.moment, Moment::after_the_fact) << corpus()[i].id;
    }
    if (beliefs.neither >= 0.5) {
      EXPECT_LE(verdict.moment_confidence, 0.6) << corpus()[i].id;
    }
  }
  EXPECT_GT(about_none, 300U) << "the sample must have such posts";
}

TEST(Verdicts, MostPostsLabelledNeitherAreRecognised) {
  std::size_t neither = 0, quiet = 0;
  for (std::size_t i = 0; i < corpus().size(); i += 5) {
    if (corpus()[i].moment != "neither") continue;
    ++neither;
    quiet += fast().judge(corpus()[i].post, Time{}).moment_confidence <= 0.6;
  }
  EXPECT_GT(quiet * 10, neither * 8);
}

TEST(Verdicts, BeliefsAreProbabilities) {
  for (std::size_t i = 0; i < corpus().size(); i += 50) {
    const Beliefs beliefs = fast().beliefs(corpus()[i].post);
    EXPECT_NEAR(beliefs.in_the_moment + beliefs.after_the_fact + beliefs.neither, 1, 1e-6);
    EXPECT_GE(beliefs.urgency[0], beliefs.urgency[1]);
    EXPECT_GE(beliefs.urgency[1], beliefs.urgency[2]);
  }
}

TEST(Urgency, CrossesABandsEdgeExactlyWhereAThresholdIsCrossed) {
  const std::array<double, 3> thresholds{0.5, 0.3, 0.2};
  const auto band = [&](double a, double b, double c) { return priority_of(urgency_points({a, b, c}, thresholds)); };
  EXPECT_EQ(band(0, 0, 0), Priority::low);
  EXPECT_EQ(band(0.4999, 0.29, 0.1), Priority::low);
  EXPECT_EQ(band(0.5, 0.29, 0.1), Priority::normal);
  EXPECT_EQ(band(0.9, 0.2999, 0.1), Priority::normal);
  EXPECT_EQ(band(0.9, 0.3, 0.1), Priority::high);
  EXPECT_EQ(band(0.9, 0.9, 0.1999), Priority::high);
  EXPECT_EQ(band(0.9, 0.9, 0.2), Priority::critical);
  EXPECT_DOUBLE_EQ(urgency_points({1, 1, 1}, thresholds), 100);
  EXPECT_DOUBLE_EQ(urgency_points({0, 0, 0}, thresholds), 0);
}

TEST(Urgency, RisesWithTheBeliefs) {
  const std::array<double, 3> thresholds{0.5, 0.3, 0.2};
  double before = -1;
  for (double p = 0; p <= 1; p += 0.01) {
    const double points = urgency_points({std::min(1.0, p * 2), std::min(1.0, p * 1.2), p * 0.9}, thresholds);
    EXPECT_GE(points, before);
    before = points;
  }
}

}  // namespace
}  // namespace triage::classify
