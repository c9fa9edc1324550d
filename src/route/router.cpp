// Walks the routing tree and says in a sentence what came of it.
#include "triage/route/router.h"

#include <array>

#include "route/match.h"
#include "route/site_finder.h"

namespace triage::route {
namespace {

// A route as it is walked: with the name it is spoken of by.
struct Node {
  const Route* route = nullptr;
  std::string label;
  std::vector<Node> children;
};

std::vector<Node> label(const std::vector<Route>& routes, const std::string& above) {
  std::vector<Node> nodes;
  nodes.reserve(routes.size());
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const std::string place = above + "routes/" + std::to_string(i);
    nodes.push_back(
        {&routes[i], routes[i].name.empty() ? place : routes[i].name, label(routes[i].routes, place + '/')});
  }
  return nodes;
}

// "2 h 5 min": an age is told, not configured, so the two largest units do.
std::string age_text(Duration age) {
  const std::int64_t minutes = age.count() / 60'000;
  const std::int64_t hours = minutes / 60;
  const std::int64_t days = hours / 24;
  std::string text;
  const auto add = [&text](std::int64_t count, const char* unit) {
    if (count == 0) return;
    if (!text.empty()) text += ' ';
    text.append(std::to_string(count)).append(unit);
  };
  add(days, " d");
  add(hours % 24, " h");
  if (days == 0) add(minutes % 60, " min");
  return text.empty() ? "less than a minute" : text;
}

}  // namespace

struct Router::Impl {
  explicit Impl(Plan given) : plan(std::move(given)), nodes(label(plan.routes, "")), sites(plan.sites) {}

  void set_response_clock(const Post& post, const Verdict& verdict, Decision& decision) const;

  const Plan plan;
  const std::vector<Node> nodes;
  const SiteFinder sites;
};

Router::Router(Plan plan) : impl_(std::make_unique<Impl>(std::move(plan))) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

const Plan& Router::plan() const {
  return impl_->plan;
}
std::optional<SiteMatch> Router::locate(const Post& post) const {
  return impl_->sites.find(post);
}

void Router::Impl::set_response_clock(const Post& post, const Verdict& verdict, Decision& decision) const {
  const std::array<std::string_view, 4> keys{to_string(verdict.moment), to_string(verdict.priority), post.platform,
                                             "default"};
  for (const std::string_view name : keys) {
    const auto rule = plan.first_response.find(name);
    if (rule == plan.first_response.end()) continue;
    if (!decision.first_response || rule->second < *decision.first_response) {
      decision.first_response = rule->second;
      decision.first_response_rule = name;
    }
  }
}

Decision Router::decide(const Post& post, const Verdict& verdict, Time now, std::vector<Step>* steps) const {
  Decision decision;
  decision.site = locate(post);
  decision.team = impl_->plan.team;
  impl_->set_response_clock(post, verdict, decision);

  // Down the tree. What a route does not set stays as its ancestors left it.
  const Facts facts{post, verdict, decision.site};
  const std::string* ladder = nullptr;
  const Node* set_ladder = nullptr;  // the route that named the ladder, or ""
  const Node* deepest = nullptr;
  bool calls_for_any = false;
  const std::vector<Node>* level = &impl_->nodes;
  for (int depth = 0; level != nullptr; ++depth) {
    const Node* entered = nullptr;
    for (const Node& node : *level) {
      const bool holds = matches(node.route->match, facts);
      if (steps != nullptr) {
        std::string why = holds ? what_held(node.route->match, facts) : first_mismatch(node.route->match, facts);
        steps->push_back({node.label, depth, holds, why.empty() ? "it has no conditions" : std::move(why)});
      }
      if (holds) {
        entered = &node;
        break;
      }
    }
    level = nullptr;
    if (entered == nullptr) break;
    deepest = entered;
    const Route& route = *entered->route;
    decision.path.push_back(entered->label);
    if (route.team) decision.team = *route.team;
    if (route.escalate) {
      ladder = &*route.escalate;
      set_ladder = entered;
    }
    if (route.match.actionable == false) calls_for_any = true;
    level = &entered->children;
  }

  // Whom the path calls, and whether this post may call them.
  const auto found = ladder == nullptr ? impl_->plan.ladders.end() : impl_->plan.ladders.find(*ladder);
  if (found == impl_->plan.ladders.end() || found->second.empty()) {
    if (deepest == nullptr) {
      decision.why = "Nobody is called: no route matches.";
    } else if (ladder == nullptr) {
      decision.why = "Nobody is called: route \"" + deepest->label + "\" matches, and no route on its path escalates.";
    } else {
      decision.why = "Nobody is called: route \"" + set_ladder->label + "\" switches the escalation off.";
    }
    return decision;
  }
  const std::string& first_team = found->second.front().team;
  const Time written = post.created_at != Time() ? post.created_at : post.received_at;
  if (!verdict.actionable && !calls_for_any) {
    decision.why = "Nobody is called: the post is not actionable; ladder \"" + *ladder + "\" would have called " +
                   first_team + '.';
    return decision;
  }
  if (now - written > impl_->plan.max_age) {
    decision.why = "Nobody is called: the post is " + age_text(now - written) + " old, older than max_age " +
                   format_duration(impl_->plan.max_age) + "; ladder \"" + *ladder + "\" would have called " +
                   first_team + '.';
    return decision;
  }

  decision.ladder = *ladder;
  decision.rungs = found->second;
  const std::string held = what_held(deepest->route->match, facts);
  decision.why.reserve(128);
  decision.why.append("Calls ").append(first_team).append(" by ladder \"").append(*ladder);
  decision.why.append("\": route \"").append(deepest->label).append("\" matches");
  if (!held.empty()) decision.why.append(" (").append(held).append(")");
  if (decision.site)
    decision.why.append(", site ").append(decision.site->site).append(" by ").append(decision.site->cue);
  decision.why += '.';
  return decision;
}

}  // namespace triage::route
