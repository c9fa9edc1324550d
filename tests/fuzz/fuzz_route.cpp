// links: triage_route
// seeds: tests/fixtures/*.json
//
// Any text and place: a site is found or not, never a crash; and a decision always says where the case waits and why.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "check.h"
#include "triage/model/json.h"
#include "triage/route/router.h"

namespace {

using namespace triage;

const route::Router& router() {
  static const route::Router made = [] {
    route::Plan plan;
    plan.team = "care";
    plan.ladders["ops"] = {{Duration(0), "airport-ops"}, {std::chrono::minutes(10), "duty-manager"}};
    plan.sites.push_back({"LHR-T5", {"Heathrow T5", "#LHR", "Terminal 5"}, 51.4723, -0.4887, 1500});
    plan.sites.push_back({"Zürich HB", {"Zürich", "ZÜRICH HAUPTBAHNHOF", "駅"}, 47.3782, 8.5402, 800});
    plan.sites.push_back({"pole", {"#pole"}, 90.0, 0.0, 100000});
    route::Route ops;
    ops.match.moment = Moment::in_the_moment;
    ops.match.min_urgency = 55;
    ops.escalate = "ops";
    plan.routes.push_back(ops);
    plan.first_response["default"] = std::chrono::hours(4);
    return route::Router(std::move(plan));
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Two doubles and a byte, then the text.
  constexpr std::size_t kHead = 2 * sizeof(double) + 1;
  if (size < kHead) return 0;
  double lat = 0;
  double lon = 0;
  std::memcpy(&lat, data, sizeof lat);
  std::memcpy(&lon, data + sizeof lat, sizeof lon);
  const unsigned facts = data[kHead - 1];

  Post post;
  post.text.assign(reinterpret_cast<const char*>(data) + kHead, size - kHead);
  const Time now = from_millis(1'760'000'000'000);
  post.created_at = post.received_at = now;
  if (lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) {
    post.geo = Geo{lat, lon, facts & 1 ? post.text : ""};
  }
  Verdict verdict;
  verdict.actionable = (facts & 2) != 0;
  verdict.moment = facts & 4 ? Moment::in_the_moment : Moment::after_the_fact;
  verdict.urgency = verdict.text_urgency = static_cast<double>(facts % 101);
  verdict.priority = priority_of(verdict.urgency);

  const Decision decision = router().decide(post, verdict, now);
  CHECK(decision.team == "care");
  CHECK(!decision.why.empty());
  CHECK(decision.ladder.empty() == decision.rungs.empty());
  CHECK(verdict.actionable || decision.ladder.empty());
  CHECK(decision.first_response == Duration(std::chrono::hours(4)));
  const auto site = router().locate(post);
  CHECK(site.has_value() == decision.site.has_value());
  CHECK(!site || (!site->site.empty() && !site->cue.empty()));
  return 0;
}
