#include "triage/model/verdict.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "triage/model/json.h"

namespace triage {
namespace {

TEST(Labels, AreReadAsTheyAreWritten) {
  for (const char* name : {"in_the_moment", "after_the_fact"}) EXPECT_EQ(to_string(parse_moment(name).value()), name);
  for (const char* name : {"complaint", "request", "question", "praise", "other"}) {
    EXPECT_EQ(to_string(parse_intent(name).value()), name);
  }
  for (const char* name :
       {"delay", "queue", "staff", "product", "outage", "delivery", "billing", "booking", "safety", "other"}) {
    EXPECT_EQ(to_string(parse_topic(name).value()), name);
  }
  for (const char* name : {"low", "normal", "high", "critical"}) {
    EXPECT_EQ(to_string(parse_priority(name).value()), name);
  }
  for (const char* name : {"post", "mention", "comment", "reply", "direct_message", "review"}) {
    EXPECT_EQ(to_string(parse_post_kind(name).value()), name);
  }
  EXPECT_FALSE(parse_moment("neither"));
  EXPECT_FALSE(parse_priority(""));
  EXPECT_FALSE(parse_topic("Delay"));
}

TEST(Priority, IsTheBandOfTheUrgency) {
  EXPECT_EQ(priority_of(100), Priority::critical);
  EXPECT_EQ(priority_of(80), Priority::critical);
  EXPECT_EQ(priority_of(79.99), Priority::high);
  EXPECT_EQ(priority_of(55), Priority::high);
  EXPECT_EQ(priority_of(54.99), Priority::normal);
  EXPECT_EQ(priority_of(20), Priority::normal);
  EXPECT_EQ(priority_of(19.99), Priority::low);
  EXPECT_EQ(priority_of(0), Priority::low);
  EXPECT_LT(Priority::high, Priority::critical);
}

TEST(Verdict, IsWrittenAsTheContractSays) {
  Verdict verdict;
  verdict.moment = Moment::in_the_moment;
  verdict.moment_confidence = 0.93;
  verdict.actionable = true;
  verdict.actionable_confidence = 0.97;
  verdict.intent = Intent::complaint;
  verdict.topic = Topic::queue;
  verdict.sentiment = -0.7;
  verdict.language = "en";
  verdict.text_urgency = 83;
  verdict.urgency = 88;
  verdict.priority = Priority::critical;
  verdict.reasons = {{"moment", "stuck in", 0.41}, {"urgency", "miss our flight", 0.37}};
  verdict.model = "2026.11.1";
  const auto expected = nlohmann::json::parse(R"({
    "moment": "in_the_moment", "moment_confidence": 0.93, "actionable": true, "actionable_confidence": 0.97,
    "intent": "complaint", "topic": "queue", "sentiment": -0.7, "language": "en",
    "text_urgency": 83, "urgency": 88, "priority": "critical",
    "reasons": [{"for": "moment", "cue": "stuck in", "weight": 0.41},
                {"for": "urgency", "cue": "miss our flight", "weight": 0.37}],
    "judge": "fast", "model": "2026.11.1"})");
  EXPECT_EQ(nlohmann::json(verdict), expected);
  EXPECT_EQ(nlohmann::json(expected.get<Verdict>()), expected);
}

TEST(Verdict, AnUrgencyJustBelowABandIsNotWrittenAsTheBand) {
  Verdict verdict;
  verdict.urgency = 79.97;
  EXPECT_EQ(nlohmann::json(verdict).at("urgency").dump(), "79.9");
  verdict.urgency = 80;
  EXPECT_EQ(nlohmann::json(verdict).at("urgency").dump(), "80.0");
}

TEST(Verdict, ADocumentThatIsNotOursThrows) {
  EXPECT_THROW(nlohmann::json::object().get<Verdict>(), nlohmann::json::exception);
  auto document = nlohmann::json(Verdict());
  document["moment"] = "neither";
  EXPECT_THROW(document.get<Verdict>(), nlohmann::json::exception);
}

TEST(Decision, IsReadAsItWasWritten) {
  Decision decision;
  decision.path = {"in the moment", "routes/0/routes/1"};
  decision.team = "care";
  decision.ladder = "ops";
  decision.rungs = {{std::chrono::seconds(0), "airport-ops"}, {std::chrono::minutes(10), "duty-manager"}};
  decision.site = SiteMatch{"LHR-T5", "alias \"Heathrow T5\""};
  decision.why = "because";
  decision.first_response = std::chrono::minutes(15);
  decision.first_response_rule = "in_the_moment";
  const nlohmann::json written = decision;
  EXPECT_EQ(written.at("rungs").dump(),
            R"([{"after":"0s","team":"airport-ops"},{"after":"10m","team":"duty-manager"}])");
  EXPECT_EQ(written.at("first_response"), "15m");
  EXPECT_EQ(nlohmann::json(written.get<Decision>()), written);

  const nlohmann::json empty = Decision();
  EXPECT_FALSE(empty.contains("ladder"));
  EXPECT_FALSE(empty.contains("site"));
  EXPECT_EQ(nlohmann::json(empty.get<Decision>()), empty);
}

}  // namespace
}  // namespace triage
