// Customers and their cases; notes and events.
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

class CasesTest : public StoreTest {};

TEST_F(CasesTest, ACaseComesBackAsItWasGiven) {
  CaseRecord given = sample_case();
  given.state = CaseState::claimed;
  given.claim = Claim{TokenId::make(kNow), "Ann \"A\"", after(std::chrono::minutes(5))};
  given.author = AuthorId::make(kNow);
  given.site = "LHR-T5";
  given.overdue = true;
  given.first_response_at = after(std::chrono::minutes(1));
  given.resolved_at = after(std::chrono::minutes(2));
  given.outcome = Outcome::resolved_in_moment;
  given.resolution_note = "second desk opened";
  given.reopened = 2;
  must_write(*store_, [&](Writer& w) { w.insert_case(given); });
  reopen();
  const auto got = ask([&](Reader& r) { return r.find_case(given.id); });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->id, given.id);
  EXPECT_EQ(got->version, 1);
  EXPECT_EQ(got->state, given.state);
  EXPECT_EQ(got->team, given.team);
  EXPECT_EQ(got->claim->token, given.claim->token);
  EXPECT_EQ(got->claim->name, given.claim->name);
  EXPECT_EQ(got->claim->until, given.claim->until);
  EXPECT_EQ(got->platform, given.platform);
  EXPECT_EQ(got->brand_account, given.brand_account);
  EXPECT_EQ(got->author, given.author);
  EXPECT_EQ(got->moment, given.moment);
  EXPECT_EQ(got->priority, given.priority);
  EXPECT_EQ(got->urgency, given.urgency);
  EXPECT_EQ(got->intent, given.intent);
  EXPECT_EQ(got->topic, given.topic);
  EXPECT_EQ(got->language, given.language);
  EXPECT_EQ(got->site, given.site);
  EXPECT_EQ(got->actionable, given.actionable);
  EXPECT_EQ(got->overdue, given.overdue);
  EXPECT_EQ(got->opened_at, given.opened_at);
  EXPECT_EQ(got->updated_at, given.updated_at);
  EXPECT_EQ(got->last_post_at, given.last_post_at);
  EXPECT_EQ(got->newest_post, given.newest_post);
  EXPECT_EQ(got->posts_since_reply, given.posts_since_reply);
  EXPECT_EQ(got->waiting_since, given.waiting_since);
  EXPECT_EQ(got->first_response_due, given.first_response_due);
  EXPECT_EQ(got->first_response_at, given.first_response_at);
  EXPECT_EQ(got->resolved_at, given.resolved_at);
  EXPECT_EQ(got->outcome, given.outcome);
  EXPECT_EQ(got->resolution_note, given.resolution_note);
  EXPECT_EQ(got->reopened, given.reopened);
  EXPECT_EQ(got->decision.path, given.decision.path);
  EXPECT_EQ(got->decision.team, given.decision.team);
  EXPECT_EQ(got->decision.ladder, given.decision.ladder);
  ASSERT_EQ(got->decision.rungs.size(), 2U);
  EXPECT_EQ(got->decision.rungs[1].after, std::chrono::minutes(10));
  EXPECT_EQ(got->decision.rungs[1].team, "duty-manager");
  EXPECT_EQ(got->decision.site->site, "LHR-T5");
  EXPECT_EQ(got->decision.site->cue, given.decision.site->cue);
  EXPECT_EQ(got->decision.why, given.decision.why);
  EXPECT_EQ(got->decision.first_response, given.decision.first_response);
  EXPECT_EQ(got->decision.first_response_rule, given.decision.first_response_rule);
}

TEST_F(CasesTest, AChangeRaisesTheVersionAndAStaleOneIsRefused) {
  CaseRecord c = sample_case();
  must_write(*store_, [&](Writer& w) { w.insert_case(c); });
  CaseRecord stale = c;
  must_write(*store_, [&](Writer& w) {
    auto mine = *w.find_case(c.id);
    mine.state = CaseState::resolved;
    mine.outcome = Outcome::no_action;
    mine.decision = {};
    w.update_case(mine);
    EXPECT_EQ(mine.version, 2);
    mine.resolution_note = "spam";
    w.update_case(mine);
  });
  const auto got = ask([&](Reader& r) { return r.find_case(c.id); });
  EXPECT_EQ(got->version, 3);
  EXPECT_EQ(got->state, CaseState::resolved);
  EXPECT_EQ(got->outcome, Outcome::no_action);
  EXPECT_EQ(got->resolution_note, "spam");
  EXPECT_TRUE(got->decision.path.empty());
  EXPECT_FALSE(got->decision.site);
  EXPECT_EQ(commit(*store_, [&](Writer& w) { w.update_case(stale); }).outcome, Committed::failed);
}

TEST_F(CasesTest, ACustomersCasesComeWithTheLatestPostFirst) {
  const AuthorId ann = AuthorId::make(kNow);
  std::vector<CaseId> ids;
  must_write(*store_, [&](Writer& w) {
    for (const int minute : {1, 9, 5, 7}) {
      CaseRecord c = sample_case(after(std::chrono::minutes(minute)));
      c.author = ann;
      if (minute == 7) c.brand_account = "other";
      if (minute == 5) c.state = CaseState::closed;
      w.insert_case(c);
      ids.push_back(c.id);
    }
    CaseRecord other = sample_case();
    other.author = AuthorId::make(kNow);
    w.insert_case(other);
  });
  const auto found = ask([&](Reader& r) { return r.cases_of_author(ann, "x", "acme", 2); });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, ids[1]);
  EXPECT_EQ(found[1].id, ids[2]);
  const auto all = ask([&](Reader& r) { return r.history(ann, 10); });
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].id, ids[1]);
  EXPECT_EQ(all[1].id, ids[3]);
  EXPECT_EQ(all[3].id, ids[0]);
  // A new post moves its case to the front.
  must_write(*store_, [&](Writer& w) {
    auto c = *w.find_case(ids[0]);
    c.last_post_at = after(std::chrono::hours(1));
    w.update_case(c);
  });
  EXPECT_EQ(ask([&](Reader& r) { return r.cases_of_author(ann, "x", "acme", 1); })[0].id, ids[0]);
}

TEST_F(CasesTest, ACrowdIsTheOtherCustomersInTheMomentAtThatPlaceAboutThatTopicAtThatTime) {
  const AuthorId ann = AuthorId::make(kNow);
  must_write(*store_, [&](Writer& w) {
    const auto put = [&](const std::function<void(CaseRecord&)>& change) {
      CaseRecord c = sample_case(kNow);
      c.author = AuthorId::make(kNow);
      c.site = "LHR";
      c.topic = Topic::queue;
      c.moment = Moment::in_the_moment;
      c.last_post_at = kNow;
      change(c);
      w.insert_case(c);
    };
    put([](CaseRecord&) {});
    put([](CaseRecord& c) { c.author = std::nullopt; });
    put([&](CaseRecord& c) { c.author = ann; });
    put([](CaseRecord& c) { c.site = "LGW"; });
    put([](CaseRecord& c) { c.site = std::nullopt; });
    put([](CaseRecord& c) { c.topic = Topic::delay; });
    put([](CaseRecord& c) { c.moment = Moment::after_the_fact; });
    put([](CaseRecord& c) { c.last_post_at = after(std::chrono::hours(2)); });
  });
  const auto crowd = [&](const std::optional<AuthorId>& author, int most) {
    return ask([&](Reader& r) {
      return r.crowd("LHR", Topic::queue, author, kNow - std::chrono::minutes(15), after(std::chrono::minutes(15)),
                     most);
    });
  };
  EXPECT_EQ(crowd(ann, 100), 2);
  EXPECT_EQ(crowd(AuthorId::make(kNow), 100), 3);
  EXPECT_EQ(crowd(ann, 1), 1);
}

TEST_F(CasesTest, ACustomerIsOneRowAPlatformAndIsBroughtUpToDate) {
  AuthorRecord first, again, elsewhere, by_handle, folded, nobody, nobody_else;
  must_write(*store_, [&](Writer& w) {
    first = w.upsert_author("x", {"77", "ann", "Ann", 10, false}, kNow);
    w.count_case_of_author(first.id);
    again = w.upsert_author("x", {"77", "ann_new", "", 20, {}}, after(std::chrono::hours(1)));
    elsewhere = w.upsert_author("facebook", {"77", "ann", "Ann", {}, {}}, kNow);
    by_handle = w.upsert_author("x", {"", "Bob", "", {}, {}}, kNow);
    folded = w.upsert_author("x", {"", "bOB", "", {}, {}}, kNow);
    nobody = w.upsert_author("x", {}, kNow);
    nobody_else = w.upsert_author("x", {}, kNow);
  });
  EXPECT_TRUE(first.is_new);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.cases, 1);
  EXPECT_EQ(again.first_seen, kNow);
  EXPECT_NE(elsewhere.id, first.id);
  EXPECT_EQ(folded.id, by_handle.id) << "handles are the same in upper and lower case";
  EXPECT_NE(nobody.id, nobody_else.id) << "two of whom nothing is known are not one";
  const auto got = ask([&](Reader& r) { return r.author(first.id); });
  EXPECT_EQ(got->author.native_id, "77");
  EXPECT_EQ(got->author.handle, "ann_new");
  EXPECT_EQ(got->author.name, "Ann");
  EXPECT_EQ(got->author.followers, 20);
  EXPECT_EQ(got->author.verified, false);
  EXPECT_EQ(got->platform, "x");
  EXPECT_FALSE(ask([](Reader& r) { return r.author(AuthorId::make(kNow)); }));
}

TEST_F(CasesTest, NotesAndEventsComeOldestFirstAndEventsAscendOverAllCases) {
  const CaseId a = CaseId::make(kNow), b = CaseId::make(kNow);
  const TokenId token = TokenId::make(kNow);
  must_write(*store_, [&](Writer& w) {
    w.insert_event({0, a, kNow, "opened", "system", "{}"});
    w.insert_event({0, b, kNow, "opened", "system", "{}"});
    w.insert_event({0, a, after(std::chrono::seconds(1)), "claimed", "Ann", R"({"until":1})"});
    w.insert_note({NoteId::make(kNow), a, kNow, token, "Ann", "called back"});
    w.insert_note({NoteId::make(kNow), a, after(std::chrono::seconds(2)), token, "Ann", "no answer"});
  });
  const auto events = ask([&](Reader& r) { return r.events(a); });
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].type, "opened");
  EXPECT_EQ(events[1].type, "claimed");
  EXPECT_EQ(events[1].actor, "Ann");
  EXPECT_EQ(events[1].data, R"({"until":1})");
  EXPECT_EQ(events[1].at, after(std::chrono::seconds(1)));
  const auto of_b = ask([&](Reader& r) { return r.events(b); });
  ASSERT_EQ(of_b.size(), 1U);
  EXPECT_LT(events[0].seq, of_b[0].seq);
  EXPECT_LT(of_b[0].seq, events[1].seq);
  const auto notes = ask([&](Reader& r) { return r.notes(a); });
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].text, "called back");
  EXPECT_EQ(notes[0].token, token);
  EXPECT_EQ(notes[1].text, "no answer");
}

}  // namespace
}  // namespace triage::store::testing
