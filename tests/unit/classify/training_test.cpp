// Training, model files, labelled files and measuring.
#include <nlohmann/json.hpp>

#include "classify/model.h"
#include "helpers.h"

namespace triage::classify {
namespace {

std::vector<LabelledPost> slice() {
  std::vector<LabelledPost> posts;
  for (std::size_t i = 0; i < corpus().size(); i += 60) posts.push_back(corpus()[i]);
  return posts;
}

TEST(Train, TwiceGivesTheSameBytes) {
  const TemporaryDirectory directory;
  const TrainOptions options{"test", 7};
  const std::vector<LabelledPost> posts = slice();
  ASSERT_TRUE(train(posts, options, directory / "a.model", nullptr));
  ASSERT_TRUE(train(posts, options, directory / "b.model", nullptr));
  const std::string a = bytes_of(directory / "a.model");
  EXPECT_FALSE(a.empty());
  EXPECT_EQ(a, bytes_of(directory / "b.model"));
  ASSERT_TRUE(train(posts, {"test", 8}, directory / "c.model", nullptr));
  EXPECT_NE(a, bytes_of(directory / "c.model")) << "another seed, another model";
}

TEST(Train, LearnsWhatItIsTaught) {
  const TemporaryDirectory directory;
  std::vector<LabelledPost> posts;
  for (int i = 0; i < 400; ++i) {
    LabelledPost post;
    const bool live = i % 2 == 0;
    post.id = std::to_string(i);
    post.post.text = (live ? "grumbling flurb " : "settled wozzle ") + std::to_string(i * 7919 % 1000);
    post.moment = live ? "in_the_moment" : "after_the_fact";
    post.actionable = live;
    post.urgency = live ? 3 : 0;
    post.intent = live ? Intent::complaint : Intent::praise;
    post.topic = live ? Topic::queue : Topic::staff;
    posts.push_back(post);
  }
  ASSERT_TRUE(train(posts, {"taught", 1}, directory / "m", nullptr));
  const auto judge = load_model(directory / "m");
  ASSERT_TRUE(judge) << judge.error().detail;
  EXPECT_EQ((*judge)->model_version(), "taught");
  Post post;
  post.text = "such a grumbling flurb";
  const Verdict live = (*judge)->judge(post, Time{});
  EXPECT_EQ(live.moment, Moment::in_the_moment);
  EXPECT_TRUE(live.actionable);
  EXPECT_EQ(live.priority, Priority::critical);
  EXPECT_EQ(live.intent, Intent::complaint);
  EXPECT_EQ(live.topic, Topic::queue);
  post.text = "a settled wozzle it is";
  const Verdict over = (*judge)->judge(post, Time{});
  EXPECT_EQ(over.moment, Moment::after_the_fact);
  EXPECT_FALSE(over.actionable);
  EXPECT_EQ(over.priority, Priority::low);
  EXPECT_EQ(over.intent, Intent::praise);
  EXPECT_EQ(over.topic, Topic::staff);
}

TEST(Train, LearnsFromTheFieldsBesideTheText) {
  const TemporaryDirectory directory;
  std::vector<LabelledPost> posts;
  for (int i = 0; i < 600; ++i) {
    LabelledPost post;
    post.id = std::to_string(i);
    post.post.text = "the same words";
    post.post.rating = i % 2 == 0 ? 1 : 5;
    post.intent = i % 2 == 0 ? Intent::complaint : Intent::praise;
    posts.push_back(post);
  }
  ASSERT_TRUE(train(posts, {"stars", 1}, directory / "m", nullptr));
  const auto judge = load_model(directory / "m");
  ASSERT_TRUE(judge) << judge.error().detail;
  EXPECT_EQ((*judge)->judge(posts[0].post, Time{}).intent, Intent::complaint);
  EXPECT_EQ((*judge)->judge(posts[1].post, Time{}).intent, Intent::praise);
}

TEST(Train, RefusesTooFewPostsAndAPlaceThatCannotBeWritten) {
  const TemporaryDirectory directory;
  const auto few = train({corpus()[0]}, {"x", 1}, directory / "m", nullptr);
  ASSERT_FALSE(few);
  EXPECT_NE(few.error().detail.find("20"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory / "m"));
  const std::vector<LabelledPost> posts(corpus().begin(), corpus().begin() + 40);
  const auto nowhere = train(posts, {"x", 1}, directory / "no/such/place", nullptr);
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().detail.find("no/such/place"), std::string::npos);
}

class ModelFile : public ::testing::Test {
 protected:
  static std::string good() {
    static const std::string bytes = bytes_of(TRIAGED_SOURCE_DIR "/config/model/fast.model");
    return bytes;
  }
  std::string refusal(const std::string& bytes) {
    put_bytes(directory_ / "bad.model", bytes);
    const auto judge = load_model(directory_ / "bad.model");
    if (judge) return "";
    EXPECT_NE(judge.error().detail.find("bad.model"), std::string::npos) << "the error names the file";
    return judge.error().detail;
  }
  TemporaryDirectory directory_;
};

TEST_F(ModelFile, IsReadBackAsItWasWritten) {
  ASSERT_FALSE(good().empty());
  EXPECT_LE(good().size(), 6U << 20U);
  const auto judge = load_model(TRIAGED_SOURCE_DIR "/config/model/fast.model");
  ASSERT_TRUE(judge) << judge.error().detail;
  for (std::size_t i = 0; i < corpus().size(); i += 500) {
    EXPECT_EQ(written((*judge)->judge(corpus()[i].post, Time{})), written(shipped().judge(corpus()[i].post, Time{})));
  }
}

TEST_F(ModelFile, ThatIsBadIsRefusedAndNamed) {
  EXPECT_NE(refusal("").find("magic"), std::string::npos);
  EXPECT_NE(refusal("hello, I am no model at all").find("magic"), std::string::npos);
  EXPECT_NE(refusal("TRIAGEFM").find("truncated"), std::string::npos);
  EXPECT_NE(refusal(good().substr(0, 100)).find("truncated"), std::string::npos);
  EXPECT_NE(refusal(good().substr(0, good().size() / 2)).find("truncated"), std::string::npos);
  EXPECT_NE(refusal(good().substr(0, good().size() - 1)).find("checksum"), std::string::npos);
  std::string flipped = good();
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_NE(refusal(flipped).find("checksum"), std::string::npos);
  std::string newer = good();
  newer[8] = 9;
  EXPECT_NE(refusal(newer).find("version is 9"), std::string::npos);
  std::string no_json = good();
  no_json[16] = 'x';
  EXPECT_NE(refusal(no_json).find("header"), std::string::npos);
}

TEST_F(ModelFile, ThatIsMissingOrADirectoryIsRefusedAndNamed) {
  const auto missing = load_model(directory_ / "none.model");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().detail.find("none.model"), std::string::npos);
  const auto folder = load_model(directory_ / ".");
  ASSERT_FALSE(folder);
}

TEST_F(ModelFile, CutAnywhereIsRefused) {
  Model::Parts parts;
  parts.version = "tiny";
  parts.rows = {{1, {}}, {2, {}}};
  parts.words = {"delay", "queue"};
  const std::string bytes = Model::write(parts);
  ASSERT_TRUE(Model::read(bytes, "tiny"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Model::read(std::string_view(bytes).substr(0, size), "tiny")) << size;
  }
}

class LabelledFile : public ::testing::Test {
 protected:
  std::string refusal(const char* name, const std::string& content) {
    put_bytes(directory_ / name, content);
    const auto posts = read_labelled(directory_ / name);
    return posts ? "" : posts.error().detail;
  }
  TemporaryDirectory directory_;
};

TEST_F(LabelledFile, TsvIsReadWithBothReaders) {
  put_bytes(directory_ / "a.tsv",
            "id\tmoment\turgency\tmoment_reader\ttext\tother\n"
            "x-1\tneither\t2\tin_the_moment\thello \"there\"\tz\r\n"
            "x-2\t\t\t\t\t\n");
  const auto posts = read_labelled(directory_ / "a.tsv");
  ASSERT_TRUE(posts) << posts.error().detail;
  ASSERT_EQ(posts->size(), 2U);
  const LabelledPost& post = posts->front();
  EXPECT_EQ(post.id, "x-1");
  EXPECT_EQ(post.post.text, "hello \"there\"");
  EXPECT_EQ(post.moment, "neither");
  EXPECT_EQ(post.urgency, 2);
  EXPECT_EQ(post.reader.moment, "in_the_moment");
  EXPECT_FALSE(post.intent);
  EXPECT_FALSE((*posts)[1].moment);
}

TEST_F(LabelledFile, JsonLinesAreReadWithTheirFields) {
  put_bytes(
      directory_ / "a.jsonl",
      R"({"id":"a","text":"hi","rating":2,"kind":"review","labels":{"moment":"after_the_fact","actionable":true,"urgency":1,"topic":"food"}})"
      "\n");
  const auto wrong = read_labelled(directory_ / "a.jsonl");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail.find("line 1"), std::string::npos);
  EXPECT_NE(wrong.error().detail.find("topic"), std::string::npos);
  put_bytes(
      directory_ / "b.jsonl",
      R"({"id":"a","text":"hi","rating":2,"kind":"review","labels":{"moment":"after_the_fact","actionable":true,"urgency":1,"topic":"staff"}})"
      "\n\n"
      R"({"text":"no labels"})"
      "\n");
  const auto posts = read_labelled(directory_ / "b.jsonl");
  ASSERT_TRUE(posts) << posts.error().detail;
  ASSERT_EQ(posts->size(), 2U);
  EXPECT_EQ(posts->front().post.kind, PostKind::review);
  EXPECT_EQ(posts->front().actionable, true);
  EXPECT_EQ(posts->front().urgency, 1);
  EXPECT_EQ(posts->front().topic, Topic::staff);
}

TEST_F(LabelledFile, AFaultIsNamedByFileLineAndColumn) {
  const std::string bad_label = refusal("a.tsv", "id\tmoment\ttext\n1\tneither\tok\n2\tsometime\thello\n");
  EXPECT_NE(bad_label.find("a.tsv, line 3, column moment"), std::string::npos) << bad_label;
  EXPECT_NE(bad_label.find("sometime"), std::string::npos);
  EXPECT_NE(refusal("b.tsv", "id\ttext\n1\ta\tb\n").find("line 2"), std::string::npos);
  EXPECT_NE(refusal("c.tsv", "id\tmoment\n").find("\"text\""), std::string::npos);
  EXPECT_NE(refusal("d.tsv", "").find("header"), std::string::npos);
  EXPECT_NE(refusal("e.jsonl", "{\"text\":\"a\"}\n{nonsense\n").find("line 2"), std::string::npos);
  EXPECT_NE(refusal("f.txt", "x").find(".tsv or .jsonl"), std::string::npos);
  EXPECT_NE(read_labelled(directory_ / "gone.tsv").error().detail.find("gone.tsv"), std::string::npos);
}

// A judge whose answers are written in the text: "moment actionable urgency intent topic confidence".
class Scripted : public Classifier {
 public:
  Verdict judge(const Post& post, Time) const override {
    Verdict verdict;
    verdict.moment = post.text[0] == 'i' ? Moment::in_the_moment : Moment::after_the_fact;
    verdict.moment_confidence = 0.75;
    verdict.actionable = post.text[1] == '1';
    verdict.actionable_confidence = 0.95;
    static constexpr double kPoints[] = {5, 30, 60, 90};
    verdict.text_urgency = verdict.urgency = kPoints[post.text[2] - '0'];
    verdict.intent = post.text[3] == 'c' ? Intent::complaint : Intent::praise;
    verdict.topic = post.text[4] == 'd' ? Topic::delay : Topic::other;
    return verdict;
  }
  std::string_view judge_name() const override { return "scripted"; }
  std::string_view model_version() const override { return "1"; }
};

LabelledPost labelled(const char* answers, const char* moment, bool actionable, int urgency, Intent intent,
                      Topic topic) {
  LabelledPost post;
  post.post.text = answers;
  post.moment = moment;
  post.actionable = actionable;
  post.urgency = urgency;
  post.intent = intent;
  post.topic = topic;
  return post;
}

TEST(Evaluate, CountsAsAPersonWould) {
  const std::vector<LabelledPost> posts = {
      labelled("i12cd", "in_the_moment", true, 2, Intent::complaint, Topic::delay),  // all right
      labelled("a11cd", "in_the_moment", true, 3, Intent::complaint, Topic::delay),  // moment and urgency wrong
      labelled("a00po", "after_the_fact", true, 0, Intent::praise, Topic::other),    // actionable wrong
      labelled("a13co", "neither", false, 1, Intent::praise, Topic::delay),          // nothing right
  };
  nlohmann::json result;
  const std::string table = evaluate(Scripted(), posts, &result);
  EXPECT_NE(table.find("moment"), std::string::npos);
  const nlohmann::json& labels = result["labels"];
  // Moment, the three posts that are one of the two: in 1 of 2 found and none wrongly; after 1 of 1 found, said twice.
  EXPECT_NEAR(labels["moment"]["score"].get<double>(), (2.0 / 3 + 2.0 / 3) / 2, 1e-9);
  EXPECT_EQ(labels["moment"]["posts"], 3);
  // Always "in the moment": F1 0.8 of one, 0 of the other.
  EXPECT_NEAR(labels["moment"]["commonest"].get<double>(), 0.4, 1e-9);
  // Actionable: three are, three were said to be, two are both.
  EXPECT_NEAR(labels["actionable"]["score"].get<double>(), 2.0 * 2 / 6, 1e-9);
  EXPECT_NEAR(labels["actionable"]["commonest"].get<double>(), 2.0 * 3 / 7, 1e-9);
  // Urgency of at least 2: two are, two were said to be, one is both. Of 3: one is, one was said, not the same.
  EXPECT_NEAR(labels["urgency >= 2"]["score"].get<double>(), 0.5, 1e-9);
  EXPECT_NEAR(labels["urgency = 3"]["score"].get<double>(), 0, 1e-9);
  // Intent: complaint 2 of 2 but said 3 times (0.8), praise 1 of 2 (2/3). Topic: delay 2 of 3 (0.8), other 1 of 1 said
  // twice.
  EXPECT_NEAR(labels["intent"]["score"].get<double>(), (0.8 + 2.0 / 3) / 2, 1e-9);
  EXPECT_NEAR(labels["topic"]["score"].get<double>(), (0.8 + 2.0 / 3) / 2, 1e-9);
  // Said with 0.75, right twice of three; said with 0.95, right twice of four.
  EXPECT_NEAR(result["calibration_error"]["moment"].get<double>(), 0.75 - 2.0 / 3, 1e-9);
  EXPECT_NEAR(result["calibration_error"]["actionable"].get<double>(), 0.95 - 0.5, 1e-9);
  EXPECT_NEAR(labels["topic"]["values"]["delay"]["recall"].get<double>(), 2.0 / 3, 1e-9);
}

TEST(Evaluate, NothingToMeasureIsNoFault) {
  nlohmann::json result;
  EXPECT_FALSE(evaluate(shipped(), {}, &result).empty());
  EXPECT_EQ(result["posts"], 0);
}

}  // namespace
}  // namespace triage::classify
