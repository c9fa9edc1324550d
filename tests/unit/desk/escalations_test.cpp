// The escalation ladder: one open escalation a case and ladder, climbing until somebody answers.
#include <nlohmann/json.hpp>

#include "unit/desk/desk_fixture.h"

namespace triage::desk {
namespace {

using namespace std::chrono_literals;
using store::DeliveryState;
using store::EscalationState;

TEST_F(DeskTest, AnUrgentPostCallsTheFirstRungAtOnceInTheSameCommit) {
  const auto admitted = say(post("1"), verdict(90));
  const auto rows = deliveries();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].to.name, "airport-ops");
  EXPECT_EQ(rows[0].type, "escalation.raised");
  EXPECT_EQ(rows[0].state, DeliveryState::waiting);
  EXPECT_EQ(effects_.outbox, std::vector{store::to_team("airport-ops")});
  const auto body = nlohmann::json::parse(rows[0].body);
  EXPECT_EQ(body["type"], "escalation.raised");
  EXPECT_EQ(body["data"]["case"]["id"], admitted.case_id->str());
  EXPECT_EQ(body["data"]["posts"][0]["text"], "stuck at the gate");
  EXPECT_EQ(body["data"]["escalation"]["ack_by"], format_time(now_ + 10min));
  EXPECT_TRUE(
      body["data"]["escalation"]["ack_url"].get<std::string>().starts_with("https://care.example.com/v1/escalations/"));
}

TEST_F(DeskTest, APostOlderThanMaxAgeGetsACaseAndCallsNobody) {
  Post old = post("1");
  old.created_at = now_ - 3h;
  const auto c = case_of(say(old, verdict(90)));
  EXPECT_TRUE(deliveries().empty());
  EXPECT_FALSE(c.decision.why.empty());
}

TEST_F(DeskTest, AFurtherPostRepeatsToThePresentRungAtMostEveryFiveMinutes) {
  const auto first = say(post("1"), verdict(90));
  now_ += 1min;
  say(post("2"), verdict(90));
  EXPECT_EQ(deliveries().size(), 1U);
  now_ += 5min;
  say(post("3"), verdict(90));
  now_ += 1min;
  say(post("4"), verdict(90));
  const auto rows = deliveries();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].type, "escalation.repeated");
  EXPECT_EQ(escalations_of(*first.case_id).size(), 1U);
}

TEST_F(DeskTest, TheLadderClimbsWhenNobodyAcknowledges) {
  const auto first = say(post("1"), verdict(90));
  now_ += 10min;
  run_clock();
  const auto e = escalations_of(*first.case_id).at(0);
  EXPECT_EQ(e.level, 1);
  EXPECT_FALSE(e.ack_by) << "there is no further rung";
  EXPECT_EQ(deliveries().at(0).to.name, "duty-manager");
  now_ += 10h;
  run_clock();
  EXPECT_EQ(deliveries().size(), 2U);
}

TEST_F(DeskTest, AnAcknowledgementStopsTheClimbAndKeepsWhatOpsSaid) {
  const auto first = say(post("1"), verdict(90));
  const auto id = escalations_of(*first.case_id).at(0).id;
  write([&](store::Writer& writer) {
    Effects effects;
    OpsAnswer answer{"airport-ops", "", "09:40", "second desk opens"};
    EXPECT_TRUE(acknowledge(writer, *policy_, id, answer, now_, effects));
  });
  now_ += 10min;
  run_clock();
  const auto e = escalations_of(*first.case_id).at(0);
  EXPECT_EQ(e.level, 0);
  EXPECT_EQ(e.state, EscalationState::acknowledged);
  EXPECT_EQ(e.action, "second desk opens");
  EXPECT_EQ(deliveries().at(0).type, "escalation.acknowledged");
}

TEST_F(DeskTest, ResolvingTheCaseEndsItsEscalationsAndCancelsWhatStillWaits) {
  const auto first = say(post("1"), verdict(90));
  write([&](store::Writer& writer) { end_escalations(writer, *first.case_id, "the case was resolved", now_); });
  EXPECT_EQ(escalations_of(*first.case_id).at(0).state, EscalationState::ended);
  EXPECT_EQ(deliveries(DeliveryState::cancelled).size(), 1U);
  now_ += 10min;
  run_clock();
  EXPECT_EQ(deliveries().size(), 1U);
  write([&](store::Writer& writer) {
    Effects effects;
    const auto late =
        acknowledge(writer, *policy_, writer.escalations_of_case(*first.case_id).at(0).id, {}, now_, effects);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::conflict);
  });
}

TEST_F(DeskTest, ASwitchedOffEndpointLetsItsLaddersClimbAtOnce) {
  const auto first = say(post("1"), verdict(90));
  write([&](store::Writer& writer) {
    Effects effects;
    climb_past_unreachable(writer, *policy_, now_, effects);
  });
  EXPECT_EQ(escalations_of(*first.case_id).at(0).level, 0) << "it is on";
  switch_off("airport-ops");
  write([&](store::Writer& writer) {
    Effects effects;
    climb_past_unreachable(writer, *policy_, now_, effects);
  });
  EXPECT_EQ(escalations_of(*first.case_id).at(0).level, 1);
}

TEST_F(DeskTest, ALadderRaisedToASwitchedOffEndpointCallsTheNextRungAtOnce) {
  switch_off("airport-ops");
  const auto first = say(post("1"), verdict(90));
  run_clock();
  EXPECT_EQ(escalations_of(*first.case_id).at(0).level, 1);
  run_clock();
  EXPECT_EQ(escalations_of(*first.case_id).at(0).level, 1) << "the next rung can be reached";
}

TEST_F(DeskTest, ALadderWhoseFirstRungWaitsCallsNobodyBeforeThen) {
  auto later = plan();
  later.ladders["ops"] = {{5min, "airport-ops"}, {20min, "duty-manager"}};
  set_plan(later);
  say(post("1"), verdict(90));
  EXPECT_TRUE(deliveries().empty());
  now_ += 5min;
  run_clock();
  EXPECT_EQ(deliveries().at(0).to.name, "airport-ops");
}

TEST_F(DeskTest, AnAcknowledgeLinkWorksForItsTeamUntilItExpiresAndNotWhenChanged) {
  const auto id = EscalationId::make(now_);
  const std::string link = ack_link(*policy_, id, "airport ops", now_);
  auto value = [&](const std::string& name) {
    const auto from = link.find(name + "=") + name.size() + 1;
    return link.substr(from, link.find('&', from) - from);
  };
  const std::string expires = value("expires");
  const std::string signature = value("signature");
  EXPECT_TRUE(check_ack_link(*policy_, id, "airport ops", expires, signature, now_));
  EXPECT_FALSE(check_ack_link(*policy_, id, "duty-manager", expires, signature, now_));
  EXPECT_FALSE(check_ack_link(*policy_, EscalationId::make(now_), "airport ops", expires, signature, now_));
  EXPECT_FALSE(check_ack_link(*policy_, id, "airport ops", expires + "0", signature, now_));
  EXPECT_FALSE(check_ack_link(*policy_, id, "airport ops", expires, "", now_));
  EXPECT_FALSE(check_ack_link(*policy_, id, "airport ops", expires, signature, now_ + 49h));
}

}  // namespace
}  // namespace triage::desk
