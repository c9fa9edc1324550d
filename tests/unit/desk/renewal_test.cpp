// What becomes of a case when one of its posts is judged again.
#include <nlohmann/json.hpp>

#include "unit/desk/desk_fixture.h"

namespace triage::desk {
namespace {

using namespace std::chrono_literals;
using store::CaseState;

struct RenewalTest : DeskTest {
  bool renew(const Admitted& admitted, Verdict v, std::string_view judge = "deep") {
    v.judge = judge;
    bool changed = false;
    write([&](store::Writer& writer) {
      effects_ = {};
      Renewal renewal;
      renewal.post = admitted.id;
      renewal.verdict = v;
      changed = renew_verdict(writer, *policy_, renewal, now_, effects_);
    });
    return changed;
  }
  std::vector<store::CaseEvent> events_of(const Admitted& admitted) {
    std::vector<store::CaseEvent> events;
    write([&](store::Writer& writer) { events = writer.events(admitted.case_id.value()); });
    return events;
  }
  std::vector<store::SecondLook> looks() {
    std::vector<store::SecondLook> found;
    write([&](store::Writer& writer) { found = writer.second_looks(10); });
    return found;
  }
};

TEST_F(RenewalTest, WhatTheSecondLookFindsUrgentIsEscalatedAndStandsInTheTimeline) {
  const auto first = say(post("1"), verdict(30));
  ASSERT_TRUE(escalations_of(*first.case_id).empty());
  EXPECT_TRUE(renew(first, verdict(90)));
  EXPECT_EQ(case_of(first).priority, Priority::critical);
  ASSERT_EQ(escalations_of(*first.case_id).size(), 1U);
  EXPECT_EQ(deliveries().at(0).to.name, "airport-ops");
  EXPECT_EQ(effects_.outbox.size(), 1U);

  const auto events = events_of(first);
  const auto event = std::find_if(events.begin(), events.end(), [](const auto& e) { return e.type == "judged_again"; });
  ASSERT_NE(event, events.end());
  const auto data = nlohmann::json::parse(event->data);
  EXPECT_EQ(data["before"]["priority"], "normal");
  EXPECT_EQ(data["after"]["priority"], "critical");
  EXPECT_EQ(data["after"]["judge"], "deep");
}

TEST_F(RenewalTest, ALadderThatWasRaisedForThePostIsNotRaisedAgain) {
  const auto first = say(post("1"), verdict(85));
  renew(first, verdict(95));
  EXPECT_EQ(escalations_of(*first.case_id).size(), 1U);
  EXPECT_EQ(deliveries().size(), 1U) << "neither raised nor repeated";
  write([&](store::Writer& writer) {
    const auto id = writer.escalations_of_case(*first.case_id).at(0).id;
    ASSERT_TRUE(resolve_escalation(writer, *policy_, id, {}, now_, effects_));
  });
  renew(first, verdict(90));
  EXPECT_EQ(escalations_of(*first.case_id).size(), 1U) << "the operations team has dealt with it";
}

TEST_F(RenewalTest, TheSameAnswersLeaveNoTraceInTheTimelineButAreKept) {
  const auto first = say(post("1"), verdict(30));
  const auto before = events_of(first).size();
  Verdict surer = verdict(30);
  surer.moment_confidence = 0.99;
  EXPECT_FALSE(renew(first, surer));
  EXPECT_EQ(events_of(first).size(), before);
  write([&](store::Writer& writer) {
    EXPECT_EQ(writer.post(first.id)->verdict->moment_confidence, 0.99);
    EXPECT_EQ(writer.post(first.id)->verdict->judge, "deep");
  });
}

TEST_F(RenewalTest, ACaseThatNobodyWorksOnClosesWhenNothingInItIsActionableAfterAll) {
  const auto first = say(post("1"), verdict(30));
  ASSERT_TRUE(case_of(first).first_response_due);
  EXPECT_TRUE(renew(first, verdict(5, false)));
  EXPECT_EQ(case_of(first).state, CaseState::closed);
  EXPECT_FALSE(case_of(first).first_response_due);
  now_ += 48h;
  run_clock();
  EXPECT_FALSE(case_of(first).overdue) << "its clock is gone";
}

TEST_F(RenewalTest, ACaseStaysOpenWhereAnOperationsTeamWasCalled) {
  const auto first = say(post("1"), verdict(90));
  renew(first, verdict(5, false));
  EXPECT_EQ(case_of(first).state, CaseState::fresh);
  EXPECT_EQ(escalations_of(*first.case_id).at(0).state, store::EscalationState::open);
}

TEST_F(RenewalTest, AClosedCaseOpensWithAClockWhenItsPostIsActionableAfterAll) {
  const auto first = say(post("1"), verdict(5, false));
  ASSERT_EQ(case_of(first).state, CaseState::closed);
  EXPECT_TRUE(renew(first, verdict(40)));
  EXPECT_EQ(case_of(first).state, CaseState::fresh);
  ASSERT_TRUE(case_of(first).first_response_due);
  now_ = *case_of(first).first_response_due;
  run_clock();
  EXPECT_TRUE(case_of(first).overdue);
}

TEST_F(RenewalTest, NoJudgeOverrulesAPerson) {
  const auto first = say(post("1"), verdict(30));
  EXPECT_TRUE(renew(first, verdict(60), kPerson));
  EXPECT_FALSE(renew(first, verdict(5, false), "deep"));
  EXPECT_EQ(case_of(first).priority, Priority::high);
  EXPECT_TRUE(renew(first, verdict(5, false), kPerson)) << "but a person does";
}

TEST_F(RenewalTest, ADeletedPostIsLeftAlone) {
  const auto first = say(post("1"), verdict(30));
  write([&](store::Writer& writer) { writer.delete_post(first.id, now_); });
  EXPECT_FALSE(renew(first, verdict(90)));
  EXPECT_TRUE(escalations_of(*first.case_id).empty());
}

TEST_F(RenewalTest, HastyVerdictsAreLookedAtAgainTheMostUrgentAndLeastCertainFirst) {
  const auto hasty = [&](const std::string& native_id, double urgency, double confidence, bool hastily) {
    Judged judged;
    judged.event.post = post(native_id, native_id);
    judged.verdict = verdict(urgency);
    judged.verdict->moment_confidence = confidence;
    judged.second_look = hastily;
    Admitted out;
    write([&](store::Writer& writer) { out = admit(writer, *policy_, judged, now_, effects_); });
    return out.id;
  };
  const auto sure = hasty("1", 30, 0.9, true);
  const auto unsure = hasty("2", 30, 0.6, true);
  const auto urgent = hasty("3", 90, 0.9, true);
  hasty("4", 90, 0.9, false);
  const auto found = looks();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].post, urgent);
  EXPECT_EQ(found[1].post, unsure);
  EXPECT_EQ(found[2].post, sure);
  write([&](store::Writer& writer) { writer.end_second_look(found[0]); });
  EXPECT_EQ(looks().size(), 2U);
}

TEST_F(RenewalTest, EveryJudgedPostSinceATimeCanBeAskedFor) {
  say(post("1", "1"), verdict(30));
  now_ += 1h;
  const Time since = now_;
  const auto second = say(post("2", "2"), verdict(30));
  const auto third = say(post("3", "3"), verdict(70));
  write([&](store::Writer& writer) {
    const auto last = writer.ask_second_looks(since, std::nullopt, 1).last;
    ASSERT_TRUE(last);
    EXPECT_EQ(*last, second.id);
    const auto rest = writer.ask_second_looks(since, last, 10);
    EXPECT_EQ(rest.posts, 1U);
    EXPECT_EQ(rest.last, third.id);
    EXPECT_FALSE(writer.ask_second_looks(since, third.id, 10).last);
  });
  const auto found = looks();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].post, third.id);
}

}  // namespace
}  // namespace triage::desk
