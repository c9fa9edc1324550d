// The facts beside the text.
#include <gmock/gmock.h>

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
  context.case_hours = 500;
  EXPECT_DOUBLE_EQ(points({}, context), 6) << "the time that a case waits is not counted twice";
  context = {};
  context.case_hours = 4;
  EXPECT_DOUBLE_EQ(points({}, context), 1.5);
  context = {};
  context.site = "LHR";
  context.crowd = 1;
  EXPECT_NEAR(points({}, context), 1.6, 1e-9);
  context.crowd = 50;
  EXPECT_DOUBLE_EQ(points({}, context), 8);
}

Verdict saying(const Said& said, double urgency, Moment moment = Moment::in_the_moment) {
  Verdict verdict = with_urgency(urgency);
  verdict.moment = moment;
  verdict.said = said;
  return verdict;
}

TEST(Weigh, WhatTheTextSaysIsAReasonInItsOwnWords) {
  const Verdict verdict = weigh(saying({"for 8 hours", 8, "my baby", "smoke"}, 30), {}, {}, {});
  EXPECT_DOUBLE_EQ(verdict.urgency, 30 + 3 + 4 + 4);
  ASSERT_EQ(verdict.reasons.size(), 3U);
  std::vector<std::string> cues;
  for (const Reason& reason : verdict.reasons) cues.push_back(reason.cue);
  EXPECT_THAT(cues, testing::UnorderedElementsAre("for 8 hours", "my baby", "smoke"));
}

TEST(Weigh, DangerAndVulnerablePeopleCountInTheMomentOnly) {
  const Verdict verdict = weigh(saying({"", 0, "my baby", "smoke"}, 30, Moment::after_the_fact), {}, {}, {});
  EXPECT_EQ(verdict.urgency, 30);
  EXPECT_TRUE(verdict.reasons.empty());
}

TEST(Weigh, OnlyDangerOrAVulnerablePersonInTheMomentMayRaiseTwoBands) {
  FactorWeights heavy;
  heavy.danger = heavy.vulnerable = heavy.how_long = 100;
  EXPECT_EQ(weigh(saying({"for 8 hours", 8, "", ""}, 10), {}, {}, heavy).priority, Priority::normal);
  EXPECT_EQ(weigh(saying({"", 0, "", "smoke"}, 10), {}, {}, heavy).priority, Priority::high);
  EXPECT_EQ(weigh(saying({"", 0, "my baby", ""}, 10), {}, {}, heavy).priority, Priority::high);
  heavy.danger = 0;
  EXPECT_EQ(weigh(saying({"for 8 hours", 8, "", "smoke"}, 10), {}, {}, heavy).priority, Priority::normal)
      << "what is switched off gives no leave";
}

TEST(Weigh, EachFactorCanBeSwitchedOff) {
  const Verdict verdict = saying({"for 8 hours", 8, "my baby", "smoke"}, 30);
  FactorWeights none;
  none.how_long = none.vulnerable = none.danger = none.crowd = 0;
  Context context;
  context.crowd = 5;
  context.site = "LHR";
  const Verdict weighed = weigh(verdict, {}, context, none);
  EXPECT_EQ(weighed.urgency, 30);
  EXPECT_TRUE(weighed.reasons.empty());
}

TEST(Said, HowLongItGoesOnIsReadFromTheText) {
  struct Case {
    std::string text, cue;
    double hours;
  };
  for (const Case& is : {Case{"stuck on the tarmac for 3 hours, no water", "for 3 hours", 3},
                         Case{"we have been waiting 45 minutes on hold, please help", "waiting 45 minutes", 0.75},
                         Case{"no internet for two days now, please fix this", "for two days", 48},
                         Case{"llevamos parados en el tren desde hace 2 horas y nadie ayuda", "hace 2 horas", 2},
                         Case{"still stuck, please help. flight leaves in 2 hours", "", 0},
                         Case{"you lost my bag 3 weeks ago and still nothing, please help", "", 0}}) {
    const Said said = judged(is.text).said;
    EXPECT_EQ(said.how_long, is.cue) << is.text;
    EXPECT_DOUBLE_EQ(said.hours, is.hours) << is.text;
  }
  Post post;
  post.text = "no internet since Tuesday, please help, i still cannot work";
  post.created_at = from_millis(1'795'000'000'000);  // a Wednesday
  EXPECT_EQ(shipped().judge(post, Time{}).said.how_long, "since Tuesday");
  EXPECT_EQ(shipped().judge(post, Time{}).said.hours, 24);
}

TEST(Said, VulnerablePeopleAndDangerAreQuoted) {
  const Said said =
      judged("SMOKE in the cabin right now and nobody helps, my baby is choking, please send someone").said;
  EXPECT_EQ(said.vulnerable, "baby");
  EXPECT_EQ(said.danger, "SMOKE");
  EXPECT_TRUE(judged("stuck at gate B12, no one tells us anything, please help").said.danger.empty());
  EXPECT_TRUE(judged("still waiting for my delivery, where is it?").said.vulnerable.empty());
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

TEST(Weigh, UrgencyIsATenthOfAPointFine) {
  Context context;
  context.waiting_hours = 1.37;  // a crooked share of its weight: 2.055 points
  const Verdict verdict = weigh(with_urgency(30.2), Post{}, context, FactorWeights{});
  EXPECT_EQ(verdict.urgency, 32.2);
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
