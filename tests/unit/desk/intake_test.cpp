// What becomes of a post: the case it opens, joins or reopens, and what an edit, a deletion or a reply changes.
#include "unit/desk/desk_fixture.h"
#include "unit/desk/fake_platforms.h"

namespace triage::desk {
namespace {

using namespace std::chrono_literals;
using store::CaseState;

TEST_F(DeskTest, AnActionablePostOpensANewCaseForTheDefaultTeamWithItsClockRunning) {
  const auto admitted = say(post("1"), verdict(30));
  const auto c = case_of(admitted);
  EXPECT_EQ(c.state, CaseState::fresh);
  EXPECT_EQ(c.team, "care");
  EXPECT_EQ(c.first_response_due, now_ + 4h);
  EXPECT_TRUE(effects_.queue);
  EXPECT_EQ(effects_.due, now_ + 4h);
}

TEST_F(DeskTest, ACaseOfNothingActionableStartsClosedAndCallsNobody) {
  const auto c = case_of(say(post("1"), verdict(10, false)));
  EXPECT_EQ(c.state, CaseState::closed);
  EXPECT_FALSE(c.first_response_due);
  EXPECT_TRUE(deliveries().empty());
}

TEST_F(DeskTest, TheSamePostTwiceIsADuplicateOfTheFirst) {
  const auto first = say(post("1"), verdict(60));
  const auto again = say(post("1"), verdict(60));
  EXPECT_EQ(again.what, Admitted::What::duplicate);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.case_id, first.case_id);
  EXPECT_EQ(deliveries().size(), 1U);
}

TEST_F(DeskTest, AFurtherPostOfTheAuthorJoinsTheOpenCase) {
  const auto first = say(post("1"), verdict(30));
  now_ += 3h;
  EXPECT_EQ(say(post("2"), verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, AfterJoinWithinAnotherCaseIsOpenedUnlessTheConversationIsTheSame) {
  Post one = post("1");
  one.conversation_id = "c";
  const auto first = say(one, verdict(30));
  now_ += 25h;
  Post other = post("2");
  const auto second = say(other, verdict(30));
  EXPECT_NE(second.case_id, first.case_id);
  Post same = post("3");
  same.conversation_id = "c";
  EXPECT_EQ(say(same, verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, AReplyToTheAuthorsOwnPostJoinsItsCase) {
  const auto first = say(post("1"), verdict(30));
  now_ += 30h;
  Post reply = post("2");
  reply.in_reply_to = "1";
  EXPECT_EQ(say(reply, verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, WithoutAnAuthorTheConversationDecides) {
  Post one = post("1", "");
  one.conversation_id = "c";
  const auto first = say(one, verdict(30));
  Post two = post("2", "");
  two.conversation_id = "c";
  EXPECT_EQ(say(two, verdict(30)).case_id, first.case_id);
  EXPECT_NE(say(post("3", ""), verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, AnotherBrandAccountOrPlatformIsAnotherCase) {
  const auto first = say(post("1"), verdict(30));
  Post other = post("2");
  other.brand_account = "acme-cargo";
  EXPECT_NE(say(other, verdict(30)).case_id, first.case_id);
  Post elsewhere = post("3");
  elsewhere.platform = "facebook";
  EXPECT_NE(say(elsewhere, verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, AStrangerInTheSameConversationGetsACaseOfTheirOwn) {
  Post one = post("1");
  one.conversation_id = "c";
  const auto first = say(one, verdict(30));
  Post stranger = post("2", "88");
  stranger.conversation_id = "c";
  EXPECT_NE(say(stranger, verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, TheCaseTakesTheMostUrgentVerdictUntilTheBrandReplies) {
  const auto first = say(post("1"), verdict(90));
  say(post("2"), verdict(10, false));
  EXPECT_EQ(case_of(first).priority, Priority::critical);

  Event reply;
  reply.kind = EventKind::own_post;
  reply.post = post("3", "acme");
  reply.post.in_reply_to = "1";
  EXPECT_EQ(admit_event(reply, std::nullopt).case_id, first.case_id);
  auto c = case_of(first);
  EXPECT_EQ(c.state, CaseState::waiting_customer);
  EXPECT_EQ(c.first_response_at, now_);
  EXPECT_FALSE(c.first_response_due);

  now_ += 5min;
  say(post("4"), verdict(30));
  c = case_of(first);
  EXPECT_EQ(c.state, CaseState::fresh);
  EXPECT_EQ(c.priority, Priority::normal);
}

TEST_F(DeskTest, OurAnswerInAConversationOfManyGoesToTheCustomerThatItNames) {
  Post anns = post("1", "77"), bobs = post("2", "78");
  anns.conversation_id = bobs.conversation_id = "under one post";
  const auto ann = say(anns, verdict(60));
  const auto bob = say(bobs, verdict(60));
  ASSERT_NE(ann.case_id, bob.case_id);

  Event reply;
  reply.kind = EventKind::own_post;
  reply.post = post("3", "acme");
  reply.post.conversation_id = "under one post";
  reply.post.in_reply_to = "1";
  EXPECT_EQ(admit_event(reply, std::nullopt).case_id, ann.case_id);
  EXPECT_EQ(case_of(ann).state, CaseState::waiting_customer);
  EXPECT_EQ(case_of(bob).state, CaseState::fresh) << "nobody has answered bob";
}

TEST_F(DeskTest, AnActionablePostOpensACaseThatWasClosedForWantOfOne) {
  const auto first = say(post("1"), verdict(5, false));
  const auto second = say(post("2"), verdict(60));
  EXPECT_EQ(second.case_id, first.case_id);
  const auto c = case_of(first);
  EXPECT_EQ(c.state, CaseState::fresh);
  EXPECT_EQ(c.priority, Priority::high);
}

TEST_F(DeskTest, WithinReopenWithinAComplaintReopensAndAThankYouDoesNot) {
  const auto first = say(post("1"), verdict(30));
  write([&](store::Writer& writer) {
    auto c = writer.find_case(*first.case_id).value();
    resolve(c, store::Outcome::resolved_after_care, "", now_);
    writer.update_case(c);
  });
  now_ += 10h;
  EXPECT_EQ(say(post("2"), verdict(5, false)).case_id, first.case_id);
  EXPECT_EQ(case_of(first).state, CaseState::resolved);
  now_ += 10h;
  EXPECT_EQ(say(post("3"), verdict(30)).case_id, first.case_id);
  const auto c = case_of(first);
  EXPECT_EQ(c.state, CaseState::fresh);
  EXPECT_EQ(c.reopened, 1);
  EXPECT_FALSE(c.outcome);
}

TEST_F(DeskTest, AfterReopenWithinAnotherCaseIsOpened) {
  const auto first = say(post("1"), verdict(30));
  write([&](store::Writer& writer) {
    auto c = writer.find_case(*first.case_id).value();
    resolve(c, store::Outcome::resolved_after_care, "", now_);
    writer.update_case(c);
  });
  now_ += 73h;
  EXPECT_NE(say(post("2"), verdict(30)).case_id, first.case_id);
}

TEST_F(DeskTest, ANewerRevisionEditsThePostAndAnOlderOneIsIgnored) {
  Post original = post("1");
  original.revision = 2;
  const auto first = say(original, verdict(10, false));
  Post older = post("1");
  older.revision = 1;
  EXPECT_EQ(say(older, verdict(90)).what, Admitted::What::duplicate);
  Post newer = post("1");
  newer.revision = 3;
  newer.text = "smoke in the cabin";
  const auto edited = say(newer, verdict(90));
  EXPECT_EQ(edited.what, Admitted::What::accepted);
  EXPECT_EQ(edited.id, first.id);
  const auto c = case_of(first);
  EXPECT_EQ(c.priority, Priority::critical);
  EXPECT_EQ(c.state, CaseState::fresh);
  EXPECT_EQ(deliveries().size(), 1U) << "the edit made it urgent: operations are called";
}

TEST_F(DeskTest, ADeletionLeavesATombstoneEvenWhenItComesFirst) {
  Event deletion;
  deletion.kind = EventKind::deletion;
  deletion.post = post("1");
  admit_event(deletion, std::nullopt);
  const auto late = say(post("1"), verdict(90));
  EXPECT_EQ(late.what, Admitted::What::duplicate);
  EXPECT_FALSE(late.case_id);
  EXPECT_TRUE(deliveries().empty());
}

TEST_F(DeskTest, DeletingTheOnlyPostClosesTheCaseAndEndsItsEscalation) {
  const auto first = say(post("1"), verdict(90));
  Event deletion;
  deletion.kind = EventKind::deletion;
  deletion.kind_known = false;
  deletion.post = post("1");
  admit_event(deletion, std::nullopt);
  EXPECT_EQ(case_of(first).state, CaseState::closed);
  EXPECT_EQ(escalations_of(*first.case_id).at(0).state, store::EscalationState::ended);
  EXPECT_EQ(deliveries(store::DeliveryState::cancelled).size(), 1U);
  write([&](store::Writer& writer) { EXPECT_EQ(writer.post(first.id)->post.text, ""); });
}

TEST_F(DeskTest, APendingPostIsJudgedWhenItsTextHasCome) {
  policy_->platforms = std::make_shared<FakePlatforms>();
  Event pending;
  pending.kind = EventKind::pending;
  pending.post = post("1");
  pending.post.text.clear();
  const auto waiting = admit_event(pending, std::nullopt);
  EXPECT_FALSE(waiting.case_id);
  const auto fetched = say(post("1"), verdict(60));
  EXPECT_EQ(fetched.id, waiting.id);
  ASSERT_TRUE(fetched.case_id);
  EXPECT_EQ(case_of(fetched).priority, Priority::high);
}

TEST_F(DeskTest, APendingPostIsShownAtOnceWhereNothingCanFetchIt) {
  Event pending;
  pending.kind = EventKind::pending;
  pending.post = post("1");
  pending.post.text.clear();
  const auto shown = admit_event(pending, std::nullopt);
  EXPECT_EQ(shown.what, Admitted::What::accepted);
  ASSERT_TRUE(shown.case_id);
  EXPECT_EQ(shown.priority, Priority::normal);
  EXPECT_EQ(case_of(shown).state, CaseState::fresh);
  EXPECT_TRUE(deliveries().empty());
}

TEST_F(DeskTest, AShareIsStoredOnceAndOpensNothing) {
  Event share;
  share.kind = EventKind::share;
  share.post = post("9");
  share.shared_native = "1";
  EXPECT_FALSE(admit_event(share, std::nullopt).case_id);
  EXPECT_EQ(admit_event(share, std::nullopt).what, Admitted::What::duplicate);
}

TEST_F(DeskTest, ACustomerWhoWasFailedBeforeIsMoreUrgentAndTheReasonSaysSo) {
  const auto first = say(post("1"), verdict(30));
  write([&](store::Writer& writer) {
    auto c = writer.find_case(*first.case_id).value();
    resolve(c, store::Outcome::unresolved, "", now_);
    writer.update_case(c);
  });
  now_ += 100h;
  const auto second = say(post("2"), verdict(30));
  EXPECT_GT(case_of(second).urgency, 30);
}

TEST_F(DeskTest, AResponseClockThatRanOutRaisesTheCaseOneBand) {
  const auto first = say(post("1"), verdict(30));
  now_ += 4h;
  run_clock();
  const auto c = case_of(first);
  EXPECT_TRUE(c.overdue);
  EXPECT_EQ(c.priority, Priority::normal);
  EXPECT_EQ(store::queue_band(c), Priority::high);
}

TEST_F(DeskTest, AnOldPostsClockHasRunOutOnArrival) {
  Post old = post("1");
  old.created_at = now_ - 5h;
  EXPECT_TRUE(case_of(say(old, verdict(30))).overdue);
}

TEST_F(DeskTest, APostFromTheFutureRunsItsClockFromArrival) {
  Post early = post("1");
  early.created_at = now_ + 5h;
  EXPECT_EQ(case_of(say(early, verdict(30))).first_response_due, now_ + 4h);
}

TEST_F(DeskTest, ACrowdAtTheSamePlaceMakesEachPostMoreUrgent) {
  route::Plan wanted = plan();
  wanted.sites.push_back({"LHR", {"heathrow"}, std::nullopt, std::nullopt, 0});
  set_plan(std::move(wanted));
  const auto at_heathrow = [&](const std::string& author) {
    Post p = post("native-" + author, author);
    p.text = "stuck at heathrow";
    return p;
  };
  const auto crowd_in = [&](const Admitted& admitted) {
    const store::CaseRecord c = case_of(admitted);
    std::string cue;
    write([&](store::Writer& writer) {
      const auto posts = writer.posts_of_case(c.id);
      for (const Reason& reason : posts.at(0).verdict->reasons) {
        if (reason.cue.find("LHR") != std::string::npos) cue = reason.cue;
      }
    });
    return std::pair{c.urgency, cue};
  };
  EXPECT_EQ(crowd_in(say(at_heathrow("1"), verdict(60))), std::pair(60.0, std::string()));
  const auto [second, cue] = crowd_in(say(at_heathrow("2"), verdict(60)));
  EXPECT_DOUBLE_EQ(second, 60 + policy_->factors.crowd / 5);
  EXPECT_EQ(cue, "1 other customer at LHR in the same trouble");
  for (int i = 3; i < 9; ++i) say(at_heathrow(std::to_string(i)), verdict(60));
  EXPECT_DOUBLE_EQ(crowd_in(say(at_heathrow("9"), verdict(60))).first, 60 + policy_->factors.crowd);

  Verdict other_topic = verdict(60);
  other_topic.topic = Topic::billing;
  EXPECT_EQ(crowd_in(say(at_heathrow("10"), other_topic)).second, "");
  EXPECT_EQ(crowd_in(say(post("elsewhere", "11"), verdict(60))).second, "") << "another place";
  EXPECT_EQ(crowd_in(say(at_heathrow("12"), verdict(30))).second, "") << "not in the moment";
  now_ += std::chrono::minutes(40);
  EXPECT_EQ(crowd_in(say(at_heathrow("13"), verdict(60))).second, "") << "that was long ago";
}

}  // namespace
}  // namespace triage::desk
