#include "triage/route/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/route/fixtures.h"

namespace triage::route {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

Author with_followers(std::int64_t followers) {
  Author author;
  author.followers = followers;
  return author;
}

Verdict urgent() {
  return verdict_of(Moment::in_the_moment, 83, Topic::queue);
}

TEST(Router, AMatchingPostCallsTheLadderOfItsRoute) {
  const Decision decision = Router(sample_plan()).decide(post_with("stuck at Heathrow T5"), urgent(), kNow);
  EXPECT_THAT(decision.path, ElementsAre("routes/0"));
  EXPECT_EQ(decision.team, "care");
  EXPECT_EQ(decision.ladder, "ops");
  ASSERT_EQ(decision.rungs.size(), 3U);
  EXPECT_EQ(decision.rungs[1].team, "duty-manager");
  EXPECT_EQ(decision.rungs[1].after, minutes(10));
  EXPECT_EQ(decision.site->site, "LHR-T5");
  EXPECT_EQ(decision.why,
            "Calls airport-ops by ladder \"ops\": route \"routes/0\" matches (moment in_the_moment, urgency 83, topic "
            "queue, site LHR-T5), site LHR-T5 by alias \"Heathrow T5\".");
}

TEST(Router, TheDeepestMatchDecides) {
  Post post = post_with("stuck at Heathrow T5");
  post.author = with_followers(100'000);
  const Decision decision = Router(sample_plan()).decide(post, urgent(), kNow);
  EXPECT_THAT(decision.path, ElementsAre("routes/0", "routes/0/routes/0"));
  EXPECT_EQ(decision.ladder, "executive");
  EXPECT_EQ(decision.team, "care");
}

TEST(Router, WhatADeeperRouteDoesNotSetItInherits) {
  Plan plan = sample_plan();
  plan.routes[0].team = "airport-care";
  plan.routes[0].name = "airport";
  plan.routes[0].routes[0].escalate.reset();
  plan.routes[0].routes[0].name = "famous";
  Post post = post_with("stuck at Heathrow T5");
  post.author = with_followers(200'000);
  const Decision decision = Router(plan).decide(post, urgent(), kNow);
  EXPECT_THAT(decision.path, ElementsAre("airport", "famous"));
  EXPECT_EQ(decision.ladder, "ops");
  EXPECT_EQ(decision.team, "airport-care");
}

TEST(Router, OfSiblingsTheFirstThatMatchesIsEnteredAndNoOther) {
  Plan plan = sample_plan();
  Route first;
  first.name = "first";
  first.team = "one";
  Route second;
  second.name = "second";
  second.team = "two";
  second.escalate = "ops";
  plan.routes = {first, second};
  const Decision decision = Router(plan).decide(post_with("x"), urgent(), kNow);
  EXPECT_THAT(decision.path, ElementsAre("first"));
  EXPECT_EQ(decision.team, "one");
  EXPECT_EQ(decision.ladder, "");
  EXPECT_EQ(decision.why, "Nobody is called: route \"first\" matches, and no route on its path escalates.");
}

TEST(Router, APostThatMatchesNothingWaitsForTheDefaultTeam) {
  const Decision decision = Router(sample_plan()).decide(post_with("stuck at Gatwick"), urgent(), kNow);
  EXPECT_THAT(decision.path, IsEmpty());
  EXPECT_EQ(decision.team, "care");
  EXPECT_EQ(decision.ladder, "");
  EXPECT_THAT(decision.rungs, IsEmpty());
  EXPECT_EQ(decision.why, "Nobody is called: no route matches.");
}

TEST(Router, AnEmptyEscalateCallsNobody) {
  Plan plan = sample_plan();
  plan.routes[0].routes[0].match = {};
  plan.routes[0].routes[0].escalate = "";
  const Decision decision = Router(plan).decide(post_with("stuck at Heathrow T5"), urgent(), kNow);
  EXPECT_EQ(decision.ladder, "");
  EXPECT_EQ(decision.why, "Nobody is called: route \"routes/0/routes/0\" switches the escalation off.");
}

TEST(Router, APostOlderThanMaxAgeCallsNobodyAndSaysSo) {
  const Router router(sample_plan());
  Post post = post_with("stuck at Heathrow T5");
  post.created_at = kNow - hours(2);
  EXPECT_EQ(router.decide(post, urgent(), kNow).ladder, "ops");
  post.created_at -= milliseconds(1);
  EXPECT_EQ(router.decide(post, urgent(), kNow).ladder, "");
  post.created_at = kNow - hours(3) - minutes(5);
  const Decision decision = router.decide(post, urgent(), kNow);
  EXPECT_EQ(decision.ladder, "");
  EXPECT_THAT(decision.rungs, IsEmpty());
  EXPECT_THAT(decision.path, ElementsAre("routes/0"));
  EXPECT_EQ(decision.team, "care");
  EXPECT_EQ(decision.why,
            "Nobody is called: the post is 3 h 5 min old, older than max_age 2h; ladder \"ops\" would have called "
            "airport-ops.");
}

TEST(Router, APostWithoutATimeIsAsOldAsItsArrival) {
  const Router router(sample_plan());
  Post post = post_with("stuck at Heathrow T5");
  post.created_at = Time();
  EXPECT_EQ(router.decide(post, urgent(), kNow).ladder, "ops");
}

TEST(Router, OnlyActionablePostsCallAnyone) {
  Verdict verdict = urgent();
  verdict.actionable = false;
  const Decision decision = Router(sample_plan()).decide(post_with("stuck at Heathrow T5"), verdict, kNow);
  EXPECT_EQ(decision.ladder, "");
  EXPECT_EQ(decision.why,
            "Nobody is called: the post is not actionable; ladder \"ops\" would have called airport-ops.");
}

TEST(Router, UnlessARouteOnThePathAsksForThem) {
  Plan plan = sample_plan();
  plan.routes[0].match.actionable = false;
  Verdict verdict = urgent();
  verdict.actionable = false;
  EXPECT_EQ(Router(plan).decide(post_with("stuck at Heathrow T5"), verdict, kNow).ladder, "ops");
}

TEST(Router, TheShortestClockThatAppliesCounts) {
  Plan plan = sample_plan();
  plan.first_response["critical"] = minutes(5);
  const Router router(plan);
  const auto clock = [&](Moment moment, double urgency, const char* platform) {
    Post post = post_with("x");
    post.platform = platform;
    const Decision decision = router.decide(post, verdict_of(moment, urgency, Topic::other), kNow);
    return decision.first_response_rule + " " + format_duration(decision.first_response.value());
  };
  EXPECT_EQ(clock(Moment::in_the_moment, 83, "x"), "critical 5m");
  EXPECT_EQ(clock(Moment::in_the_moment, 60, "x"), "in_the_moment 15m");
  EXPECT_EQ(clock(Moment::after_the_fact, 60, "x"), "x 1h");
  EXPECT_EQ(clock(Moment::after_the_fact, 60, "facebook"), "facebook 2h");
  EXPECT_EQ(clock(Moment::after_the_fact, 60, "line"), "default 4h");
}

TEST(Router, WithoutAClockThatAppliesThereIsNone) {
  Plan plan = sample_plan();
  plan.first_response = {{"facebook", minutes(5)}};
  const Decision decision = Router(plan).decide(post_with("x"), urgent(), kNow);
  EXPECT_FALSE(decision.first_response);
  EXPECT_EQ(decision.first_response_rule, "");
}

TEST(Router, StepsTellTheWholeWalk) {
  Plan plan = sample_plan();
  Route rest;
  rest.name = "rest";
  plan.routes.push_back(rest);
  std::vector<Step> steps;
  Router(plan).decide(post_with("stuck at Gatwick"), urgent(), kNow, &steps);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].route, "routes/0");
  EXPECT_FALSE(steps[0].entered);
  EXPECT_EQ(steps[0].why, "site is not known, wanted LHR-T5");
  EXPECT_EQ(steps[1].route, "rest");
  EXPECT_TRUE(steps[1].entered);
  EXPECT_EQ(steps[1].why, "it has no conditions");

  steps.clear();
  Router(plan).decide(post_with("stuck at Heathrow T5"), urgent(), kNow, &steps);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_TRUE(steps[0].entered);
  EXPECT_EQ(steps[1].depth, 1);
  EXPECT_EQ(steps[1].why, "followers is not known, wanted 100000 or more");
}

struct MatchCase {
  const char* name;
  std::function<void(Match&)> wanted;
  std::function<void(Post&, Verdict&)> holds;
  std::function<void(Post&, Verdict&)> fails;
  const char* mismatch;
};

class Conditions : public testing::TestWithParam<MatchCase> {};

TEST_P(Conditions, HoldOrSayWhatWasFound) {
  Plan plan = sample_plan();
  plan.routes = {Route()};
  GetParam().wanted(plan.routes[0].match);
  const Router router(plan);
  const auto step_for = [&](const std::function<void(Post&, Verdict&)>& change) {
    Post post = post_with("x");
    Verdict verdict = urgent();
    change(post, verdict);
    std::vector<Step> steps;
    router.decide(post, verdict, kNow, &steps);
    return steps.at(0);
  };
  EXPECT_TRUE(step_for(GetParam().holds).entered);
  const Step step = step_for(GetParam().fails);
  EXPECT_FALSE(step.entered);
  EXPECT_EQ(step.why, GetParam().mismatch);
}

const auto kUnchanged = [](Post&, Verdict&) {};

INSTANTIATE_TEST_SUITE_P(
    Each, Conditions,
    testing::Values(
        MatchCase{"moment", [](Match& m) { m.moment = Moment::in_the_moment; }, kUnchanged,
                  [](Post&, Verdict& v) { v.moment = Moment::after_the_fact; },
                  "moment is after_the_fact, wanted in_the_moment"},
        MatchCase{"min_urgency", [](Match& m) { m.min_urgency = 55; }, [](Post&, Verdict& v) { v.urgency = 55; },
                  [](Post&, Verdict& v) { v.urgency = 54.99; }, "urgency is 54.9, wanted 55 or more"},
        MatchCase{"priority",
                  [](Match& m) {
                    m.priority = {Priority::high, Priority::critical};
                  },
                  kUnchanged, [](Post&, Verdict& v) { v.priority = Priority::low; },
                  "priority is low, wanted high or critical"},
        MatchCase{"topic",
                  [](Match& m) {
                    m.topic = {Topic::queue, Topic::delay, Topic::outage};
                  },
                  kUnchanged, [](Post&, Verdict& v) { v.topic = Topic::staff; },
                  "topic is staff, wanted queue, delay or outage"},
        MatchCase{"intent", [](Match& m) { m.intent = {Intent::complaint}; }, kUnchanged,
                  [](Post&, Verdict& v) { v.intent = Intent::praise; }, "intent is praise, wanted complaint"},
        MatchCase{"actionable", [](Match& m) { m.actionable = true; }, kUnchanged,
                  [](Post&, Verdict& v) { v.actionable = false; }, "actionable is no, wanted yes"},
        MatchCase{"site", [](Match& m) { m.site = {"LHR-T5"}; }, [](Post& p, Verdict&) { p.text = "#lhr"; }, kUnchanged,
                  "site is not known, wanted LHR-T5"},
        MatchCase{"platform",
                  [](Match& m) {
                    m.platform = {"facebook", "x"};
                  },
                  kUnchanged, [](Post& p, Verdict&) { p.platform = "line"; }, "platform is line, wanted facebook or x"},
        MatchCase{"kind", [](Match& m) { m.kind = {PostKind::review}; },
                  [](Post& p, Verdict&) { p.kind = PostKind::review; }, kUnchanged, "kind is post, wanted review"},
        MatchCase{"source", [](Match& m) { m.source = {"x-main"}; }, kUnchanged,
                  [](Post& p, Verdict&) { p.source = "lab"; }, "source is lab, wanted x-main"},
        MatchCase{"brand_account", [](Match& m) { m.brand_account = {"acme"}; },
                  [](Post& p, Verdict&) { p.brand_account = "acme"; }, kUnchanged,
                  "brand_account is not known, wanted acme"},
        MatchCase{"language",
                  [](Match& m) {
                    m.language = {"de", "en"};
                  },
                  [](Post&, Verdict& v) { v.language = "en-GB"; }, [](Post&, Verdict& v) { v.language = "eng"; },
                  "language is eng, wanted de or en"},
        MatchCase{"language_of_platform", [](Match& m) { m.language = {"pt-BR"}; },
                  [](Post& p, Verdict& v) {
                    v.language = "und";
                    p.language = "pt-br";
                  },
                  [](Post&, Verdict& v) { v.language = "und"; }, "language is not known, wanted pt-BR"},
        MatchCase{"min_followers", [](Match& m) { m.min_followers = 10; },
                  [](Post& p, Verdict&) { p.author = with_followers(10); },
                  [](Post& p, Verdict&) { p.author = with_followers(9); }, "followers is 9, wanted 10 or more"},
        MatchCase{"verified", [](Match& m) { m.verified = false; }, kUnchanged,
                  [](Post& p, Verdict&) {
                    p.author = Author();
                    p.author->verified = true;
                  },
                  "verified is yes, wanted no"},
        MatchCase{"max_rating", [](Match& m) { m.max_rating = 2.5; }, [](Post& p, Verdict&) { p.rating = 2.5; },
                  kUnchanged, "rating is not known, wanted 2.5 or less"}),
    [](const testing::TestParamInfo<MatchCase>& one) { return std::string(one.param.name); });

TEST(Router, EveryConditionOfARouteMustHold) {
  Plan plan = sample_plan();
  plan.routes = {Route()};
  plan.routes[0].match.topic = {Topic::queue};
  plan.routes[0].match.platform = {"facebook"};
  EXPECT_THAT(Router(plan).decide(post_with("x"), urgent(), kNow).path, IsEmpty());
}

}  // namespace
}  // namespace triage::route
