// What a team gets to read, and what it does not.
#include "triage/deliver/payload.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace triage::deliver {
namespace {

using nlohmann::json;

const Time kNow = from_millis(1'795'340'000'123);

struct Callback : ::testing::Test {
  Callback() {
    escalation.id = EscalationId::make(kNow);
    escalation.case_id = CaseId::make(kNow);
    escalation.ladder = "ops";
    escalation.level = 1;
    escalation.reason = "critical at LHR-T5";
    escalation.raised_at = kNow;
    escalation.ack_by = kNow + std::chrono::minutes(10);
    c.id = escalation.case_id;
    c.team = "care";
    c.moment = Moment::in_the_moment;
    c.priority = Priority::critical;
    c.urgency = 88.27;
    c.topic = Topic::queue;
    c.intent = Intent::complaint;
    c.site = "LHR-T5";
    c.decision.site = SiteMatch{"LHR-T5", "alias \"Heathrow T5\""};
    c.platform = "x";
    c.brand_account = "acme";
    c.language = "en";
    c.opened_at = c.updated_at = kNow;
    author.id = AuthorId::make(kNow);
    author.author.handle = "ann";
    author.author.name = "Ann Example";
    author.author.followers = 1200;
    author.cases = 2;
    posts.push_back(post("1803", PostKind::mention, "Stuck in the queue at T5"));
  }

  store::PostRecord post(const std::string& native_id, PostKind kind, const std::string& text) const {
    store::PostRecord record;
    record.post.id = PostId::make(kNow);
    record.post.native_id = native_id;
    record.post.platform = "x";
    record.post.kind = kind;
    record.post.text = text;
    record.post.url = "https://x.example/status/" + native_id;
    record.post.created_at = kNow;
    record.post.author = author.author;
    record.post.media.push_back({"photo", "https://img.example/" + native_id});
    Verdict verdict;
    verdict.moment = Moment::in_the_moment;
    verdict.urgency = 88.27;
    verdict.priority = Priority::critical;
    verdict.topic = Topic::queue;
    verdict.reasons = {{"moment", "stuck in", 0.41239}};
    record.verdict = verdict;
    return record;
  }

  std::string text(const Include& include = {}) const {
    EscalationCallback callback;
    callback.type = "escalation.raised";
    callback.escalation = &escalation;
    callback.c = &c;
    callback.author = &author;
    for (const store::PostRecord& record : posts) callback.posts.push_back(&record);
    callback.team = "airport-ops";
    callback.ack_url = ack_url;
    callback.now = kNow;
    return escalation_body(callback, include);
  }
  json body(const Include& include = {}) const { return json::parse(text(include)); }

  store::EscalationRecord escalation;
  store::CaseRecord c;
  store::AuthorRecord author;
  std::vector<store::PostRecord> posts;
  std::string ack_url = "https://care.example/v1/escalations/1/ack?sig=abc";
};

TEST_F(Callback, SaysWhoIsCalledWhyAndUntilWhen) {
  const json got = body();
  EXPECT_EQ(got["type"], "escalation.raised");
  EXPECT_EQ(got["timestamp"], format_time(kNow));
  const json& raised = got["data"]["escalation"];
  EXPECT_EQ(raised["id"], escalation.id.str());
  EXPECT_EQ(raised["ladder"], "ops");
  EXPECT_EQ(raised["level"], 1);
  EXPECT_EQ(raised["team"], "airport-ops");
  EXPECT_EQ(raised["reason"], "critical at LHR-T5");
  EXPECT_EQ(raised["raised_at"], format_time(kNow));
  EXPECT_EQ(raised["ack_by"], format_time(kNow + std::chrono::minutes(10)));
  EXPECT_EQ(raised["ack_url"], ack_url);
  EXPECT_TRUE(got["data"]["incident"].is_null());
  EXPECT_EQ(got["data"]["site"], (json{{"name", "LHR-T5"}, {"cue", "alias \"Heathrow T5\""}}));
}

TEST_F(Callback, HasTheCaseAsItStands) {
  const json got = body()["data"]["case"];
  EXPECT_EQ(got["id"], c.id.str());
  EXPECT_EQ(got["state"], "new");
  EXPECT_EQ(got["team"], "care");
  EXPECT_EQ(got["moment"], "in_the_moment");
  EXPECT_EQ(got["priority"], "critical");
  EXPECT_EQ(got["urgency"], 88.2);
  EXPECT_EQ(got["topic"], "queue");
  EXPECT_EQ(got["intent"], "complaint");
  EXPECT_EQ(got["site"], "LHR-T5");
  EXPECT_EQ(got["platform"], "x");
  EXPECT_EQ(got["brand_account"], "acme");
  EXPECT_EQ(got["language"], "en");
  EXPECT_EQ(got["opened_at"], format_time(kNow));
  EXPECT_EQ(got["url"], "https://x.example/status/1803");
}

TEST_F(Callback, HasEachPostWithItsVerdictInShort) {
  posts[0].post.rating = 2;
  posts.push_back(post("1804", PostKind::reply, "Still here"));
  const json got = body()["data"]["posts"];
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0]["id"], posts[0].post.id.str());
  EXPECT_EQ(got[0]["native_id"], "1803");
  EXPECT_EQ(got[0]["platform"], "x");
  EXPECT_EQ(got[0]["kind"], "mention");
  EXPECT_EQ(got[0]["url"], "https://x.example/status/1803");
  EXPECT_EQ(got[0]["created_at"], format_time(kNow));
  EXPECT_EQ(got[0]["text"], "Stuck in the queue at T5");
  EXPECT_FALSE(got[0].contains("withheld"));
  EXPECT_EQ(got[0]["rating"], 2);
  EXPECT_EQ(got[0]["media"], json::parse(R"([{"type": "photo", "url": "https://img.example/1803"}])"));
  EXPECT_EQ(got[0]["verdict"], json::parse(R"({"moment": "in_the_moment", "urgency": 88.2, "priority": "critical",
      "topic": "queue", "reasons": [{"for": "moment", "cue": "stuck in", "weight": 0.412}]})"));
  EXPECT_EQ(got[1]["native_id"], "1804");
  EXPECT_EQ(body()["data"]["case"]["url"], "https://x.example/status/1804");
}

TEST_F(Callback, KeepsADirectMessageInTheHouseUnlessTheTeamIsNamedForIt) {
  posts[0] = post("9", PostKind::direct_message, "my booking is ZX81QL and I am stuck in the queue");
  const std::string kept = text();
  const json got = json::parse(kept)["data"]["posts"][0];
  EXPECT_TRUE(got["text"].is_null());
  EXPECT_EQ(got["withheld"], true);
  EXPECT_EQ(kept.find("ZX81QL"), std::string::npos);
  EXPECT_EQ(kept.find("stuck in"), std::string::npos) << "the verdict's cues are the customer's words";
  EXPECT_EQ(kept.find("img.example"), std::string::npos);

  Include include;
  include.direct_message_text = true;
  EXPECT_EQ(body(include)["data"]["posts"][0]["text"], posts[0].post.text);
}

TEST_F(Callback, LeavesPublicTextOutWhereTheTeamDoesNotIncludeIt) {
  Include include;
  include.post_text = false;
  const json got = body(include)["data"]["posts"][0];
  EXPECT_TRUE(got["text"].is_null());
  EXPECT_EQ(got["withheld"], true);
  EXPECT_EQ(got["verdict"]["priority"], "critical");
}

TEST_F(Callback, NamesTheAuthorOnlyWhenIncluded) {
  const std::string kept = text();
  EXPECT_EQ(kept.find("Ann Example"), std::string::npos);
  EXPECT_EQ(kept.find("\"customer\""), std::string::npos);
  EXPECT_EQ(kept.find(author.id.view()), std::string::npos);

  Include include;
  include.author = true;
  const json got = body(include)["data"];
  EXPECT_EQ(got["case"]["customer"], (json{{"id", author.id.str()},
                                           {"handle", "ann"},
                                           {"name", "Ann Example"},
                                           {"followers", 1200},
                                           {"earlier_cases", 2}}));
  EXPECT_EQ(got["posts"][0]["author"]["handle"], "ann");
}

TEST_F(Callback, LeavesDeletedPostsOut) {
  posts.push_back(post("1804", PostKind::reply, "regret this"));
  posts[1].state = store::PostState::deleted;
  const json got = body()["data"];
  EXPECT_EQ(got["posts"].size(), 1U);
  EXPECT_EQ(got["case"]["url"], "https://x.example/status/1803");
}

TEST_F(Callback, SpellsWhatIsNotKnownAsNull) {
  c.site.reset();
  escalation.ack_by.reset();
  ack_url.clear();
  posts.clear();
  const json got = body()["data"];
  EXPECT_TRUE(got["site"].is_null());
  EXPECT_TRUE(got["case"]["site"].is_null());
  EXPECT_TRUE(got["case"]["url"].is_null());
  EXPECT_TRUE(got["escalation"]["ack_by"].is_null());
  EXPECT_TRUE(got["escalation"]["ack_url"].is_null());
  EXPECT_EQ(got["posts"], json::array());
}

TEST_F(Callback, IsValidJsonWhateverThePostSays) {
  const std::string every_control = [] {
    std::string all;
    for (char byte = 0; byte < 0x20; ++byte) all += byte;
    return all;
  }();
  for (const std::string& said :
       {std::string("quote \" backslash \\ slash / line\nend\ttab\r"), every_control, std::string("\x7f"),
        std::string("emoji 😡👩‍👩‍👧 and עברית"), std::string("\xE2\x80\xA8 separators")}) {
    posts[0].post.text = said;
    EXPECT_EQ(body()["data"]["posts"][0]["text"], said);
  }
}

// Texts come in as valid UTF-8; should one ever not be, the callback must be valid all the same.
TEST_F(Callback, ReplacesWhatIsNotUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a\x80z", "a" + bad + "z"},                  // a continuation alone
      {"a\xC3", "a" + bad},                         // cut off
      {"\xE2\x82z", bad + bad + "z"},               // cut off in the middle
      {"\xC0\xAF", bad + bad},                      // overlong
      {"\xED\xA0\x80", bad + bad + bad},            // a surrogate
      {"\xF4\x90\x80\x80", bad + bad + bad + bad},  // past the last character
      {"\xF5\xFF", bad + bad},                      // never a byte of UTF-8
      {"\xF0\x9F\x98\xA1", "\xF0\x9F\x98\xA1"},     // and what is right stays
  };
  for (const auto& [said, expected] : cases) {
    posts[0].post.text = said;
    EXPECT_EQ(body()["data"]["posts"][0]["text"], expected);
  }
}

TEST_F(Callback, HasNoNumberThatJsonDoesNotKnow) {
  c.urgency = std::numeric_limits<double>::quiet_NaN();
  posts[0].verdict->reasons[0].weight = std::numeric_limits<double>::infinity();
  const json got = body()["data"];
  EXPECT_TRUE(got["case"]["urgency"].is_null());
  EXPECT_TRUE(got["posts"][0]["verdict"]["reasons"][0]["weight"].is_null());
}

TEST_F(Callback, TellsWhatOperationsAnswered) {
  escalation.state = store::EscalationState::acknowledged;
  escalation.acknowledged_at = kNow;
  escalation.answered_by = "airport-ops";
  escalation.action = "second desk open 09:40";
  const json got = body()["data"]["escalation"];
  EXPECT_EQ(got["state"], "acknowledged");
  EXPECT_EQ(got["acknowledged_at"], format_time(kNow));
  EXPECT_EQ(got["answered_by"], "airport-ops");
  EXPECT_EQ(got["action"], "second desk open 09:40");
}

}  // namespace
}  // namespace triage::deliver
