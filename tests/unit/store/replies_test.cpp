// Replies, cursors, and the outbox to platforms beside the one to teams.
#include "store/schema.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

ReplyRecord sample_reply(const CaseId& id, Time at = kNow) {
  ReplyRecord r;
  r.id = ReplyId::make(at);
  r.case_id = id;
  r.post = PostId::make(at);
  r.source = "x-main";
  r.delivery = DeliveryId::make(at);
  r.at = at;
  r.token = TokenId::make(at);
  r.name = "Ann";
  r.text = "We are \"on it\" 🛫 שלום";
  return r;
}

DeliveryRecord sample_call(const std::string& source, const std::string& type = "reply", Time next = kNow) {
  DeliveryRecord d = sample_delivery("", next);
  d.to = to_source(source);
  d.type = type;
  d.case_id = CaseId::make(kNow);
  return d;
}

class RepliesTest : public StoreTest {
 protected:
  void insert(std::initializer_list<DeliveryRecord> deliveries) {
    must_write(*store_, [&](Writer& w) {
      for (const auto& d : deliveries) w.insert_delivery(d);
    });
  }
  static std::string types(const std::vector<DeliveryRecord>& deliveries) {
    std::string out;
    for (const auto& d : deliveries) out += d.type;
    return out;
  }
};

TEST_F(RepliesTest, AReplyComesBackAsItWasGivenAndWhatBecameOfItIsKept) {
  ReplyRecord given = sample_reply(CaseId::make(kNow));
  must_write(*store_, [&](Writer& w) { w.insert_reply(given); });
  auto got = ask([&](Reader& r) { return r.reply(given.id); });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->state, ReplyState::waiting);
  EXPECT_EQ(got->native_id, "");
  EXPECT_FALSE(got->sent_at);

  given.state = ReplyState::sent;
  given.native_id = "1890";
  given.url = "https://x.com/acme/status/1890";
  given.sent_at = after(seconds(3));
  given.error = "the platform was busy";
  must_write(*store_, [&](Writer& w) { w.update_reply(given); });
  reopen();
  got = ask([&](Reader& r) { return r.reply(given.id); });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->id, given.id);
  EXPECT_EQ(got->case_id, given.case_id);
  EXPECT_EQ(got->post, given.post);
  EXPECT_EQ(got->source, "x-main");
  EXPECT_EQ(got->delivery, given.delivery);
  EXPECT_EQ(got->at, kNow);
  EXPECT_EQ(got->token, given.token);
  EXPECT_EQ(got->name, "Ann");
  EXPECT_EQ(got->text, given.text);
  EXPECT_EQ(got->state, ReplyState::sent);
  EXPECT_EQ(got->native_id, "1890");
  EXPECT_EQ(got->url, "https://x.com/acme/status/1890");
  EXPECT_EQ(got->sent_at, after(seconds(3)));
  EXPECT_EQ(got->error, "the platform was busy");
}

TEST_F(RepliesTest, WhatAnAgentWroteIsNeverRewritten) {
  ReplyRecord reply = sample_reply(CaseId::make(kNow));
  must_write(*store_, [&](Writer& w) { w.insert_reply(reply); });
  const std::string text = reply.text;
  reply.text = "something else";
  reply.name = "Bob";
  reply.state = ReplyState::unknown;
  must_write(*store_, [&](Writer& w) { w.update_reply(reply); });
  const auto got = ask([&](Reader& r) { return r.reply(reply.id); });
  EXPECT_EQ(got->text, text);
  EXPECT_EQ(got->name, "Ann");
  EXPECT_EQ(got->state, ReplyState::unknown);
}

TEST_F(RepliesTest, EveryStateOfAReplyIsReadAsItWasWritten) {
  for (const ReplyState state : {ReplyState::waiting, ReplyState::sent, ReplyState::failed, ReplyState::unknown}) {
    EXPECT_EQ(parse_reply_state(to_string(state)), state);
    ReplyRecord reply = sample_reply(CaseId::make(kNow));
    reply.state = state;
    must_write(*store_, [&](Writer& w) { w.insert_reply(reply); });
    EXPECT_EQ(ask([&](Reader& r) { return r.reply(reply.id); })->state, state);
  }
  EXPECT_FALSE(parse_reply_state("sending"));
}

TEST_F(RepliesTest, ACasesRepliesAreItsOwnTheOldestFirst) {
  const CaseId ours = CaseId::make(kNow), other = CaseId::make(kNow);
  const ReplyRecord first = sample_reply(ours), strange = sample_reply(other), second = sample_reply(ours);
  must_write(*store_, [&](Writer& w) {
    for (const auto& reply : {first, strange, second}) w.insert_reply(reply);
  });
  const auto replies = ask([&](Reader& r) { return r.replies_of_case(ours); });
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0].id, first.id);
  EXPECT_EQ(replies[1].id, second.id);
  EXPECT_TRUE(ask([&](Reader& r) { return r.replies_of_case(CaseId::make(kNow)); }).empty());
}

TEST_F(RepliesTest, AReplyIsFoundByItsDelivery) {
  const ReplyRecord one = sample_reply(CaseId::make(kNow)), two = sample_reply(CaseId::make(kNow));
  must_write(*store_, [&](Writer& w) {
    w.insert_reply(one);
    w.insert_reply(two);
  });
  EXPECT_EQ(ask([&](Reader& r) { return r.reply_of_delivery(two.delivery); })->id, two.id);
  EXPECT_FALSE(ask([](Reader& r) { return r.reply_of_delivery(DeliveryId::make(kNow)); }));
  EXPECT_FALSE(ask([](Reader& r) { return r.reply(ReplyId::make(kNow)); }));
}

TEST_F(RepliesTest, AReplyThatIsNotThereCannotBeChanged) {
  const Told told = commit(*store_, [](Writer& w) { w.update_reply(sample_reply(CaseId::make(kNow))); });
  EXPECT_EQ(told.outcome, Committed::failed);
  EXPECT_NE(told.detail.find("there is no reply"), std::string::npos) << told.detail;
}

TEST_F(RepliesTest, ACursorIsKeptByItsSourceAndPullUntilItIsSetAgain) {
  const auto cursor = [&](const char* source, const char* pull) {
    return ask([&](Reader& r) { return r.cursor(source, pull); });
  };
  EXPECT_FALSE(cursor("reddit", "new"));
  must_write(*store_, [](Writer& w) {
    w.set_cursor({"reddit", "new", R"({"after":"t1_a"})", "\"e1\"", "Sun, 22 Nov 2026 09:00:00 GMT", kNow});
    w.set_cursor({"reddit", "comments", R"({"after":"t1_c"})", "", "", kNow});
    w.set_cursor({"feed", "new", "7", "", "", kNow});
    w.set_cursor({"reddit", "new", R"({"after":"t1_b"})", "\"e2\"", "", after(minutes(1))});
  });
  reopen();
  const auto got = cursor("reddit", "new");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->source, "reddit");
  EXPECT_EQ(got->pull, "new");
  EXPECT_EQ(got->cursor, R"({"after":"t1_b"})");
  EXPECT_EQ(got->etag, "\"e2\"");
  EXPECT_EQ(got->last_modified, "") << "what the last answer did not say is not kept of the one before";
  EXPECT_EQ(got->changed_at, after(minutes(1)));
  EXPECT_EQ(cursor("reddit", "comments")->cursor, R"({"after":"t1_c"})");
  EXPECT_EQ(cursor("feed", "new")->cursor, "7");
  EXPECT_FALSE(cursor("feed", "comments"));
}

// A source and a team may have the same name.
TEST_F(RepliesTest, ATeamAndASourceDoNotSeeEachOthersDeliveries) {
  auto callback = sample_delivery("shop", after(seconds(1)));
  callback.type = "callback,";
  auto call = sample_call("shop", "call,", after(seconds(2)));
  auto under_way = sample_call("shop", "under-way,");
  under_way.state = DeliveryState::sending;
  auto elsewhere = sample_call("x-main", "elsewhere,");
  insert({callback, call, under_way, elsewhere});
  reopen();

  const Destination team = to_team("shop"), source = to_source("shop");
  const Time later = after(minutes(1));
  EXPECT_EQ(types(ask([&](Reader& r) { return r.due_deliveries(team, later, 10); })), "callback,");
  EXPECT_EQ(types(ask([&](Reader& r) { return r.due_deliveries(source, later, 10); })), "call,");
  EXPECT_EQ(ask([&](Reader& r) { return r.next_delivery_at(team); }), after(seconds(1)));
  EXPECT_EQ(ask([&](Reader& r) { return r.next_delivery_at(source); }), after(seconds(2)));
  EXPECT_EQ(types(ask([&](Reader& r) { return r.sending_deliveries(team); })), "");
  EXPECT_EQ(types(ask([&](Reader& r) { return r.sending_deliveries(source); })), "under-way,");
  EXPECT_EQ(types(ask([&](Reader& r) { return r.deliveries({}, team, {}); })), "callback,");
  EXPECT_EQ(types(ask([&](Reader& r) { return r.deliveries(DeliveryState::waiting, source, {}); })), "call,");
  EXPECT_EQ(ask([&](Reader& r) { return r.deliveries({}, {}, {}); }).size(), 4U);

  const auto got = ask([&](Reader& r) { return r.delivery(call.id); });
  EXPECT_EQ(got->to, source);
  EXPECT_EQ(got->case_id, call.case_id);
  EXPECT_EQ(label(got->to), "source shop");
  EXPECT_EQ(ask([&](Reader& r) { return r.delivery(callback.id); })->to, team);
}

TEST_F(RepliesTest, WhatIsBeingSentIsNeitherDueNorCancelled) {
  const EscalationId ended = EscalationId::make(kNow);
  auto d = sample_call("x-main");
  d.escalation = ended;
  insert({d});
  const Destination to = to_source("x-main");
  d.state = DeliveryState::sending;
  must_write(*store_, [&](Writer& w) { w.update_delivery(d); });
  EXPECT_TRUE(ask([&](Reader& r) { return r.due_deliveries(to, Time::max(), 10); }).empty());
  EXPECT_EQ(ask([&](Reader& r) { return r.next_delivery_at(to); }), std::nullopt);
  must_write(*store_, [&](Writer& w) { w.cancel_deliveries(ended, kNow, "the case was resolved"); });
  EXPECT_EQ(ask([&](Reader& r) { return r.delivery(d.id); })->state, DeliveryState::sending);

  d.state = DeliveryState::waiting;
  must_write(*store_, [&](Writer& w) { w.update_delivery(d); });
  EXPECT_TRUE(ask([&](Reader& r) { return r.sending_deliveries(to); }).empty());
  EXPECT_EQ(ask([&](Reader& r) { return r.due_deliveries(to, kNow, 10); }).size(), 1U);
}

// The version before this one knew callbacks only.
TEST(OutboxOfAnOldDatabase, GoesOnAfterTheMigrationAsItWas) {
  const TempDir dir;
  std::filesystem::create_directory(dir.data());
  const DeliveryRecord waits = sample_delivery("airport-ops", after(seconds(5)));
  const DeliveryRecord dead = sample_delivery("airport-ops");
  {
    Connection::Settings settings;
    settings.create = true;
    Connection connection(dir.database(), settings);
    migrate(connection, migrations().first(4));
    for (const DeliveryRecord& d : {waits, dead}) {
      connection.exec(("INSERT INTO deliveries (id, team, type, body, state, attempts, created_at, next_attempt_at,"
                       " last_status, last_error) VALUES ('" +
                       d.id.str() + "', '" + d.to.name + "', '" + d.type + "', '" + d.body + "', '" +
                       (d.id == waits.id ? "waiting" : "dead") + "', 2, " + std::to_string(to_millis(d.created_at)) +
                       ", " + std::to_string(to_millis(d.next_attempt_at)) + ", 503, 'the endpoint answered 503')")
                          .c_str());
    }
  }
  const auto store = open_or_throw(options_in(dir.data()));
  look(*store, [&](Reader& r) {
    const auto due = r.due_deliveries(to_team("airport-ops"), after(seconds(5)), 10);
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].id, waits.id);
    EXPECT_EQ(due[0].to, to_team("airport-ops"));
    EXPECT_EQ(due[0].type, waits.type);
    EXPECT_EQ(due[0].body, waits.body);
    EXPECT_EQ(due[0].state, DeliveryState::waiting);
    EXPECT_EQ(due[0].attempts, 2);
    EXPECT_EQ(due[0].created_at, waits.created_at);
    EXPECT_EQ(due[0].last_status, 503);
    EXPECT_EQ(r.next_delivery_at(to_team("airport-ops")), after(seconds(5)));
    EXPECT_TRUE(r.due_deliveries(to_source("airport-ops"), Time::max(), 10).empty());
    EXPECT_EQ(r.delivery(dead.id)->state, DeliveryState::dead);
  });
  const ReplyRecord reply = sample_reply(CaseId::make(kNow));
  const DeliveryRecord call = sample_call("x-main");
  must_write(*store, [&](Writer& w) {
    w.insert_reply(reply);
    w.insert_delivery(call);
    w.set_cursor({"reddit", "new", "7", "", "", kNow});
  });
  look(*store, [&](Reader& r) {
    EXPECT_TRUE(r.reply(reply.id));
    EXPECT_TRUE(r.cursor("reddit", "new"));
    EXPECT_EQ(r.due_deliveries(to_source("x-main"), kNow, 10).size(), 1U);
  });
}

class RestoredReplies : public StoreTest {
 protected:
  DeliveryRecord waits_ = sample_call("x-main"), under_way_ = sample_call("x-main"), done_ = sample_call("x-main");
  ReplyRecord reply_ = sample_reply(CaseId::make(kNow));
  std::filesystem::path file_ = dir_.path() / "copy.db", target_ = dir_.path() / "restored";

  void SetUp() override {
    under_way_.state = DeliveryState::sending;
    done_.state = DeliveryState::delivered;
    insert_all();
    auto session = open_session(dir_.data(), false);
    ASSERT_TRUE(session) << session.error().detail;
    ASSERT_TRUE((*session)->backup(file_));
  }
  void insert_all() {
    must_write(*store_, [this](Writer& w) {
      for (const auto& d : {waits_, under_way_, done_}) w.insert_delivery(d);
      w.insert_reply(reply_);
      w.set_cursor({"reddit", "new", "7", "", "", kNow});
    });
  }
  std::vector<DeliveryState> restored_states() {
    const auto store = open_or_throw(options_in(target_));
    std::vector<DeliveryState> states;
    look(*store, [&](Reader& r) {
      for (const auto& d : {waits_, under_way_, done_}) states.push_back(r.delivery(d.id)->state);
      EXPECT_EQ(r.reply(reply_.id)->text, reply_.text);
      EXPECT_EQ(r.cursor("reddit", "new")->cursor, "7");
    });
    return states;
  }
};

// Neither may leave by itself: the world has gone on since the copy was made.
TEST_F(RestoredReplies, WhatWaitedAndWhatWasBeingSentIsHeld) {
  ASSERT_TRUE(restore(file_, target_, false));
  EXPECT_EQ(restored_states(), (std::vector{DeliveryState::held, DeliveryState::held, DeliveryState::delivered}));
}

TEST_F(RestoredReplies, WhatWasBeingSentIsStillKnownAsSuchWhenDeliveriesAreReleased) {
  ASSERT_TRUE(restore(file_, target_, true));
  EXPECT_EQ(restored_states(), (std::vector{DeliveryState::waiting, DeliveryState::sending, DeliveryState::delivered}));
}

}  // namespace
}  // namespace triage::store::testing
