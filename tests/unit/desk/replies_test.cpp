// Replies from the desk, our own posts as platforms tell of them, and posts whose text is fetched.
#include "triage/desk/replies.h"

#include <nlohmann/json.hpp>

#include "unit/desk/desk_fixture.h"
#include "unit/desk/fake_platforms.h"

namespace triage::desk {
namespace {

using namespace std::chrono_literals;
using store::CaseState;
using store::DeliveryState;
using store::PostState;
using store::ReplyRecord;
using store::ReplyState;

struct ReplyTest : DeskTest {
  void SetUp() override {
    DeskTest::SetUp();
    platforms_ = std::make_shared<FakePlatforms>();
    policy_->platforms = platforms_;
  }

  Result<ReplyRecord> answer(const Admitted& to, const std::string& text) {
    Result<ReplyRecord> out = make_error(ErrorCode::internal, "it was not tried");
    write([&](store::Writer& writer) {
      effects_ = {};
      const auto post = writer.post(to.id).value();
      auto c = writer.find_case(post.case_id.value()).value();
      out = order_reply(writer, *policy_, c, {&post, text, token_, "Bob"}, now_, effects_);
      writer.update_case(c);
    });
    return out;
  }
  ReplyRecord must_answer(const Admitted& to, const std::string& text) { return answer(to, text).value(); }

  void sent(const ReplyRecord& reply, const std::string& native_id, const std::string& url = "") {
    write([&](store::Writer& writer) {
      effects_ = {};
      reply_sent(writer, reply.id, native_id, url, now_, effects_);
    });
  }
  void not_sent(const ReplyRecord& reply, ReplyState state, const std::string& error) {
    write([&](store::Writer& writer) {
      effects_ = {};
      reply_not_sent(writer, reply.id, state, error, now_, effects_);
    });
  }
  // As the deliverer leaves it.
  void leave_delivery(const ReplyRecord& reply, DeliveryState state) {
    write([&](store::Writer& writer) {
      auto d = writer.delivery(reply.delivery).value();
      d.state = state;
      d.attempts = 1;
      writer.update_delivery(d);
    });
  }

  Admitted hear_own(const std::string& native_id, const std::string& text, const std::string& in_reply_to,
                    PostKind kind = PostKind::reply) {
    Event event;
    event.kind = EventKind::own_post;
    event.post = post(native_id, "acme");
    event.post.kind = kind;
    event.post.text = text;
    event.post.in_reply_to = in_reply_to;
    return admit_event(event, std::nullopt);
  }
  Event known_by_id(const std::string& native_id, const std::string& author = "77") {
    Event event;
    event.kind = EventKind::pending;
    event.post = post(native_id, author);
    event.post.text.clear();
    return event;
  }

  ReplyRecord now_of(const ReplyRecord& reply) {
    ReplyRecord out;
    write([&](store::Writer& writer) { out = writer.reply(reply.id).value(); });
    return out;
  }
  store::PostRecord post_of(const PostId& id) {
    store::PostRecord out;
    write([&](store::Writer& writer) { out = writer.post(id).value(); });
    return out;
  }
  std::vector<store::PostRecord> posts_of(const Admitted& admitted) {
    std::vector<store::PostRecord> out;
    write([&](store::Writer& writer) { out = writer.posts_of_case(admitted.case_id.value()); });
    return out;
  }
  std::size_t own_posts_of(const CaseId& id) {
    std::size_t count = 0;
    write([&](store::Writer& writer) {
      for (const auto& p : writer.posts_of_case(id)) count += p.state == PostState::own ? 1 : 0;
    });
    return count;
  }
  // "opened escalated reply.sent"
  std::string timeline(const Admitted& admitted) {
    std::string out;
    write([&](store::Writer& writer) {
      for (const auto& event : writer.events(admitted.case_id.value())) out += (out.empty() ? "" : " ") + event.type;
    });
    return out;
  }
  store::CaseEvent last_event(const Admitted& admitted) {
    store::CaseEvent out;
    write([&](store::Writer& writer) { out = writer.events(admitted.case_id.value()).back(); });
    return out;
  }
  bool clock_runs(const Admitted& admitted) {
    bool runs = false;
    write([&](store::Writer& writer) {
      for (const auto& due : writer.due(Time::max(), 100)) {
        if (due.kind == store::DueKind::first_response && due.subject == admitted.case_id->str()) runs = true;
      }
    });
    return runs;
  }

  std::shared_ptr<FakePlatforms> platforms_;
  TokenId token_ = TokenId::make(now_);
};

// ---- on its way ----------------------------------------------------------------------------------------------------

TEST_F(ReplyTest, AnOrderedReplyWaitsInTheOutboxForTheSourceOfItsPost) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  EXPECT_EQ(effects_.outbox, std::vector{store::to_source("x-main")});

  const ReplyRecord stored = now_of(reply);
  EXPECT_EQ(stored.state, ReplyState::waiting);
  EXPECT_EQ(stored.case_id, first.case_id);
  EXPECT_EQ(stored.post, first.id);
  EXPECT_EQ(stored.source, "x-main");
  EXPECT_EQ(stored.at, now_);
  EXPECT_EQ(stored.token, token_);
  EXPECT_EQ(stored.name, "Bob");
  EXPECT_EQ(stored.text, "We are on it");

  const auto outbox = deliveries();
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_EQ(outbox[0].id, stored.delivery);
  EXPECT_EQ(outbox[0].to, store::to_source("x-main"));
  EXPECT_EQ(outbox[0].type, "reply");
  EXPECT_EQ(outbox[0].case_id, first.case_id);
  EXPECT_EQ(outbox[0].body, "reply " + reply.id.str() + " to 1: We are on it");
  EXPECT_EQ(outbox[0].state, DeliveryState::waiting);
  EXPECT_EQ(outbox[0].next_attempt_at, now_);
  EXPECT_TRUE(clock_runs(first)) << "the customer has nothing yet";
}

TEST_F(ReplyTest, AReplyAndItsDeliveryAreStoredBothOrNeither) {
  const auto first = say(post("1"), verdict(30));
  std::promise<store::Committed> done;
  ReplyId id;
  store_->write(
      [&](store::Writer& writer) {
        const auto to = writer.post(first.id).value();
        const auto c = writer.find_case(*first.case_id).value();
        const auto reply = order_reply(writer, *policy_, c, {&to, "We are on it", token_, "Bob"}, now_, effects_);
        id = reply.value().id;
        EXPECT_TRUE(writer.delivery(reply.value().delivery));
        throw std::runtime_error("the case cannot be written");
      },
      [&](store::Committed outcome, const std::string&) { done.set_value(outcome); });
  ASSERT_EQ(done.get_future().get(), store::Committed::failed);
  EXPECT_TRUE(deliveries().empty());
  write([&](store::Writer& writer) { EXPECT_FALSE(writer.reply(id)); });
}

TEST_F(ReplyTest, WhatThePlatformCannotTakeIsSaidAndNothingIsStored) {
  const auto first = say(post("1"), verdict(30));
  Error too_long = make_error(ErrorCode::unprocessable, "the reply is too long");
  too_long.fields.push_back({"/text", "is 300 long, expected at most 280"});
  platforms_->reply_error = too_long;
  const auto refused = answer(first, "Dear Ann …");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unprocessable);
  EXPECT_EQ(refused.error().detail, "the reply is too long");
  ASSERT_EQ(refused.error().fields.size(), 1U);
  EXPECT_EQ(refused.error().fields[0].pointer, "/text");

  policy_->platforms = nullptr;
  const auto nowhere = answer(first, "We are on it");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::unprocessable);

  EXPECT_TRUE(deliveries().empty());
  EXPECT_TRUE(effects_.outbox.empty());
  write([&](store::Writer& writer) { EXPECT_TRUE(writer.replies_of_case(*first.case_id).empty()); });
}

// ---- what became of it ---------------------------------------------------------------------------------------------

TEST_F(ReplyTest, ASentReplyAnswersTheCaseAndStopsItsClock) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  now_ += 5min;
  sent(reply, "2", "https://x.com/acme/status/2");

  const ReplyRecord stored = now_of(reply);
  EXPECT_EQ(stored.state, ReplyState::sent);
  EXPECT_EQ(stored.native_id, "2");
  EXPECT_EQ(stored.url, "https://x.com/acme/status/2");
  EXPECT_EQ(stored.sent_at, now_);
  const auto c = case_of(first);
  EXPECT_EQ(c.state, CaseState::waiting_customer);
  EXPECT_EQ(c.first_response_at, now_);
  EXPECT_FALSE(c.first_response_due);
  EXPECT_EQ(c.posts_since_reply, 0);
  EXPECT_FALSE(clock_runs(first));
  EXPECT_TRUE(effects_.queue);
  const auto event = last_event(first);
  EXPECT_EQ(event.type, "reply.sent");
  EXPECT_EQ(event.actor, "Bob");
}

TEST_F(ReplyTest, ASentReplyStandsInTheThreadAsOurOwnPost) {
  Post one = post("1");
  one.conversation_id = "c";
  const auto first = say(one, verdict(30));
  sent(must_answer(first, "We are on it"), "2", "https://x.com/acme/status/2");
  const auto posts = posts_of(first);
  ASSERT_EQ(posts.size(), 2U);
  const auto& own = posts[1];
  EXPECT_EQ(own.state, PostState::own);
  EXPECT_EQ(own.post.kind, PostKind::reply);
  EXPECT_EQ(own.post.native_id, "2");
  EXPECT_EQ(own.post.text, "We are on it");
  EXPECT_EQ(own.post.url, "https://x.com/acme/status/2");
  EXPECT_EQ(own.post.in_reply_to, "1");
  EXPECT_EQ(own.post.conversation_id, "c");
  EXPECT_EQ(own.post.brand_account, "acme");
  EXPECT_FALSE(own.verdict);
}

TEST_F(ReplyTest, WhatAnswersOurReplyJoinsItsCase) {
  const auto first = say(post("1"), verdict(30));
  sent(must_answer(first, "We are on it"), "2");
  now_ += 30h;  // by time alone it would be another case
  Post thanks = post("3");
  thanks.in_reply_to = "2";
  EXPECT_EQ(say(thanks, verdict(30)).case_id, first.case_id);

  // Also where the platform does not say who wrote.
  now_ += 30h;
  Post nameless = post("4", "");
  nameless.in_reply_to = "2";
  EXPECT_EQ(say(nameless, verdict(30)).case_id, first.case_id);
}

TEST_F(ReplyTest, AReplyToADirectMessageIsOne) {
  Post message = post("1");
  message.kind = PostKind::direct_message;
  const auto first = say(message, verdict(30));
  sent(must_answer(first, "We are on it"), "2");
  EXPECT_EQ(posts_of(first).at(1).post.kind, PostKind::direct_message);
}

TEST_F(ReplyTest, ToBeSentTwiceIsOnce) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  sent(reply, "2", "https://x.com/acme/status/2");
  const auto before = case_of(first);
  const auto told = timeline(first);
  now_ += 5min;
  sent(reply, "2", "https://x.com/acme/status/2");
  sent(reply, "", "");
  EXPECT_EQ(case_of(first).version, before.version);
  EXPECT_EQ(timeline(first), told);
  EXPECT_EQ(own_posts_of(*first.case_id), 1U);
  EXPECT_EQ(now_of(reply).native_id, "2");
  EXPECT_LT(now_of(reply).sent_at.value(), now_);
  EXPECT_FALSE(effects_.queue);
}

TEST_F(ReplyTest, WhatThePlatformTellsLaterIsAddedAndAnswersNothingAgain) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  sent(reply, "");
  EXPECT_EQ(case_of(first).state, CaseState::waiting_customer) << "the platform took it, without an id";
  EXPECT_EQ(own_posts_of(*first.case_id), 0U);
  now_ += 1min;
  say(post("3"), verdict(30));
  sent(reply, "2");
  EXPECT_EQ(own_posts_of(*first.case_id), 1U);
  EXPECT_EQ(case_of(first).state, CaseState::fresh) << "what the customer wrote since is not answered by it";
}

TEST_F(ReplyTest, AReplyOfACaseThatWasResolvedMeanwhileLeavesItResolved) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  write([&](store::Writer& writer) {
    auto c = writer.find_case(*first.case_id).value();
    resolve(c, store::Outcome::resolved_after_care, "", now_);
    writer.update_case(c);
  });
  sent(reply, "2");
  EXPECT_EQ(case_of(first).state, CaseState::resolved);
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
}

TEST_F(ReplyTest, AReplyThatFailedKeepsTheClockRunningAndTheTimelineSaysSo) {
  for (const auto& [state, type] :
       {std::pair{ReplyState::failed, "reply.failed"}, {ReplyState::unknown, "reply.unknown"}}) {
    const auto first = say(post(type, type), verdict(30));
    const ReplyRecord reply = must_answer(first, "We are on it");
    const auto before = case_of(first);
    not_sent(reply, state, "the platform answered 403");
    EXPECT_EQ(now_of(reply).state, state);
    EXPECT_EQ(now_of(reply).error, "the platform answered 403");
    const auto c = case_of(first);
    EXPECT_EQ(c.state, before.state);
    EXPECT_EQ(c.first_response_due, before.first_response_due);
    EXPECT_FALSE(c.first_response_at);
    EXPECT_GT(c.version, before.version) << "who holds the case sees that it changed";
    EXPECT_TRUE(clock_runs(first));
    EXPECT_TRUE(effects_.queue);
    const auto event = last_event(first);
    EXPECT_EQ(event.type, type);
    EXPECT_EQ(nlohmann::json::parse(event.data)["error"], "the platform answered 403");

    not_sent(reply, state, "the platform answered 403");
    EXPECT_EQ(timeline(first), type) << "it is told once";
    EXPECT_EQ(own_posts_of(*first.case_id), 0U);
  }
}

TEST_F(ReplyTest, AReplyThatWillBeTriedAgainSaysWhyItHasNotGoneAndTroublesNobody) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  const auto before = case_of(first);
  not_sent(reply, ReplyState::waiting, "the platform answered 503");
  EXPECT_EQ(now_of(reply).state, ReplyState::waiting);
  EXPECT_EQ(now_of(reply).error, "the platform answered 503");
  EXPECT_EQ(case_of(first).version, before.version);
  EXPECT_EQ(timeline(first), "");
  sent(reply, "2");
  EXPECT_EQ(now_of(reply).error, "");
}

TEST_F(ReplyTest, WhatWasSentIsNotUnsentByAnOlderStory) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  sent(reply, "2");
  not_sent(reply, ReplyState::unknown, "no answer came");
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
  EXPECT_EQ(now_of(reply).error, "");
  EXPECT_EQ(timeline(first), "reply.sent");
}

TEST_F(ReplyTest, ARetriedReplyWaitsAgainAndASentOneDoesNot) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  const auto retry = [&] {
    write([&](store::Writer& writer) { (void)retry_reply(writer, reply.delivery, "ann", now_); });
  };
  not_sent(reply, ReplyState::failed, "the platform answered 403");
  retry();
  EXPECT_EQ(now_of(reply).state, ReplyState::waiting);
  EXPECT_EQ(now_of(reply).error, "");
  EXPECT_EQ(timeline(first), "reply.failed reply.retried");

  not_sent(reply, ReplyState::failed, "the platform answered 403");
  EXPECT_EQ(timeline(first), "reply.failed reply.retried reply.failed") << "it failed again, and is told again";
  retry();
  sent(reply, "2");
  retry();
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
  write([&](store::Writer& writer) {
    EXPECT_TRUE(retry_reply(writer, DeliveryId::make(now_), "ann", now_));
  });  // not a reply's
}

// ---- our own post comes back ---------------------------------------------------------------------------------------

TEST_F(ReplyTest, OurReplyAsThePlatformTellsOfItIsTheSameThingAgain) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  sent(reply, "2");
  const auto before = case_of(first);
  const auto told = timeline(first);
  now_ += 1min;
  EXPECT_EQ(hear_own("2", "We are on it", "1").what, Admitted::What::duplicate);
  EXPECT_EQ(hear_own("2", "We are on it", "1", PostKind::comment).what, Admitted::What::duplicate)
      << "under whatever kind";
  EXPECT_EQ(own_posts_of(*first.case_id), 1U);
  EXPECT_EQ(case_of(first).version, before.version);
  EXPECT_EQ(timeline(first), told);
}

TEST_F(ReplyTest, OurReplyMayComeBackBeforeThePlatformsAnswer) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  leave_delivery(reply, DeliveryState::sending);
  EXPECT_EQ(hear_own("2", "@ann We are on it", "1").case_id, first.case_id);
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
  EXPECT_EQ(now_of(reply).native_id, "2");
  EXPECT_EQ(case_of(first).state, CaseState::waiting_customer);
  const auto before = case_of(first);
  sent(reply, "2");
  EXPECT_EQ(case_of(first).version, before.version);
  EXPECT_EQ(timeline(first), "reply.sent");
  EXPECT_EQ(own_posts_of(*first.case_id), 1U);
}

TEST_F(ReplyTest, AReplyNotKnownToHaveArrivedIsSettledByItsWords) {
  for (const std::string heard : {
           "We are on it, see https://acme.example/help for more",
           "@ann @jo We are on it, see https://t.co/abc for more",
           "  We are\non it,   see https://t.co/abc\tfor more https://t.co/def \n",
       }) {
    const auto first = say(post("1 " + heard, heard), verdict(30));
    const ReplyRecord reply = must_answer(first, "We are on it, see https://acme.example/help for more");
    not_sent(reply, ReplyState::unknown, "no answer came");
    leave_delivery(reply, DeliveryState::dead);
    EXPECT_EQ(hear_own("2 " + heard, heard, "1 " + heard).case_id, first.case_id);
    EXPECT_EQ(now_of(reply).state, ReplyState::sent) << heard;
    EXPECT_EQ(now_of(reply).native_id, "2 " + heard);
    EXPECT_EQ(now_of(reply).error, "");
    EXPECT_EQ(case_of(first).state, CaseState::waiting_customer);
    EXPECT_EQ(timeline(first), "reply.unknown reply.sent") << "not as a reply of the brand beside it";
    EXPECT_EQ(own_posts_of(*first.case_id), 1U);
  }
}

TEST_F(ReplyTest, AnotherPostOfOursSettlesNothing) {
  for (const std::string heard : {"We are on it, @ann", "we are on it", "We are on it now", ""}) {
    const auto first = say(post("1 " + heard, "a" + heard), verdict(30));
    const ReplyRecord reply = must_answer(first, "We are on it");
    not_sent(reply, ReplyState::unknown, "no answer came");
    EXPECT_EQ(hear_own("2 " + heard, heard, "1 " + heard).case_id, first.case_id);
    EXPECT_EQ(now_of(reply).state, ReplyState::unknown) << heard;
    EXPECT_EQ(case_of(first).state, CaseState::waiting_customer) << "the brand has answered all the same";
    EXPECT_EQ(timeline(first), "reply.unknown replied");
  }
}

TEST_F(ReplyTest, AReplyWhoseIdIsKnownIsNotSettledByWords) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord one = must_answer(first, "We are on it"), two = must_answer(first, "We are on it");
  sent(one, "2");
  not_sent(two, ReplyState::unknown, "no answer came");
  hear_own("3", "We are on it", "1");
  EXPECT_EQ(now_of(one).native_id, "2");
  EXPECT_EQ(now_of(two).native_id, "3");
  EXPECT_EQ(now_of(two).state, ReplyState::sent);
}

TEST_F(ReplyTest, TheSameWordsInAnotherCaseSettleNothing) {
  const auto ann = say(post("1", "77"), verdict(30)), bob = say(post("2", "78"), verdict(30));
  const ReplyRecord reply = must_answer(ann, "We are on it");
  not_sent(reply, ReplyState::unknown, "no answer came");
  hear_own("3", "We are on it", "2");
  EXPECT_EQ(now_of(reply).state, ReplyState::unknown);
  EXPECT_EQ(case_of(bob).state, CaseState::waiting_customer);
}

// Nobody would want to send it once more: neither the schedule nor a person.
TEST_F(ReplyTest, WhatIsKnownToHaveArrivedIsNotSentAgain) {
  for (const DeliveryState state : {DeliveryState::waiting, DeliveryState::sending, DeliveryState::dead}) {
    const std::string name(store::to_string(state));
    const auto first = say(post("1 " + name, name), verdict(30));
    const ReplyRecord reply = must_answer(first, "We are on it");
    leave_delivery(reply, state);
    hear_own("2 " + name, "We are on it", "1 " + name);
    write([&](store::Writer& writer) {
      const auto d = writer.delivery(reply.delivery).value();
      EXPECT_EQ(d.state, DeliveryState::delivered) << name;
      EXPECT_EQ(d.done_at, now_);
    });
  }
}

// The platform tells of our reply as of any post, by its id alone, before the call that sent it is answered.
TEST_F(ReplyTest, AReplyWhoseIdIsKnownAlreadyAsAPostToBeFetchedIsThatPost) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  Event early = known_by_id("2", "");
  early.post.kind = PostKind::reply;
  const auto waiting = admit_event(early, std::nullopt);
  sent(reply, "2");
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
  EXPECT_EQ(post_of(waiting.id).state, PostState::own);
  EXPECT_EQ(post_of(waiting.id).case_id, first.case_id);
  EXPECT_EQ(post_of(waiting.id).post.text, "We are on it");
  EXPECT_EQ(own_posts_of(*first.case_id), 1U);
}

TEST_F(ReplyTest, AReplyThatWasDeletedBeforeItsCallWasAnsweredIsSent) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  Event deletion;
  deletion.kind = EventKind::deletion;
  deletion.post = post("2");
  deletion.post.kind = PostKind::reply;
  admit_event(deletion, std::nullopt);
  sent(reply, "2");
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
  EXPECT_EQ(own_posts_of(*first.case_id), 0U);
}

// ---- posts that are known by their id ------------------------------------------------------------------------------

TEST_F(ReplyTest, APostKnownByItsIdIsFetchedWhereThePlatformCan) {
  const auto waiting = admit_event(known_by_id("1"), std::nullopt);
  EXPECT_FALSE(waiting.case_id);
  EXPECT_EQ(effects_.outbox, std::vector{store::to_source("x-main")});
  const auto outbox = deliveries();
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_EQ(outbox[0].to, store::to_source("x-main"));
  EXPECT_EQ(outbox[0].type, "fetch");
  EXPECT_EQ(outbox[0].body, "fetch 1 " + waiting.id.str());

  EXPECT_EQ(admit_event(known_by_id("1"), std::nullopt).what, Admitted::What::duplicate);
  EXPECT_EQ(deliveries().size(), 1U) << "it is fetched once";
}

TEST_F(ReplyTest, AnUrgentPostIsEscalatedWhenItsTextHasCome) {
  const auto waiting = admit_event(known_by_id("1"), std::nullopt);
  const auto fetched = say(post("1"), verdict(90));
  EXPECT_EQ(fetched.id, waiting.id);
  EXPECT_EQ(case_of(fetched).priority, Priority::critical);
  EXPECT_EQ(escalations_of(*fetched.case_id).size(), 1U);
}

TEST_F(ReplyTest, APostThatCannotBeFetchedIsShownToAgentsWithTheReason) {
  platforms_->fetch_error = make_error(ErrorCode::unprocessable, "the access token is missing");
  const auto shown = admit_event(known_by_id("1"), std::nullopt);
  ASSERT_TRUE(shown.case_id);
  const auto c = case_of(shown);
  EXPECT_EQ(c.state, CaseState::fresh);
  EXPECT_EQ(c.priority, Priority::normal);
  EXPECT_EQ(c.team, "care");
  EXPECT_TRUE(clock_runs(shown));
  EXPECT_TRUE(effects_.queue);
  EXPECT_TRUE(deliveries().empty());
  const auto record = post_of(shown.id);
  EXPECT_EQ(record.state, PostState::pending) << "its text may still come";
  ASSERT_TRUE(record.verdict);
  EXPECT_NE(record.verdict->reasons.at(0).cue.find("the access token is missing"), std::string::npos);
}

TEST_F(ReplyTest, APostIsShownOnceHoweverOftenItsTextCannotBeHad) {
  const auto waiting = admit_event(known_by_id("1"), std::nullopt);
  const auto show = [&] {
    write([&](store::Writer& writer) {
      effects_ = {};
      show_unread(writer, *policy_, waiting.id, "the platform answered 403", now_, effects_);
    });
  };
  show();
  const auto first = post_of(waiting.id).case_id;
  ASSERT_TRUE(first);
  EXPECT_TRUE(effects_.queue);
  show();
  EXPECT_EQ(post_of(waiting.id).case_id, first);
  EXPECT_FALSE(effects_.queue);

  // Nothing else is shown so.
  const auto judged = say(post("2", "78"), verdict(30));
  const auto version = case_of(judged).version;
  write([&](store::Writer& writer) { show_unread(writer, *policy_, judged.id, "no", now_, effects_); });
  EXPECT_EQ(case_of(judged).version, version);
}

TEST_F(ReplyTest, ATextThatComesLateIsJudgedOnTheCaseWhereItsPostWasShown) {
  platforms_->fetch_error = make_error(ErrorCode::unprocessable, "no");
  const auto shown = admit_event(known_by_id("1"), std::nullopt);
  const auto fetched = say(post("1"), verdict(90));
  EXPECT_EQ(fetched.what, Admitted::What::accepted);
  EXPECT_EQ(fetched.id, shown.id);
  EXPECT_EQ(fetched.case_id, shown.case_id);
  EXPECT_EQ(case_of(shown).priority, Priority::critical);
  EXPECT_EQ(escalations_of(*shown.case_id).size(), 1U) << "it was urgent all the time";
  EXPECT_EQ(post_of(shown.id).state, PostState::judged);
  EXPECT_EQ(post_of(shown.id).post.text, "stuck at the gate");
  EXPECT_NE(timeline(shown).find("post.fetched"), std::string::npos) << timeline(shown);
}

TEST_F(ReplyTest, ALateTextThatAsksNothingClosesTheCaseThatNobodyHolds) {
  platforms_->fetch_error = make_error(ErrorCode::unprocessable, "no");
  const auto shown = admit_event(known_by_id("1"), std::nullopt);
  say(post("1"), verdict(5, false));
  EXPECT_EQ(case_of(shown).state, CaseState::closed);
  EXPECT_FALSE(clock_runs(shown));
}

TEST_F(ReplyTest, TheCustomerOfALateTextIsTheCustomerOfItsCase) {
  platforms_->fetch_error = make_error(ErrorCode::unprocessable, "no");
  const auto shown = admit_event(known_by_id("1", ""), std::nullopt);
  EXPECT_FALSE(case_of(shown).author);
  say(post("1", "77"), verdict(30));
  EXPECT_TRUE(case_of(shown).author);
  now_ += 1h;
  EXPECT_EQ(say(post("2", "77"), verdict(30)).case_id, shown.case_id);
}

TEST_F(ReplyTest, APostThatNobodyHasReadKeepsItsCaseOpenWhateverBecomesOfTheOthers) {
  for (const bool deleted : {false, true}) {
    const std::string name = deleted ? "deleted" : "edited";
    platforms_->fetch_error = make_error(ErrorCode::unprocessable, "no");
    const auto first = say(post("1 " + name, name), verdict(30));
    ASSERT_EQ(admit_event(known_by_id("2 " + name, name), std::nullopt).case_id, first.case_id);
    if (deleted) {
      Event deletion;
      deletion.kind = EventKind::deletion;
      deletion.post = post("1 " + name);
      admit_event(deletion, std::nullopt);
    } else {
      Post edited = post("1 " + name, name);
      edited.revision = 1;
      say(edited, verdict(5, false));
    }
    EXPECT_EQ(case_of(first).state, CaseState::fresh) << name;
    EXPECT_EQ(case_of(first).priority, Priority::normal) << name;
    EXPECT_TRUE(clock_runs(first)) << name;
  }
}

TEST_F(ReplyTest, APostThatIsToldByItsIdAgainIsFetchedAgainAndKeepsItsText) {
  const auto first = say(post("1"), verdict(60));
  Event edited = known_by_id("1");
  edited.post.revision = 7;
  EXPECT_EQ(admit_event(edited, std::nullopt).case_id, first.case_id);
  EXPECT_EQ(post_of(first.id).post.text, "stuck at the gate") << "until the new one is there";
  EXPECT_EQ(post_of(first.id).state, PostState::judged);
  EXPECT_EQ(effects_.outbox, std::vector{store::to_source("x-main")});
  Post fetched = post("1");
  fetched.revision = 7;
  fetched.text = "thanks, it moves";
  EXPECT_EQ(say(fetched, verdict(5, false)).what, Admitted::What::accepted);
  EXPECT_EQ(post_of(first.id).post.text, "thanks, it moves");
}

TEST_F(ReplyTest, AFetchedPostThatTurnsOutToBeOursAnswersItsCase) {
  const auto first = say(post("1"), verdict(30));
  Event pending = known_by_id("2", "");
  pending.post.in_reply_to = "1";
  const auto waiting = admit_event(pending, std::nullopt);
  const auto own = hear_own("2", "We are on it", "1", PostKind::mention);
  EXPECT_EQ(own.id, waiting.id);
  EXPECT_EQ(own.case_id, first.case_id);
  EXPECT_EQ(post_of(waiting.id).state, PostState::own);
  EXPECT_EQ(case_of(first).state, CaseState::waiting_customer);
  EXPECT_FALSE(clock_runs(first));
  EXPECT_EQ(timeline(first), "replied");
  EXPECT_EQ(hear_own("2", "We are on it", "1", PostKind::mention).what, Admitted::What::duplicate);
  EXPECT_EQ(timeline(first), "replied");
}

TEST_F(ReplyTest, AFetchedPostThatTurnsOutToBeOurReplySettlesIt) {
  const auto first = say(post("1"), verdict(30));
  const ReplyRecord reply = must_answer(first, "We are on it");
  not_sent(reply, ReplyState::unknown, "no answer came");
  admit_event(known_by_id("2", ""), std::nullopt);
  hear_own("2", "@ann We are on it", "1", PostKind::mention);
  EXPECT_EQ(now_of(reply).state, ReplyState::sent);
  EXPECT_EQ(now_of(reply).native_id, "2");
  EXPECT_EQ(timeline(first), "reply.unknown reply.sent");
  EXPECT_EQ(own_posts_of(*first.case_id), 1U);
}

TEST_F(ReplyTest, APostOfOursThatWasShownAsUnreadLeavesNoCaseToWorkOn) {
  const auto first = say(post("1"), verdict(30));
  platforms_->fetch_error = make_error(ErrorCode::unprocessable, "no");
  const auto shown = admit_event(known_by_id("2", ""), std::nullopt);
  ASSERT_TRUE(shown.case_id);
  ASSERT_NE(shown.case_id, first.case_id);
  EXPECT_EQ(hear_own("2", "We are on it", "1", PostKind::mention).case_id, first.case_id);
  EXPECT_EQ(case_of(shown).state, CaseState::closed);
  EXPECT_FALSE(clock_runs(shown));
  EXPECT_EQ(case_of(first).state, CaseState::waiting_customer);
}

TEST_F(ReplyTest, OurReplyToldByItsIdAloneIsNeitherFetchedNorShown) {
  const auto first = say(post("1"), verdict(30));
  sent(must_answer(first, "We are on it"), "2");
  const auto outbox = deliveries().size();
  EXPECT_EQ(admit_event(known_by_id("2", ""), std::nullopt).what, Admitted::What::duplicate);
  EXPECT_EQ(deliveries().size(), outbox);
  platforms_->fetch_error = make_error(ErrorCode::unprocessable, "no");
  EXPECT_EQ(admit_event(known_by_id("2", ""), std::nullopt).case_id, first.case_id);
}

}  // namespace
}  // namespace triage::desk
