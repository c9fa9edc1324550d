// Corrections: what a person said of a post is kept for learning, as long as the post is there as the person read it.
#include "store/schema.h"
#include "unit/store/world.h"

namespace triage::store::testing {
namespace {

class Corrections : public StoreTest {
 protected:
  PostRecord post_ = sample_post("1");

  void SetUp() override {
    must_write(*store_, [&](Writer& w) { w.insert_post(post_); });
  }
  CorrectionRecord correction(PostLabels labels) const {
    CorrectionRecord c;
    c.post = post_.post.id;
    c.case_id = CaseId::make(kNow);
    c.token = TokenId::make(kNow);
    c.name = "ann";
    c.at = kNow;
    c.revision = post_.post.revision;
    c.labels = std::move(labels);
    c.judge = "deep";
    c.model = "2026.11.1";
    c.said = {"in_the_moment", true, Intent::complaint, Topic::queue, 2};
    return c;
  }
  void keep(const CorrectionRecord& c) {
    must_write(*store_, [&](Writer& w) { w.keep_correction(c); });
  }
  std::vector<CorrectedPost> kept() {
    return ask([](Reader& r) { return r.corrections(); });
  }
};

TEST_F(Corrections, AreReadBackWithThePostTheyAreAbout) {
  const CorrectionRecord c = correction({"neither", false, Intent::question, Topic::billing, 0});
  keep(c);
  reopen();
  const auto all = kept();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].post.text, post_.post.text);
  EXPECT_EQ(all[0].post.kind, PostKind::mention);
  const CorrectionRecord& found = all[0].correction;
  EXPECT_EQ(found.post, c.post);
  EXPECT_EQ(found.case_id, c.case_id);
  EXPECT_EQ(found.token, c.token);
  EXPECT_EQ(found.name, "ann");
  EXPECT_EQ(found.at, kNow);
  EXPECT_EQ(found.labels.moment, "neither");
  EXPECT_EQ(found.labels.actionable, false);
  EXPECT_EQ(found.labels.intent, Intent::question);
  EXPECT_EQ(found.labels.topic, Topic::billing);
  EXPECT_EQ(found.labels.urgency, 0);
  EXPECT_EQ(found.judge, "deep");
  EXPECT_EQ(found.model, "2026.11.1");
  EXPECT_EQ(found.said.moment, "in_the_moment");
  EXPECT_EQ(found.said.actionable, true);
  EXPECT_EQ(found.said.intent, Intent::complaint);
  EXPECT_EQ(found.said.topic, Topic::queue);
  EXPECT_EQ(found.said.urgency, 2);
}

TEST_F(Corrections, WhatWasNotSaidIsNotMadeUp) {
  PostLabels labels;
  labels.topic = Topic::safety;
  keep(correction(labels));
  const auto all = kept();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].correction.labels.topic, Topic::safety);
  EXPECT_FALSE(all[0].correction.labels.moment);
  EXPECT_FALSE(all[0].correction.labels.actionable);
  EXPECT_FALSE(all[0].correction.labels.intent);
  EXPECT_FALSE(all[0].correction.labels.urgency);
}

TEST_F(Corrections, ASecondOneOfTheSamePostReplacesTheFirst) {
  keep(correction({"neither", std::nullopt, Intent::question, std::nullopt, 1}));
  CorrectionRecord second = correction({"after_the_fact", true, std::nullopt, std::nullopt, std::nullopt});
  second.name = "bob";
  second.at = after(std::chrono::minutes(1));
  second.judge = "person";
  second.said.moment = "after_the_fact";
  keep(second);
  const auto all = kept();
  ASSERT_EQ(all.size(), 1U);
  const CorrectionRecord& found = all[0].correction;
  EXPECT_EQ(found.labels.moment, "after_the_fact");
  EXPECT_EQ(found.labels.actionable, true);
  EXPECT_EQ(found.labels.intent, Intent::question) << "what the second does not speak of stays said";
  EXPECT_EQ(found.labels.urgency, 1);
  EXPECT_EQ(found.name, "bob");
  EXPECT_EQ(found.at, second.at);
  EXPECT_EQ(found.judge, "deep") << "the judge's word is that from before any person spoke";
  EXPECT_EQ(found.said.moment, "in_the_moment");
}

TEST_F(Corrections, OfADeletedPostAreNotLearntFrom) {
  keep(correction({"neither", {}, {}, {}, {}}));
  ASSERT_EQ(kept().size(), 1U);
  must_write(*store_, [&](Writer& w) { w.delete_post(post_.post.id, kNow); });
  EXPECT_TRUE(kept().empty());
}

TEST_F(Corrections, OfATextThatWasEditedSinceAreNotLearntFromUntilTheNewOneIsCorrected) {
  keep(correction({"neither", {}, Intent::question, {}, {}}));
  post_.post.revision += 1;
  post_.post.text = "another text";
  must_write(*store_, [&](Writer& w) { w.update_post(post_); });
  EXPECT_TRUE(kept().empty());
  keep(correction({"in_the_moment", {}, {}, {}, {}}));
  const auto all = kept();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].post.text, "another text");
  EXPECT_EQ(all[0].correction.labels.moment, "in_the_moment");
  EXPECT_FALSE(all[0].correction.labels.intent) << "that was said of the old text";
}

TEST_F(Corrections, ComeInTheOrderInWhichTheirPostsWereFirstCorrected) {
  PostRecord other = sample_post("2");
  must_write(*store_, [&](Writer& w) { w.insert_post(other); });
  keep(correction({"neither", {}, {}, {}, {}}));
  CorrectionRecord of_other = correction({"after_the_fact", {}, {}, {}, {}});
  of_other.post = other.post.id;
  keep(of_other);
  keep(correction({"in_the_moment", {}, {}, {}, {}}));
  const auto all = kept();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].correction.post, post_.post.id);
  EXPECT_EQ(all[1].correction.post, other.post.id);
  EXPECT_LT(all[0].correction.seq, all[1].correction.seq);
}

TEST(CorrectionsOfAnOldDatabase, HaveTheirPlaceAfterTheMigrationAndNothingIsLost) {
  const TempDir dir;
  std::filesystem::create_directory(dir.data());
  const PostRecord post = sample_post("old");
  {
    Connection::Settings settings;
    settings.create = true;
    Connection connection(dir.database(), settings);
    migrate(connection, migrations().first(1));
  }
  auto store = open_or_throw(options_in(dir.data()));
  must_write(*store, [&](Writer& w) { w.insert_post(post); });
  CorrectionRecord c;
  c.post = post.post.id;
  c.case_id = CaseId::make(kNow);
  c.token = TokenId::make(kNow);
  c.labels.topic = Topic::staff;
  must_write(*store, [&](Writer& w) { w.keep_correction(c); });
  std::size_t found = 0;
  EXPECT_TRUE(look(*store, [&](Reader& r) { found = r.corrections().size(); }));
  EXPECT_EQ(found, 1U);
}

}  // namespace
}  // namespace triage::store::testing
