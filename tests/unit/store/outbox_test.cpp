// Escalations, deliveries, endpoints, the timetable, idempotent answers and the figures.
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class OutboxTest : public StoreTest {
 protected:
  std::string due_types(const std::string& team, Time now, std::size_t limit = 10) {
    std::string out;
    for (const auto& d : ask([&](Reader& r) { return r.due_deliveries(to_team(team), now, limit); })) out += d.type;
    return out;
  }
  void insert(std::initializer_list<DeliveryRecord> deliveries) {
    must_write(*store_, [&](Writer& w) {
      for (const auto& d : deliveries) w.insert_delivery(d);
    });
  }
  static DeliveryRecord named(const std::string& type, const std::string& team, Time next) {
    auto d = sample_delivery(team, next);
    d.type = type;
    return d;
  }
};

TEST_F(OutboxTest, AnEscalationComesBackAsItWasGivenAndChanged) {
  auto given = sample_escalation(CaseId::make(kNow));
  must_write(*store_, [&](Writer& w) { w.insert_escalation(given); });
  given.level = 1;
  given.state = EscalationState::acknowledged;
  given.ack_by.reset();
  given.last_repeat_at = after(minutes(1));
  given.acknowledged_at = after(minutes(2));
  given.answered_by = "airport-ops";
  given.note = "on it";
  given.eta = "09:40";
  given.action = "second desk open";
  must_write(*store_, [&](Writer& w) { w.update_escalation(given); });
  reopen();
  const auto got = ask([&](Reader& r) { return r.escalation(given.id); });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->case_id, given.case_id);
  EXPECT_EQ(got->ladder, "ops");
  ASSERT_EQ(got->rungs.size(), 2U);
  EXPECT_EQ(got->rungs[1].team, "duty-manager");
  EXPECT_EQ(got->rungs[1].after, minutes(10));
  EXPECT_EQ(got->level, 1);
  EXPECT_EQ(got->state, EscalationState::acknowledged);
  EXPECT_EQ(got->reason, given.reason);
  EXPECT_EQ(got->raised_at, kNow);
  EXPECT_FALSE(got->ack_by);
  EXPECT_EQ(got->last_repeat_at, after(minutes(1)));
  EXPECT_EQ(got->acknowledged_at, after(minutes(2)));
  EXPECT_FALSE(got->resolved_at);
  EXPECT_EQ(got->answered_by, "airport-ops");
  EXPECT_EQ(got->note, "on it");
  EXPECT_EQ(got->eta, "09:40");
  EXPECT_EQ(got->action, "second desk open");
  EXPECT_EQ(ask([&](Reader& r) { return r.escalations_of_case(given.case_id); }).size(), 1U);
}

TEST_F(OutboxTest, EscalationsArePagedNewestFirstByStateAndByTheTeamsCalledSoFar) {
  std::vector<EscalationId> ids;
  must_write(*store_, [&](Writer& w) {
    for (int i = 0; i < 5; ++i) {
      auto e = sample_escalation(CaseId::make(kNow));
      e.id = EscalationId::make(after(seconds(i)));
      if (i == 2) e.level = 1;
      if (i == 3) e.state = EscalationState::resolved;
      w.insert_escalation(e);
      ids.push_back(e.id);
    }
  });
  const auto list = [&](std::optional<EscalationState> state, std::optional<std::string> team, Page page) {
    std::string out;
    for (const auto& e : ask([&](Reader& r) { return r.escalations(state, team, page); })) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == e.id) out += std::to_string(i);
      }
    }
    return out;
  };
  EXPECT_EQ(list({}, {}, {}), "43210");
  EXPECT_EQ(list(EscalationState::open, {}, {}), "4210");
  EXPECT_EQ(list({}, {}, {2, ""}), "43");
  EXPECT_EQ(list({}, {}, {2, ids[3].str()}), "21");
  EXPECT_EQ(list(EscalationState::open, {}, {2, ids[4].str()}), "21");
  EXPECT_EQ(list({}, "airport-ops", {}), "43210");
  EXPECT_EQ(list({}, "duty-manager", {}), "2");
  EXPECT_EQ(list({}, "executive-desk", {}), "");
}

TEST_F(OutboxTest, DeliveriesFallDueByTeamTheLongestDueFirst) {
  insert({named("b", "ops", after(seconds(2))), named("a", "ops", after(seconds(1))),
          named("c", "ops", after(seconds(9))), named("x", "duty", after(seconds(1)))});
  EXPECT_EQ(due_types("ops", after(seconds(5))), "ab");
  EXPECT_EQ(due_types("ops", after(seconds(9))), "abc");
  EXPECT_EQ(due_types("ops", after(seconds(9)), 1), "a");
  EXPECT_EQ(due_types("ops", kNow), "");
  EXPECT_EQ(ask([](Reader& r) { return r.next_delivery_at(to_team("ops")); }), after(seconds(1)));
  EXPECT_EQ(ask([](Reader& r) { return r.next_delivery_at(to_team("nobody")); }), std::nullopt);
}

TEST_F(OutboxTest, AnAttemptChangesAllButTheBody) {
  auto d = sample_delivery("ops");
  d.case_id = CaseId::make(kNow);
  d.escalation = EscalationId::make(kNow);
  insert({d});
  const std::string body = d.body;
  d.body = "something else";
  d.attempts = 2;
  d.next_attempt_at = after(seconds(30));
  d.last_status = 503;
  d.last_error = "the endpoint answered 503";
  must_write(*store_, [&](Writer& w) { w.update_delivery(d); });
  auto got = ask([&](Reader& r) { return r.delivery(d.id); });
  EXPECT_EQ(got->body, body);
  EXPECT_EQ(got->attempts, 2);
  EXPECT_EQ(got->last_status, 503);
  EXPECT_EQ(got->last_error, "the endpoint answered 503");
  EXPECT_EQ(got->case_id, d.case_id);
  EXPECT_EQ(got->escalation, d.escalation);
  EXPECT_EQ(got->next_attempt_at, after(seconds(30)));
  EXPECT_EQ(ask([](Reader& r) { return r.next_delivery_at(to_team("ops")); }), after(seconds(30)));
  d.state = DeliveryState::delivered;
  d.done_at = after(seconds(31));
  must_write(*store_, [&](Writer& w) { w.update_delivery(d); });
  got = ask([&](Reader& r) { return r.delivery(d.id); });
  EXPECT_EQ(got->state, DeliveryState::delivered);
  EXPECT_EQ(got->done_at, after(seconds(31)));
  EXPECT_EQ(ask([](Reader& r) { return r.next_delivery_at(to_team("ops")); }), std::nullopt);
}

TEST_F(OutboxTest, AnEndedEscalationCancelsOnlyWhatStillWaits) {
  const EscalationId ended = EscalationId::make(kNow), other = EscalationId::make(kNow);
  auto waiting = named("w", "ops", kNow), sent = named("s", "ops", kNow), of_other = named("o", "ops", kNow);
  waiting.escalation = sent.escalation = ended;
  sent.state = DeliveryState::delivered;
  of_other.escalation = other;
  insert({waiting, sent, of_other});
  must_write(*store_, [&](Writer& w) { w.cancel_deliveries(ended, after(seconds(1)), "the case was resolved"); });
  const auto state = [&](const DeliveryId& id) { return ask([&](Reader& r) { return r.delivery(id); })->state; };
  EXPECT_EQ(state(waiting.id), DeliveryState::cancelled);
  EXPECT_EQ(state(sent.id), DeliveryState::delivered);
  EXPECT_EQ(state(of_other.id), DeliveryState::waiting);
  const auto got = ask([&](Reader& r) { return r.delivery(waiting.id); });
  EXPECT_EQ(got->last_error, "the case was resolved");
  EXPECT_EQ(got->done_at, after(seconds(1)));
  EXPECT_EQ(due_types("ops", kNow), "o");
}

TEST_F(OutboxTest, DeliveriesArePagedNewestFirstByStateAndTeam) {
  auto a = named("a", "ops", after(seconds(1))), b = named("b", "duty", after(seconds(2))),
       c = named("c", "ops", after(seconds(3))), d = named("d", "ops", after(seconds(4)));
  c.state = DeliveryState::dead;
  insert({a, b, c, d});
  const auto list = [&](std::optional<DeliveryState> state, std::optional<Destination> to, Page page) {
    std::string out;
    for (const auto& e : ask([&](Reader& r) { return r.deliveries(state, to, page); })) out += e.type;
    return out;
  };
  EXPECT_EQ(list({}, {}, {}), "dcba");
  EXPECT_EQ(list(DeliveryState::waiting, {}, {}), "dba");
  EXPECT_EQ(list(DeliveryState::waiting, to_team("ops"), {}), "da");
  EXPECT_EQ(list({}, to_team("ops"), {2, ""}), "dc");
  EXPECT_EQ(list({}, to_team("ops"), {2, c.id.str()}), "a");
  EXPECT_EQ(list(DeliveryState::dead, {}, {}), "c");
}

TEST_F(OutboxTest, AnEndpointKeepsWhetherItIsSwitchedOff) {
  must_write(*store_, [](Writer& w) {
    w.set_endpoint({"ops", true, "", kNow});
    w.set_endpoint({"ops", false, "410, three times", after(seconds(1))});
    w.set_endpoint({"duty", true, "", kNow});
  });
  reopen();
  const auto endpoints = ask([](Reader& r) { return r.endpoints(); });
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[1].team, "ops");
  EXPECT_FALSE(endpoints[1].enabled);
  EXPECT_EQ(endpoints[1].reason, "410, three times");
  EXPECT_EQ(endpoints[1].changed_at, after(seconds(1)));
}

TEST_F(OutboxTest, TheTimetableSurvivesARestartAndSettingAgainMoves) {
  must_write(*store_, [](Writer& w) {
    w.set_due({DueKind::first_response, "case-1", after(minutes(15))});
    w.set_due({DueKind::lease_end, "case-1", after(minutes(5))});
    w.set_due({DueKind::rung, "escalation-1", after(minutes(10))});
  });
  reopen();
  const auto due = [&](Time now, std::size_t limit = 10) {
    std::string out;
    for (const auto& d : ask([&](Reader& r) { return r.due(now, limit); })) {
      out += std::string(to_string(d.kind)) + " " + d.subject + ";";
    }
    return out;
  };
  EXPECT_EQ(due(after(minutes(4))), "");
  EXPECT_EQ(due(after(minutes(10))), "lease_end case-1;rung escalation-1;");
  EXPECT_EQ(due(after(hours(1)), 1), "lease_end case-1;");
  EXPECT_EQ(ask([](Reader& r) { return r.next_due(); }), after(minutes(5)));
  must_write(*store_, [](Writer& w) {
    w.set_due({DueKind::lease_end, "case-1", after(minutes(30))});
    w.clear_due(DueKind::rung, "escalation-1");
    w.clear_due(DueKind::rung, "unknown");
  });
  EXPECT_EQ(due(after(hours(1))), "first_response case-1;lease_end case-1;");
  must_write(*store_, [](Writer& w) {
    w.clear_due(DueKind::lease_end, "case-1");
    w.clear_due(DueKind::first_response, "case-1");
  });
  EXPECT_EQ(ask([](Reader& r) { return r.next_due(); }), std::nullopt);
}

TEST_F(OutboxTest, AnAnswerIsGivenAgainForADayToTheSameToken) {
  const TokenId ann = TokenId::make(kNow), bob = TokenId::make(kNow);
  must_write(*store_, [&](Writer& w) {
    w.keep_idempotent_answer(ann, "k1", {"hash", 201, R"({"id":1})", "\"7\""}, kNow);
  });
  const auto answer = [&](const TokenId& token, const char* key, Time now) {
    return ask([&](Reader& r) { return r.idempotent_answer(token, key, now); });
  };
  const auto got = answer(ann, "k1", after(hours(23)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->request_hash, "hash");
  EXPECT_EQ(got->status, 201);
  EXPECT_EQ(got->body, R"({"id":1})");
  EXPECT_EQ(got->etag, "\"7\"");
  EXPECT_FALSE(answer(bob, "k1", kNow));
  EXPECT_FALSE(answer(ann, "k2", kNow));
  EXPECT_FALSE(answer(ann, "k1", after(hours(24))));
  must_write(*store_, [&](Writer& w) { w.keep_idempotent_answer(ann, "k1", {"new", 200, "", ""}, after(hours(25))); });
  EXPECT_EQ(answer(ann, "k1", after(hours(26)))->request_hash, "new");
  must_write(*store_, [&](Writer& w) { w.forget_idempotent_answers(after(hours(25))); });
  EXPECT_TRUE(answer(ann, "k1", after(hours(26))));
  must_write(*store_, [&](Writer& w) { w.forget_idempotent_answers(after(hours(26))); });
  EXPECT_FALSE(answer(ann, "k1", after(hours(26))));
}

TEST_F(OutboxTest, TheFiguresCountWhatAnOperatorWatches) {
  auto dead = sample_delivery("ops"), sent = sample_delivery("ops"), first = sample_delivery("ops"),
       second = sample_delivery("ops", after(seconds(1)));
  dead.state = DeliveryState::dead;
  sent.state = DeliveryState::delivered;
  first.created_at = after(seconds(-60));
  CaseRecord closed = sample_case();
  closed.state = CaseState::closed;
  must_write(*store_, [&](Writer& w) {
    w.insert_case(sample_case());
    w.insert_case(sample_case());
    w.insert_case(closed);
    w.insert_post(sample_post("1", after(seconds(8))));
    w.insert_post(sample_post("2", after(seconds(3))));
    auto other = sample_post("1");
    other.post.source = "shop";
    w.insert_post(other);
  });
  insert({dead, sent, first, second});
  const auto figures = ask([](Reader& r) { return r.figures(); });
  EXPECT_EQ(figures.open_cases, 2);
  EXPECT_EQ(figures.waiting_deliveries, 2);
  EXPECT_EQ(figures.dead_deliveries, 1);
  EXPECT_EQ(figures.oldest_waiting_delivery, first.created_at);
  ASSERT_EQ(figures.newest_post_by_source.size(), 2U);
  EXPECT_EQ(figures.newest_post_by_source[0], (std::pair<std::string, Time>("shop", kNow)));
  EXPECT_EQ(figures.newest_post_by_source[1], (std::pair<std::string, Time>("x-main", after(seconds(8)))));
}

}  // namespace
}  // namespace triage::store::testing
