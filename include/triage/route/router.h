// The routing tree: post and verdict in, decision out. Pure: no sockets, no SQL, no clock.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/model/decision.h"
#include "triage/model/post.h"
#include "triage/model/verdict.h"

namespace triage::route {

// Every field that is set must hold; a list holds when one of its values does.
struct Match {
  std::optional<Moment> moment;
  std::optional<double> min_urgency;
  std::vector<Priority> priority;
  std::vector<Topic> topic;
  std::vector<Intent> intent;
  std::optional<bool> actionable;
  std::vector<std::string> site;
  std::vector<std::string> platform;
  std::vector<PostKind> kind;
  std::vector<std::string> source;
  std::vector<std::string> brand_account;
  std::vector<std::string> language;          // as judged, else as the platform says; "en" takes en-GB too
  std::optional<std::int64_t> min_followers;  // does not hold where the number is not known
  std::optional<bool> verified;               // not known counts as not verified
  std::optional<double> max_rating;
};

struct Route {
  std::string name;  // optional
  Match match;
  std::optional<std::string> team;      // inherited when absent
  std::optional<std::string> escalate;  // a ladder; "" calls nobody; inherited when absent
  std::vector<Route> routes;
};

struct Site {
  std::string name;
  std::vector<std::string> aliases;  // found in text on word borders, letters and accents folded; "#LHR" as a hashtag
  std::optional<double> lat, lon;
  double radius_m = 0;
};

// Whether an alias has a letter or digit in it, without which nothing is found by it.
bool is_usable_alias(std::string_view alias);

// first_response durations by key: "in_the_moment", "after_the_fact", a priority, a platform, or "default". The
// shortest that applies to a post counts.
using ResponseClocks = std::map<std::string, Duration, std::less<>>;

struct Plan {
  std::string team;                          // where a case waits by default
  Duration max_age = std::chrono::hours(2);  // older posts call nobody
  std::vector<Route> routes;
  std::map<std::string, std::vector<Rung>, std::less<>> ladders;
  std::vector<Site> sites;
  ResponseClocks first_response;
};

// A step of the walk, for `triaged route explain`.
struct Step {
  std::string route;  // name, or "routes/0/routes/1"
  int depth = 0;
  bool entered = false;
  std::string why;  // the first condition that did not hold, or what held
};

class Router {
 public:
  // The plan's names (teams, ladders, sites) have been checked by the configuration.
  explicit Router(Plan plan);
  ~Router();
  Router(Router&&) noexcept;

  // Siblings in order, the first that matches is entered; the deepest match decides, and what it does not set it
  // inherits. Only actionable posts call anyone, unless a route on the path asks for `actionable: false`. `steps`, when
  // given, gets the whole walk.
  Decision decide(const Post& post, const Verdict& verdict, Time now, std::vector<Step>* steps = nullptr) const;

  // The site that a post is about: nearest within its radius by geo first, then the longest alias in place or text. In
  // the platform's place a site's own name counts as an alias.
  std::optional<SiteMatch> locate(const Post& post) const;

  const Plan& plan() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace triage::route
