// What `triaged classify` answers, line by line.
#include "app/classify_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace triage::app {
namespace {

using nlohmann::json;

const classify::Classifier& judge() {
  static const auto model = classify::shipped_model();
  return *model.value();
}

std::vector<json> answers(const std::string& lines, bool& all_valid) {
  std::istringstream in(lines);
  std::ostringstream out;
  all_valid = classify_lines(judge(), in, out);
  std::vector<json> read;
  std::istringstream written(out.str());
  for (std::string line; std::getline(written, line);) read.push_back(json::parse(line));
  return read;
}

TEST(ClassifyLines, EachLineGetsItsVerdictInOrder) {
  bool valid = false;
  const auto out = answers(
      "{\"id\":\"b\",\"text\":\"stuck on the tarmac for 3 hours, still no news\"}\n"
      "\n"
      "{\"id\":7,\"text\":\"Thank you, lovely crew!\"}\n"
      "{\"text\":\"\"}",
      valid);
  EXPECT_TRUE(valid);
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[0]["id"], "b");
  EXPECT_EQ(out[0]["moment"], "in_the_moment");
  EXPECT_EQ(out[1]["id"], 7);
  EXPECT_EQ(out[1]["intent"], "praise");
  EXPECT_FALSE(out[2].contains("id"));
  EXPECT_EQ(out[2]["actionable"], false);
}

TEST(ClassifyLines, ALineThatIsNotValidIsAnsweredInItsPlaceAndSaidAtTheEnd) {
  bool valid = true;
  const auto out = answers(
      "not json\n{\"id\":\"x\"}\n[1]\n{\"id\":\"y\",\"text\":5}\n{\"text\":\"hi\",\"rating\":9}\n"
      "{\"id\":\"z\",\"text\":\"\xFF\"}\n{\"id\":\"ok\",\"text\":\"hi\"}\n",
      valid);
  EXPECT_FALSE(valid);
  ASSERT_EQ(out.size(), 7U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(out[i].contains("error")) << out[i];
  EXPECT_EQ(out[1]["id"], "x");
  EXPECT_EQ(out[4]["errors"][0]["pointer"], "/rating");
  EXPECT_FALSE(out[6].contains("error"));
  EXPECT_EQ(out[6]["id"], "ok");
}

TEST(ClassifyLines, TheFieldsThatTheLineBringsCount) {
  bool valid = false;
  const std::string text = "\"text\":\"my bag did not arrive, who can help me?\"";
  const auto out =
      answers("{" + text + "}\n{" + text + ",\"author\":{\"native_id\":\"1\",\"followers\":250000}}\n", valid);
  ASSERT_EQ(out.size(), 2U);
  ASSERT_EQ(out[0]["actionable"], true);
  EXPECT_EQ(out[0]["urgency"], out[0]["text_urgency"]);
  EXPECT_EQ(out[1]["text_urgency"], out[0]["text_urgency"]);
  EXPECT_GT(out[1]["urgency"], out[1]["text_urgency"]);
}

TEST(ClassifyLines, ATextIsJudgedAsALineIs) {
  bool valid = false;
  const auto out = answers("{\"text\":\"the app is down again\"}\n", valid);
  EXPECT_EQ(json::parse(classify_text(judge(), "the app is down again")), out.at(0));
  EXPECT_TRUE(json::accept(classify_text(judge(), "\xFF\xFE")));
}

}  // namespace
}  // namespace triage::app
