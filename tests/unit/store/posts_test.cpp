// Posts as they were given; tombstones, edits, shares, conversations.
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

class PostsTest : public StoreTest {
 protected:
  std::optional<PostKey> find(const std::string& native_id, PostKind kind = PostKind::mention) {
    return ask([&](Reader& r) { return r.find_post("x-main", "x", kind, native_id); });
  }
  std::optional<CaseId> conversation(const std::string& conversation_id, const std::string& in_reply_to,
                                     const std::optional<AuthorId>& author = std::nullopt) {
    return ask([&](Reader& r) { return r.case_of_conversation("x", "acme", conversation_id, in_reply_to, author); });
  }
};

TEST_F(PostsTest, APostComesBackAsItWasGiven) {
  PostRecord given = sample_post("1803");
  Post& p = given.post;
  p.author = Author{"77", "ann", "Ann", 1200, false};
  p.url = "https://x.com/ann/status/1803";
  p.language = "en";
  p.in_reply_to = "1802";
  p.conversation_id = "1800";
  p.geo = Geo{51.47, -0.45, "LHR T5"};
  p.media = {{"photo", "https://x/1.jpg"}, {"video", "https://x/\"2\".mp4"}};
  p.rating = 2;
  p.revision = 3;
  must_write(*store_, [&](Writer& w) {
    const auto author = w.upsert_author("x", *p.author, kNow);
    given.author = author.id;
    CaseRecord c = sample_case();
    c.author = author.id;
    given.case_id = c.id;
    w.insert_case(c);
    w.insert_post(given);
  });
  reopen();
  const auto got = ask([&](Reader& r) { return r.post(p.id); });
  ASSERT_TRUE(got);
  const Post& q = got->post;
  EXPECT_EQ(q.id, p.id);
  EXPECT_EQ(q.source, p.source);
  EXPECT_EQ(q.platform, p.platform);
  EXPECT_EQ(q.kind, p.kind);
  EXPECT_EQ(q.native_id, p.native_id);
  EXPECT_EQ(q.text, p.text);
  EXPECT_EQ(q.created_at, p.created_at);
  EXPECT_EQ(q.received_at, p.received_at);
  ASSERT_TRUE(q.author);
  EXPECT_EQ(q.author->native_id, "77");
  EXPECT_EQ(q.author->handle, "ann");
  EXPECT_EQ(q.author->name, "Ann");
  EXPECT_EQ(q.author->followers, 1200);
  EXPECT_EQ(q.author->verified, false);
  EXPECT_EQ(q.url, p.url);
  EXPECT_EQ(q.language, "en");
  EXPECT_EQ(q.in_reply_to, "1802");
  EXPECT_EQ(q.conversation_id, "1800");
  EXPECT_EQ(q.geo->lat, 51.47);
  EXPECT_EQ(q.geo->lon, -0.45);
  EXPECT_EQ(q.geo->place, "LHR T5");
  ASSERT_EQ(q.media.size(), 2U);
  EXPECT_EQ(q.media[1].type, "video");
  EXPECT_EQ(q.media[1].url, "https://x/\"2\".mp4");
  EXPECT_EQ(q.rating, 2);
  EXPECT_EQ(q.revision, 3);
  EXPECT_EQ(q.brand_account, "acme");
  EXPECT_EQ(got->state, PostState::judged);
  EXPECT_EQ(got->author, given.author);
  EXPECT_EQ(got->case_id, given.case_id);

  ASSERT_TRUE(got->verdict);
  const Verdict& v = *given.verdict;
  const Verdict& w = *got->verdict;
  EXPECT_EQ(w.moment, v.moment);
  EXPECT_EQ(w.moment_confidence, v.moment_confidence);
  EXPECT_EQ(w.actionable, v.actionable);
  EXPECT_EQ(w.actionable_confidence, v.actionable_confidence);
  EXPECT_EQ(w.intent, v.intent);
  EXPECT_EQ(w.topic, v.topic);
  EXPECT_EQ(w.sentiment, v.sentiment);
  EXPECT_EQ(w.language, v.language);
  EXPECT_EQ(w.text_urgency, v.text_urgency);
  EXPECT_EQ(w.urgency, v.urgency);
  EXPECT_EQ(w.priority, v.priority);
  EXPECT_EQ(w.judge, "fast");
  EXPECT_EQ(w.model, v.model);
  ASSERT_EQ(w.reasons.size(), 2U);
  EXPECT_EQ(w.reasons[1].what, "urgency");
  EXPECT_EQ(w.reasons[1].cue, v.reasons[1].cue);
  EXPECT_EQ(w.reasons[1].weight, -0.125);
}

TEST_F(PostsTest, WhatAPostDoesNotHaveItStillDoesNotHave) {
  PostRecord given = sample_post("1");
  given.verdict.reset();
  given.state = PostState::pending;
  must_write(*store_, [&](Writer& w) { w.insert_post(given); });
  const auto got = ask([&](Reader& r) { return r.post(given.post.id); });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->state, PostState::pending);
  EXPECT_FALSE(got->verdict);
  EXPECT_FALSE(got->author);
  EXPECT_FALSE(got->case_id);
  EXPECT_FALSE(got->post.author);
  EXPECT_FALSE(got->post.geo);
  EXPECT_FALSE(got->post.rating);
  EXPECT_TRUE(got->post.media.empty());
  EXPECT_FALSE(ask([](Reader& r) { return r.post(PostId::make(kNow)); }));
}

TEST_F(PostsTest, AnAuthorWhoIsNoCustomerStaysWithThePost) {
  PostRecord given = sample_post("1");
  given.state = PostState::own;
  given.verdict.reset();
  given.post.author = Author{"1", "acme", "Acme Air", std::nullopt, true};
  must_write(*store_, [&](Writer& w) { w.insert_post(given); });
  const auto got = ask([&](Reader& r) { return r.post(given.post.id); });
  EXPECT_EQ(got->post.author->handle, "acme");
  EXPECT_EQ(got->post.author->verified, true);
  EXPECT_FALSE(got->post.author->followers);
}

TEST_F(PostsTest, APlaceWithoutCoordinatesStays) {
  PostRecord given = sample_post("1");
  given.post.geo = Geo{std::nullopt, std::nullopt, "Gate B12"};
  must_write(*store_, [&](Writer& w) { w.insert_post(given); });
  const auto got = ask([&](Reader& r) { return r.post(given.post.id); });
  EXPECT_EQ(got->post.geo->place, "Gate B12");
  EXPECT_FALSE(got->post.geo->lat);
}

TEST_F(PostsTest, APostIsFoundBySourcePlatformKindAndNativeIdAlone) {
  const auto given = sample_post("1803");
  must_write(*store_, [&](Writer& w) { w.insert_post(given); });
  EXPECT_EQ(find("1803")->id, given.post.id);
  EXPECT_FALSE(find("1803", PostKind::direct_message));
  EXPECT_FALSE(find("180"));
  EXPECT_FALSE(ask([](Reader& r) { return r.find_post("other", "x", PostKind::mention, "1803"); }));
  EXPECT_FALSE(ask([](Reader& r) { return r.find_post("x-main", "facebook", PostKind::mention, "1803"); }));
  auto message = sample_post("1803");
  message.post.kind = PostKind::direct_message;
  must_write(*store_, [&](Writer& w) { w.insert_post(message); });
  EXPECT_EQ(find("1803", PostKind::direct_message)->id, message.post.id);
  EXPECT_EQ(ask([](Reader& r) { return r.find_posts("x-main", "x", "1803"); }).size(), 2U);
}

TEST_F(PostsTest, AnEditReplacesAndLosesNothingThatItDoesNotSay) {
  PostRecord given = sample_post("1");
  given.post.url = "https://x.com/1";
  given.post.media = {{"photo", "https://x/1.jpg"}};
  must_write(*store_, [&](Writer& w) { w.insert_post(given); });
  PostRecord edit = given;
  edit.post.text = "it moves now";
  edit.post.revision = 2;
  edit.post.url = "";
  edit.post.media.clear();
  edit.verdict->urgency = 10;
  edit.verdict->reasons.clear();
  edit.case_id = CaseId::make(kNow);
  must_write(*store_, [&](Writer& w) { w.update_post(edit); });
  const auto got = ask([&](Reader& r) { return r.post(given.post.id); });
  EXPECT_EQ(got->post.text, "it moves now");
  EXPECT_EQ(got->post.url, "https://x.com/1");
  EXPECT_TRUE(got->post.media.empty());
  EXPECT_EQ(got->verdict->urgency, 10);
  EXPECT_TRUE(got->verdict->reasons.empty());
  EXPECT_EQ(got->case_id, edit.case_id);
  EXPECT_EQ(find("1")->revision, 2);
  EXPECT_EQ(find("1")->case_id, edit.case_id);

  PostRecord missing = sample_post("2");
  EXPECT_EQ(commit(*store_, [&](Writer& w) { w.update_post(missing); }).outcome, Committed::failed);
}

TEST_F(PostsTest, APendingPostBecomesJudgedWithItsAuthorAndConversation) {
  PostRecord pending = sample_post("9");
  pending.state = PostState::pending;
  pending.verdict.reset();
  pending.post.text = "";
  const CaseRecord c = sample_case();
  must_write(*store_, [&](Writer& w) { w.insert_post(pending); });
  must_write(*store_, [&](Writer& w) {
    PostRecord judged = pending;
    judged.state = PostState::judged;
    judged.post.text = "help";
    judged.post.conversation_id = "root";
    judged.author = w.upsert_author("x", {"77", "ann", "", {}, {}}, kNow).id;
    judged.case_id = c.id;
    judged.verdict = sample_verdict();
    CaseRecord of = c;
    of.author = judged.author;
    w.insert_case(of);
    w.update_post(judged);
  });
  const auto got = ask([&](Reader& r) { return r.post(pending.post.id); });
  EXPECT_EQ(got->state, PostState::judged);
  EXPECT_EQ(got->post.author->handle, "ann");
  EXPECT_EQ(conversation("root", ""), c.id);
}

TEST_F(PostsTest, ADeletionTakesTheTextAndLeavesATombstone) {
  PostRecord given = sample_post("1");
  given.post.media = {{"photo", "https://x/1.jpg"}};
  given.post.geo = Geo{1.0, 2.0, "here"};
  given.case_id = CaseId::make(kNow);
  must_write(*store_, [&](Writer& w) { w.insert_post(given); });
  must_write(*store_, [&](Writer& w) { w.delete_post(given.post.id, after(std::chrono::seconds(1))); });
  const auto got = ask([&](Reader& r) { return r.post(given.post.id); });
  EXPECT_EQ(got->state, PostState::deleted);
  EXPECT_EQ(got->post.text, "");
  EXPECT_TRUE(got->post.media.empty());
  EXPECT_FALSE(got->post.geo);
  EXPECT_TRUE(got->verdict->reasons.empty()) << "they quote the text";
  EXPECT_EQ(got->verdict->urgency, given.verdict->urgency);
  EXPECT_EQ(got->case_id, given.case_id);
  EXPECT_EQ(find("1")->state, PostState::deleted);
}

TEST_F(PostsTest, ADeletionBeforeItsPostIsFoundWhenThePostComes) {
  must_write(*store_, [](Writer& w) {
    w.insert_tombstone("x-main", "x", PostKind::mention, "1", kNow);
    w.insert_tombstone("x-main", "x", std::nullopt, "2", kNow);
  });
  const auto has = [&](const char* source, PostKind kind, const char* native_id) {
    std::optional<PostKey> found;
    must_write(*store_, [&](Writer& w) { found = w.find_post(source, "x", kind, native_id); });
    return found && found->state == PostState::deleted;
  };
  EXPECT_TRUE(has("x-main", PostKind::mention, "1"));
  EXPECT_FALSE(has("x-main", PostKind::reply, "1"));
  EXPECT_FALSE(has("other", PostKind::mention, "1"));
  EXPECT_TRUE(has("x-main", PostKind::mention, "2")) << "a deletion that names no kind deletes any";
  EXPECT_TRUE(has("x-main", PostKind::direct_message, "2"));
  EXPECT_FALSE(has("x-main", PostKind::mention, "3"));
  EXPECT_EQ(find("1")->state, PostState::deleted);
  EXPECT_EQ(find("2")->state, PostState::deleted);
  EXPECT_TRUE(find("2")->any_kind);
  EXPECT_FALSE(find("1", PostKind::reply));
  // The same deletion again, as platforms send it, changes nothing.
  must_write(*store_, [](Writer& w) { w.insert_tombstone("x-main", "x", std::nullopt, "2", kNow); });
  EXPECT_EQ(ask([](Reader& r) { return r.find_posts("x-main", "x", "2"); }).size(), 1U);
}

TEST_F(PostsTest, SharesAreCountedAlsoBeforeTheirPost) {
  const auto given = sample_post("1");
  must_write(*store_, [](Writer& w) { w.count_share("x", "1"); });
  must_write(*store_, [&](Writer& w) {
    w.insert_post(given);
    w.count_share("x", "1");
    w.count_share("facebook", "1");
  });
  EXPECT_EQ(ask([&](Reader& r) { return r.post(given.post.id); })->shares, 2);
}

TEST_F(PostsTest, PostsOfACaseComeOldestFirst) {
  const CaseId id = CaseId::make(kNow);
  must_write(*store_, [&](Writer& w) {
    for (const int minute : {5, 1, 3}) {
      auto post = sample_post(std::to_string(minute), after(std::chrono::minutes(minute)));
      post.case_id = id;
      w.insert_post(post);
    }
    w.insert_post(sample_post("other"));
  });
  std::string order;
  for (const auto& post : ask([&](Reader& r) { return r.posts_of_case(id); })) order += post.post.native_id;
  EXPECT_EQ(order, "135");
}

TEST_F(PostsTest, AConversationLeadsToTheCaseOfItsNewestPost) {
  AuthorId ann, bob;
  CaseRecord anns = sample_case(), bobs = sample_case(), others = sample_case();
  must_write(*store_, [&](Writer& w) {
    ann = w.upsert_author("x", {"77", "ann", "", {}, {}}, kNow).id;
    bob = w.upsert_author("x", {"78", "bob", "", {}, {}}, kNow).id;
    anns.author = ann;
    bobs.author = bob;
    others.brand_account = "other";
    w.insert_case(anns);
    w.insert_case(bobs);
    w.insert_case(others);
    const auto add = [&](const char* native_id, const char* conversation_id, std::optional<AuthorId> author,
                         std::optional<CaseId> case_id, PostState state = PostState::judged,
                         const char* brand = "acme") {
      auto post = sample_post(native_id);
      post.post.conversation_id = conversation_id;
      post.post.brand_account = brand;
      post.author = author;
      post.case_id = case_id;
      post.state = state;
      w.insert_post(post);
    };
    add("root", "root", ann, anns.id);                   // starts the conversation
    add("answer", "root", {}, anns.id, PostState::own);  // ours, joins ann's case
    add("chime", "root", bob, bobs.id);                  // bob comes in
    add("shared", "root", bob, {}, PostState::share);    // has no case
    add("far", "root", ann, others.id, PostState::judged, "other");
    add("dm-1", "", bob, bobs.id);
  });
  EXPECT_EQ(conversation("root", ""), bobs.id);
  EXPECT_EQ(conversation("root", "answer"), anns.id) << "a reply is about what it names, not about the newest";
  EXPECT_EQ(conversation("root", "unknown"), bobs.id);
  EXPECT_EQ(conversation("root", "", ann), anns.id);
  EXPECT_EQ(conversation("root", "", bob), bobs.id);
  EXPECT_EQ(conversation("", "root"), anns.id);
  EXPECT_EQ(conversation("", "answer"), anns.id);
  EXPECT_EQ(conversation("", "answer", ann), anns.id) << "our own post is part of ann's case";
  EXPECT_EQ(conversation("", "answer", bob), std::nullopt);
  EXPECT_EQ(conversation("unknown", "dm-1"), bobs.id);
  EXPECT_EQ(conversation("", "shared"), std::nullopt);
  EXPECT_EQ(conversation("", ""), std::nullopt);
  EXPECT_EQ(ask([&](Reader& r) { return r.case_of_conversation("facebook", "acme", "root", "", {}); }), std::nullopt);
  EXPECT_EQ(ask([&](Reader& r) { return r.case_of_conversation("x", "other", "root", "", {}); }), others.id);
}

}  // namespace
}  // namespace triage::store::testing
