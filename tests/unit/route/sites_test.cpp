#include <gtest/gtest.h>

#include "unit/route/fixtures.h"

namespace triage::route {
namespace {

Router router_of(std::vector<Site> sites) {
  Plan plan;
  plan.team = "care";
  plan.sites = std::move(sites);
  return Router(std::move(plan));
}

std::string found_in(const std::vector<std::string>& aliases, const std::string& text) {
  const auto match = router_of({site("S", aliases)}).locate(post_with(text));
  return match ? match->cue : "";
}

struct AliasCase {
  const char* alias;
  const char* text;
  bool found;
};

class Aliases : public testing::TestWithParam<AliasCase> {};

TEST_P(Aliases, AreFoundOnWordBordersWithCaseAndAccentsFolded) {
  const AliasCase& c = GetParam();
  EXPECT_EQ(!found_in({c.alias}, c.text).empty(), c.found) << c.alias << " in " << c.text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Aliases,
    testing::Values(
        AliasCase{"Heathrow T5", "stuck at heathrow t5 for an hour", true},
        AliasCase{"Heathrow T5", "HEATHROW  T5!", true}, AliasCase{"Heathrow T5", "heathrow-t5", true},
        AliasCase{"Heathrow T5", "Heathrow\nT5", true}, AliasCase{"Heathrow T5", "Heathrow T50", false},
        AliasCase{"Heathrow T5", "Heathrow", false}, AliasCase{"Heathrow T5", "T5 Heathrow", false},
        AliasCase{"Heathrow T5", "Heathrow is not T5", false}, AliasCase{"Heathrow", "heathrow's queue", true},
        AliasCase{"Heathrow", "Heathrows", false}, AliasCase{"Heathrow", "", false},
        AliasCase{"Zürich HB", "am zurich hb gestrandet", true}, AliasCase{"Zurich", "ZÜRICH!", true},
        AliasCase{"Zürich", "Zu\xCC\x88rich", true},  // ü as u and an accent of its own
        AliasCase{"São Paulo", "sao paulo", true}, AliasCase{"Łódź", "lodz", true}, AliasCase{"Αθήνα", "ΑΘΗΝΑ", true},
        AliasCase{"Шереметьево", "ШЕРЕМЕТЬЕВО", true}, AliasCase{"T5", "Ｔ５", true},  // full-width
        AliasCase{"成田空港", "今、成田空港で待っています", true}, AliasCase{"인천공항", "인천공항에서 기다려요", true},
        AliasCase{"Gate 4", "gate 4😡", true}, AliasCase{"Gate 4", "gate 40", false},
        AliasCase{"#LHR", "nightmare #LHR", true}, AliasCase{"#LHR", "nightmare #lhr!", true},
        AliasCase{"#LHR", "nightmare LHR", false}, AliasCase{"#LHR", "#LHRdelays", false},
        AliasCase{"#LHR", "# LHR", false}, AliasCase{"LHR", "#LHR", true}, AliasCase{"LHR", "@LHR", true},
        AliasCase{"@HeathrowAirport", "hey @heathrowairport", true},
        AliasCase{"@HeathrowAirport", "heathrowairport", false}, AliasCase{"Heathrow T5", "#HeathrowT5", true},
        AliasCase{"Heathrow T5", "#Heathrow_T5", true}, AliasCase{"Heathrow T5", "HeathrowT5", false},
        AliasCase{"LHR", "https://example.com/lhr/status", false}, AliasCase{"LHR", "see https://x.co/a LHR", true},
        AliasCase{"🛫", "🛫", false}, AliasCase{"LHR", "\xFFLHR\xC3", true}, AliasCase{"LHR", "LHR\xE2\x82", true}));

TEST(Sites, AnAliasNeedsALetterOrADigit) {
  EXPECT_TRUE(is_usable_alias("#LHR"));
  EXPECT_TRUE(is_usable_alias("駅"));
  for (const char* alias : {"", "#", "🛫", " - "}) EXPECT_FALSE(is_usable_alias(alias)) << alias;
}

TEST(Sites, TheLongestAliasWins) {
  const Router router = router_of({site("LHR", {"Heathrow"}), site("LHR-T5", {"Heathrow T5"}), site("T5", {"T5"})});
  EXPECT_EQ(router.locate(post_with("T5? I mean heathrow t5"))->site, "LHR-T5");
  EXPECT_EQ(router.locate(post_with("heathrow t4, then T5"))->site, "LHR");
  EXPECT_EQ(router.locate(post_with("T5"))->cue, "alias \"T5\"");
  EXPECT_FALSE(router.locate(post_with("Gatwick")));
}

TEST(Sites, OfTwoEquallyLongAliasesTheFirstInTheTextWins) {
  const Router router = router_of({site("A", {"LHR"}), site("B", {"LGW"})});
  EXPECT_EQ(router.locate(post_with("from LGW to LHR"))->site, "B");
}

TEST(Sites, OfTwoEqualAliasesTheFirstConfiguredWins) {
  const Router router = router_of({site("A", {"central"}), site("B", {"Central"})});
  EXPECT_EQ(router.locate(post_with("at central"))->site, "A");
}

TEST(Sites, ThePlatformsPlaceIsReadLikeTheTextAndKnowsTheSitesName) {
  const Router router = router_of({site("LHR-T5", {"Heathrow T5"})});
  Post post = post_with("stuck");
  post.geo = Geo{{}, {}, "LHR T5, London"};
  EXPECT_EQ(router.locate(post)->cue, "place \"LHR-T5\"");
  post.geo->place = "Terminal, Heathrow T5";
  EXPECT_EQ(router.locate(post)->cue, "alias \"Heathrow T5\"");
  EXPECT_FALSE(router.locate(post_with("LHR T5")));
}

TEST(Sites, TheNearestWithinItsRadiusWins) {
  const Router router =
      router_of({site_at("airport", 51.4700, -0.4543, 4000), site_at("LHR-T5", 51.4723, -0.4887, 1500)});
  Post post = post_with("stuck");
  post.geo = Geo{51.4723, -0.4840, ""};
  const auto match = router.locate(post);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->site, "LHR-T5");
  EXPECT_EQ(match->cue, "326 m from LHR-T5");
  post.geo = Geo{51.4700, -0.4500, ""};
  EXPECT_EQ(router.locate(post)->site, "airport");
  post.geo = Geo{51.1537, -0.1821, ""};  // Gatwick
  EXPECT_FALSE(router.locate(post));
}

TEST(Sites, ThePositionIsBelievedBeforeTheWords) {
  const Router router = router_of({site_at("here", 10, 10, 100), site("elsewhere", {"Elsewhere"})});
  Post post = post_with("on my way to Elsewhere");
  post.geo = Geo{10.0, 10.0, "Elsewhere"};
  EXPECT_EQ(router.locate(post)->site, "here");
  post.geo = Geo{20.0, 10.0, ""};
  EXPECT_EQ(router.locate(post)->site, "elsewhere");
}

TEST(Sites, DistancesHoldAcrossTheDateLineAndAtThePoles) {
  const Router router = router_of({site_at("fiji", -17.0, 179.99, 5000), site_at("pole", 90, 0, 1000)});
  Post post = post_with("stuck");
  post.geo = Geo{-17.0, -179.99, ""};
  EXPECT_EQ(router.locate(post)->cue, "2127 m from fiji");
  post.geo = Geo{89.9999, 123, ""};
  EXPECT_EQ(router.locate(post)->cue, "11 m from pole");
}

}  // namespace
}  // namespace triage::route
