// Learning from the desk: what corrections do to both models, and whether one model is better than another.
#include <nlohmann/json.hpp>

#include "classify/head_fit.h"
#include "deep_helpers.h"

namespace triage::classify {
namespace {

LabelledPost post_of(const std::string& id, const std::string& text, Topic topic, unsigned weight = 1) {
  LabelledPost post;
  post.id = id;
  post.post.text = text;
  post.topic = topic;
  post.weight = weight;
  return post;
}

Topic topic_of(const Classifier& judge, const std::string& text) {
  Post post;
  post.text = text;
  return judge.judge(post, Time{}).topic;
}

TEST(Corpus, InTheBinaryIsTheOneInTheRepository) {
  const auto shipped_posts = shipped_corpus();
  ASSERT_TRUE(shipped_posts) << shipped_posts.error().detail;
  std::vector<LabelledPost> posts = corpus();
  for (const char* language : {"es", "fr", "de", "pt", "it", "nl"}) {
    const auto more = read_labelled(std::string(TRIAGED_SOURCE_DIR "/config/corpus/") + language + ".tsv");
    ASSERT_TRUE(more) << more.error().detail;
    EXPECT_EQ((*more)[0].post.language, language);
    posts.insert(posts.end(), more->begin(), more->end());
  }
  ASSERT_EQ(shipped_posts->size(), posts.size());
  for (std::size_t i = 0; i < posts.size(); i += 97) {
    EXPECT_EQ((*shipped_posts)[i].post.text, posts[i].post.text);
    EXPECT_EQ((*shipped_posts)[i].moment, posts[i].moment);
  }
}

TEST(Train, APostOfGreaterWeightCountsAsSoManyPosts) {
  const TemporaryDirectory directory;
  const auto taught = [&](unsigned weight) {
    std::vector<LabelledPost> posts;
    for (int i = 0; i < 300; ++i) {
      const std::string text = "the flurb came " + std::to_string(i);
      posts.push_back(i % 3 == 0 ? post_of(std::to_string(i), text, Topic::safety, weight)
                                 : post_of(std::to_string(i), text, Topic::queue));
    }
    EXPECT_TRUE(train(posts, {"weights", 1}, directory / "m", nullptr));
    const auto judge = load_model(directory / "m");
    return topic_of(**judge, "the flurb came again");
  };
  EXPECT_EQ(taught(1), Topic::queue);
  EXPECT_EQ(taught(10), Topic::safety);
}

TEST(ModelFacts, TellWhichCorrectionsAModelHasSeen) {
  const TemporaryDirectory directory;
  const std::vector<LabelledPost> posts(corpus().begin(), corpus().begin() + 60);
  ASSERT_TRUE(train(posts, {"from-the-desk", 1, {5, 17}}, directory / "m", nullptr));
  const auto facts = read_model_facts(directory / "m");
  ASSERT_TRUE(facts) << facts.error().detail;
  EXPECT_EQ(facts->judge, "fast");
  EXPECT_EQ(facts->version, "from-the-desk");
  EXPECT_EQ(facts->trained_on, "55 labelled posts and 5 corrections from the desk");
  EXPECT_EQ(facts->corrections.posts, 5U);
  EXPECT_EQ(facts->corrections.to, 17);
  const auto of_shipped = read_model_facts(TRIAGED_SOURCE_DIR "/config/model/fast.model");
  ASSERT_TRUE(of_shipped) << of_shipped.error().detail;
  EXPECT_EQ(of_shipped->corrections.posts, 0U);
}

TEST(ModelFacts, OfWhatIsNoModelAreRefusedWithTheFilesName) {
  const TemporaryDirectory directory;
  const auto refusal = [&](std::string_view bytes) {
    put_bytes(directory / "odd.model", bytes);
    const auto facts = read_model_facts(directory / "odd.model");
    if (facts) return std::string();
    EXPECT_NE(facts.error().detail.find("odd.model"), std::string::npos);
    return facts.error().detail;
  };
  EXPECT_NE(refusal(""), "");
  EXPECT_NE(refusal("a poem"), "");
  EXPECT_NE(refusal("TRIAGEFM"), "");
  const std::string good = bytes_of(TRIAGED_SOURCE_DIR "/config/model/fast.model");
  EXPECT_NE(refusal(good.substr(0, 200)), "");
  EXPECT_EQ(refusal(good), "");
}

// A small encoder drawn at random, all of whose answers are its own.
class TrainDeep : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::shared_ptr<const Classifier> fast_ = *shipped_model();
  std::vector<LabelledPost> anchors_;

  void SetUp() override {
    SmallModel small;
    small.header["blend"] = 1;
    put_bytes(base(), small.file());
    for (std::size_t i = 0; i < 400; ++i) anchors_.push_back(corpus()[i * 11]);
  }
  std::filesystem::path base() const { return directory_ / "base.model"; }
  std::filesystem::path out() const { return directory_ / "new.model"; }
  std::shared_ptr<const DeepJudge> load(const std::filesystem::path& file) {
    const auto judge = load_deep_model(file, fast_);
    EXPECT_TRUE(judge) << judge.error().detail;
    return std::dynamic_pointer_cast<const DeepJudge>(*judge);
  }
  static std::vector<LabelledPost> lessons() {
    std::vector<LabelledPost> posts;
    for (int i = 0; i < 30; ++i) {
      const char* places[] = {"gate", "flight", "refund"};
      posts.push_back(
          post_of("c", "stuck at the " + std::string(places[i % 3]) + " " + std::to_string(i), Topic::safety, 4));
    }
    return posts;
  }
  Result<void> train_on(const std::vector<LabelledPost>& lessons, const std::filesystem::path& file,
                        CorrectionsSeen seen = {}) {
    return train_deep(base(), fast_, anchors_, lessons, {"desk.2", 1, seen}, file, nullptr);
  }
};

TEST_F(TrainDeep, WithoutLessonsItStaysAsItWas) {
  ASSERT_TRUE(train_on({}, out()));
  const auto before = load(base()), after = load(out());
  EXPECT_EQ(after->model_version(), "desk.2");
  for (const LabelledPost& post : anchors_) {
    Row a{}, b{};
    before->scores(post.post, a);
    after->scores(post.post, b);
    for (std::size_t k = 0; k < kOutputs; ++k) ASSERT_EQ(a[k], b[k]);
  }
}

TEST_F(TrainDeep, LearnsItsLessonsAndKeepsTheRest) {
  ASSERT_TRUE(train_on(lessons(), out(), {30, 40}));
  const auto before = load(base()), after = load(out());
  Post live;
  live.text = "stuck at the gate please help";
  Row row{};
  ASSERT_TRUE(after->scores(live, row));
  const auto first = row.begin() + kTopic.first;
  EXPECT_EQ(static_cast<Topic>(std::max_element(first, first + kTopic.count) - first), Topic::safety);
  ASSERT_TRUE(before->scores(live, row));
  EXPECT_NE(static_cast<Topic>(std::max_element(first, first + kTopic.count) - first), Topic::safety);
  // Of the corpus it says what it said: on average within a few hundredths, also of the moment, which no lesson was
  // about.
  double topic = 0, moment = 0;
  for (const LabelledPost& post : anchors_) {
    Row a{}, b{};
    before->scores(post.post, a);
    after->scores(post.post, b);
    to_probabilities(a);
    to_probabilities(b);
    for (std::size_t k = 0; k < kTopic.count; ++k) topic += std::abs(a[kTopic.first + k] - b[kTopic.first + k]);
    for (std::size_t k = 0; k < kMoment.count; ++k) moment += std::abs(a[k] - b[k]);
  }
  EXPECT_LT(topic / static_cast<double>(anchors_.size() * kTopic.count), 0.05);
  EXPECT_LT(moment / static_cast<double>(anchors_.size()), 1e-6);
  const auto facts = read_model_facts(out());
  ASSERT_TRUE(facts) << facts.error().detail;
  EXPECT_EQ(facts->judge, "deep");
  EXPECT_EQ(facts->fast_version, fast_->model_version());
  EXPECT_EQ(facts->corrections.to, 40);
  EXPECT_NE(facts->trained_on.find("30 corrections"), std::string::npos) << facts->trained_on;
}

TEST_F(TrainDeep, TwiceGivesTheSameBytes) {
  ASSERT_TRUE(train_on(lessons(), out()));
  ASSERT_TRUE(train_on(lessons(), directory_ / "again.model"));
  EXPECT_EQ(bytes_of(out()), bytes_of(directory_ / "again.model"));
}

TEST_F(TrainDeep, RefusesABaseThatIsNoDeepModel) {
  const auto done =
      train_deep(TRIAGED_SOURCE_DIR "/config/model/fast.model", fast_, anchors_, lessons(), {"x", 1}, out(), nullptr);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().detail.find("fast.model"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(out()));
}

// Right about the topic of every post but each `wrong`-th.
class Mostly : public Classifier {
 public:
  explicit Mostly(int wrong) : wrong_(wrong) {}
  Verdict judge(const Post& post, Time) const override {
    Verdict verdict;
    const int number = std::stoi(post.text);
    const bool queue = number % 2 == 0;
    const bool right = number % wrong_ != 0;
    verdict.topic = queue == right ? Topic::queue : Topic::staff;
    return verdict;
  }
  std::string_view judge_name() const override { return "mostly"; }
  std::string_view model_version() const override { return "1"; }

 private:
  int wrong_;
};

nlohmann::json compared(const Classifier& a, const Classifier& b, int posts) {
  std::vector<LabelledPost> labelled;
  for (int i = 1; i <= posts; ++i)
    labelled.push_back(post_of("", std::to_string(i), i % 2 == 0 ? Topic::queue : Topic::staff));
  nlohmann::json result;
  const std::string table = compare(a, b, labelled, &result);
  EXPECT_NE(table.find(result["labels"]["topic"]["b_is"].get<std::string>()), std::string::npos) << table;
  return result["labels"]["topic"];
}

TEST(Compare, SaysBetterOrWorseWhereThePostsShowIt) {
  EXPECT_EQ(compared(Mostly(3), Mostly(11), 500)["b_is"], "better");
  EXPECT_EQ(compared(Mostly(11), Mostly(3), 500)["b_is"], "worse");
}

TEST(Compare, SaysNothingWhereTheyDoNot) {
  EXPECT_EQ(compared(Mostly(7), Mostly(7), 500)["b_is"], "no difference seen");
  EXPECT_EQ(compared(Mostly(7), Mostly(9), 20)["b_is"], "no difference seen");
}

TEST(Compare, IntervalsHoldTheScoresNarrowWithMorePostsAndAreTheSameEveryTime) {
  const auto few = compared(Mostly(3), Mostly(11), 60), many = compared(Mostly(3), Mostly(11), 2000);
  for (const char* what : {"a", "b", "difference"}) {
    for (const auto& table : {few, many}) {
      EXPECT_LE(table[what]["interval"][0].get<double>(), table[what]["score"].get<double>());
      EXPECT_GE(table[what]["interval"][1].get<double>(), table[what]["score"].get<double>());
    }
    const auto width = [&](const nlohmann::json& table) {
      return table[what]["interval"][1].get<double>() - table[what]["interval"][0].get<double>();
    };
    EXPECT_LT(width(many), width(few));
  }
  EXPECT_EQ(compared(Mostly(3), Mostly(11), 60), few);
}

TEST(Evaluate, GivesAnIntervalForEachLabel) {
  std::vector<LabelledPost> labelled;
  for (int i = 1; i <= 400; ++i)
    labelled.push_back(post_of("", std::to_string(i), i % 2 == 0 ? Topic::queue : Topic::staff));
  nlohmann::json result;
  evaluate(Mostly(4), labelled, &result);
  const auto& topic = result["labels"]["topic"];
  // About 0.75 of 400: the error of a share is sqrt(0.75 · 0.25 / 400) = 0.022, and 95 % are within twice that.
  EXPECT_NEAR(topic["interval"][0].get<double>(), topic["score"].get<double>() - 0.043, 0.02);
  EXPECT_NEAR(topic["interval"][1].get<double>(), topic["score"].get<double>() + 0.043, 0.02);
}

}  // namespace
}  // namespace triage::classify
