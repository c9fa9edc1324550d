// Posts, verdicts and the contract's plan, for the tests of routing.
#pragma once

#include "triage/route/router.h"

namespace triage::route {

inline const Time kNow = *parse_time("2026-11-22T09:30:00Z");

inline Post post_with(std::string text) {
  Post post;
  post.source = "x-main";
  post.platform = "x";
  post.native_id = "1";
  post.text = std::move(text);
  post.created_at = post.received_at = kNow;
  return post;
}

inline Verdict verdict_of(Moment moment, double urgency, Topic topic) {
  Verdict verdict;
  verdict.moment = moment;
  verdict.actionable = true;
  verdict.intent = Intent::complaint;
  verdict.topic = topic;
  verdict.urgency = urgency;
  verdict.priority = priority_of(urgency);
  verdict.language = "en";
  return verdict;
}

inline Site site(std::string name, std::vector<std::string> aliases) {
  return {std::move(name), std::move(aliases), std::nullopt, std::nullopt, 0};
}

inline Site site_at(std::string name, double lat, double lon, double radius_m) {
  return {std::move(name), {}, lat, lon, radius_m};
}

// The skeleton of the contract.
inline Plan sample_plan() {
  using std::chrono::minutes;
  Plan plan;
  plan.team = "care";
  plan.sites = {{"LHR-T5", {"Heathrow T5", "#LHR"}, 51.4723, -0.4887, 1500}};
  plan.ladders["ops"] = {{minutes(0), "airport-ops"}, {minutes(10), "duty-manager"}, {minutes(30), "executive-desk"}};
  plan.ladders["executive"] = {{minutes(0), "executive-desk"}};
  Route executive;
  executive.match.min_followers = 100'000;
  executive.escalate = "executive";
  Route ops;
  ops.match.moment = Moment::in_the_moment;
  ops.match.min_urgency = 55;
  ops.match.topic = {Topic::queue, Topic::delay};
  ops.match.site = {"LHR-T5"};
  ops.escalate = "ops";
  ops.routes = {executive};
  plan.routes = {ops};
  plan.first_response = {
      {"in_the_moment", minutes(15)}, {"x", minutes(60)}, {"facebook", minutes(120)}, {"default", minutes(240)}};
  return plan;
}

}  // namespace triage::route
