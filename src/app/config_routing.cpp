// The sections that say what becomes of a post: sites, ladders, response clocks and the routing tree.
#include <algorithm>

#include "app/config_sections.h"

namespace triage::app {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Duration kYear = hours(24 * 365);

// A name that exists, or a fault that says which was probably meant.
std::optional<std::string> reference(const Value& value, const char* what, const std::vector<std::string>& known) {
  auto name = value.text();
  if (!name || std::find(known.begin(), known.end(), *name) != known.end()) return name;
  std::string message = std::string("there is no ") + what;
  if (value.written_out()) message += " \"" + *name + '"';
  if (known.empty()) {
    message += ", and no other is configured";
  } else {
    message += ", the nearest is \"" + nearest(*name, known) + '"';
  }
  value.fail(std::move(message));
  return std::nullopt;
}

// All names of a label, in the order of its values.
template <class Enum>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (int i = 0; !to_string(static_cast<Enum>(i)).empty(); ++i) names.emplace_back(to_string(static_cast<Enum>(i)));
  return names;
}

template <class Enum>
std::optional<Enum> label(const Value& value, std::optional<Enum> (*parse)(std::string_view)) {
  const auto name = value.one_of(names_of<Enum>());
  return name ? parse(*name) : std::nullopt;
}

template <class Enum>
void labels(Object& in, const char* key, std::optional<Enum> (*parse)(std::string_view), std::vector<Enum>& out) {
  const auto value = in.find(key);
  if (!value) return;
  for (const Value& element : value->one_or_more()) {
    if (const auto one = label(element, parse)) out.push_back(*one);
  }
}

void references(Object& in, const char* key, const char* what, const std::vector<std::string>& known,
                std::vector<std::string>& out) {
  const auto value = in.find(key);
  if (!value) return;
  for (const Value& element : value->one_or_more()) {
    if (auto name = reference(element, what, known)) out.push_back(std::move(*name));
  }
}

void read_site(Object& in, KnownNames& names, route::Plan& plan) {
  route::Site site;
  if (const auto name = in.require("name", "the site's name")) {
    auto text = name->text();
    if (text && take_name(*name, *text, "site", names.sites)) site.name = std::move(*text);
  }
  if (const auto aliases = in.find("aliases")) {
    for (const Value& element : aliases->elements()) {
      auto alias = element.text();
      if (!alias) continue;
      if (!route::is_usable_alias(*alias)) {
        element.expected("a name with a letter or digit in it");
      } else {
        site.aliases.push_back(std::move(*alias));
      }
    }
  }
  const auto lat = in.find("lat");
  const auto lon = in.find("lon");
  const auto radius = in.find("radius_m");
  if (lat) site.lat = lat->number(-90, 90);
  if (lon) site.lon = lon->number(-180, 180);
  if (radius) site.radius_m = radius->number(1, 1'000'000).value_or(0);
  if (lat || lon || radius) {
    const char* missing = !lat ? "lat" : !lon ? "lon" : !radius ? "radius_m" : nullptr;
    if (missing != nullptr) in.place(missing).fail("missing, expected lat, lon and radius_m together");
  }
  plan.sites.push_back(std::move(site));
}

void read_ladder(const std::string& name, const Value& value, const KnownNames& names, route::Plan& plan) {
  std::vector<Rung> rungs;
  const auto elements = value.elements();
  if (value.json().is_array() && elements.empty()) value.fail("expected at least one rung");
  std::optional<Duration> before;
  for (const Value& element : elements) {
    Object in(element);
    Rung rung;
    if (const auto after = in.require("after", "a duration, counted from when the escalation was raised")) {
      if (const auto time = after->duration(seconds(0), kYear)) {
        rung.after = *time;
        if (rungs.empty() && time->count() != 0) {
          after->fail("expected \"0s\": the first rung is called at once");
        } else if (before && *time <= *before) {
          after->fail("expected more than the rung before, which is after " + format_duration(*before));
        }
        before = *time;
      }
    }
    if (const auto team = in.require("team", "the team to call")) {
      if (const auto known = reference(*team, "team", names.teams)) {
        rung.team = *known;
        const auto& called = names.callback_teams;
        if (std::find(called.begin(), called.end(), *known) == called.end()) {
          team->fail("expected a team with a callback, \"" + *known + "\" has none");
        }
      }
    }
    rungs.push_back(std::move(rung));
  }
  plan.ladders[name] = std::move(rungs);
}

void read_clocks(Object& in, route::Plan& plan) {
  std::vector<std::string> words = names_of<Moment>();
  for (std::string& name : names_of<Priority>()) words.push_back(std::move(name));
  words.push_back("default");

  in.members("first_response", [&](const std::string& name, const Value& value) {
    // Any other word is a platform's name, which may be one that is not known here.
    const std::string near = nearest(name, words);
    if (near != name && name.size() > 4 && edit_distance(name, near) <= 2) {
      value.warn("this counts for a platform of that name; was \"" + near + "\" meant?");
    }
    if (const auto time = value.duration(seconds(1), kYear)) plan.first_response[name] = *time;
  });
}

// Returns whether the match has any condition.
bool read_match(Object& in, const KnownNames& names, route::Match& match) {
  if (const auto moment = in.find("moment")) match.moment = label(*moment, parse_moment);
  if (const auto urgency = in.find("min_urgency")) match.min_urgency = urgency->number(0, 100);
  labels(in, "priority", parse_priority, match.priority);
  labels(in, "topic", parse_topic, match.topic);
  labels(in, "intent", parse_intent, match.intent);
  if (const auto actionable = in.find("actionable")) match.actionable = actionable->flag();
  references(in, "site", "site", names.sites, match.site);
  in.texts("platform", match.platform);
  labels(in, "kind", parse_post_kind, match.kind);
  references(in, "source", "source", names.sources, match.source);
  in.texts("brand_account", match.brand_account);
  in.texts("language", match.language);
  if (const auto followers = in.find("min_followers")) match.min_followers = followers->whole(0, 10'000'000'000);
  if (const auto verified = in.find("verified")) match.verified = verified->flag();
  if (const auto rating = in.find("max_rating")) match.max_rating = rating->number(1, 5);
  return in.value().json().is_object() && !in.value().json().empty();
}

void read_routes(Object& parent, const KnownNames& names, std::vector<route::Route>& out) {
  bool takes_all = false;  // a route before takes whatever comes
  parent.objects("routes", [&](Object& in) {
    if (takes_all) in.value().warn("this is never reached: a route before it has no conditions");
    route::Route route;
    bool conditions = false;
    in.text("name", route.name);
    in.object("match", [&](Object& match) { conditions = read_match(match, names, route.match); });
    if (const auto team = in.find("team")) route.team = reference(*team, "team", names.teams);
    if (const auto escalate = in.find("escalate")) {
      if (escalate->json() == "") {
        route.escalate = "";
      } else {
        route.escalate = reference(*escalate, "ladder", names.ladders);
      }
    }
    read_routes(in, names, route.routes);
    takes_all = takes_all || !conditions;
    out.push_back(std::move(route));
  });
}

bool escalates_by(const std::vector<route::Route>& routes, const std::string& ladder) {
  return std::any_of(routes.begin(), routes.end(), [&](const route::Route& route) {
    return route.escalate == ladder || escalates_by(route.routes, ladder);
  });
}

}  // namespace

void read_routing(Object& root, KnownNames& names, Config& config) {
  route::Plan& plan = config.plan;
  root.objects("sites", [&](Object& in) { read_site(in, names, plan); });
  root.members("ladders", [&](const std::string& name, const Value& value) {
    if (name.empty()) value.fail("expected a name that is not empty");
    names.ladders.push_back(name);
    read_ladder(name, value, names, plan);
  });
  root.object("clocks", [&](Object& in) { read_clocks(in, plan); });

  if (!names.teams.empty()) plan.team = names.teams.front();
  root.object("routing", [&](Object& in) {
    if (const auto team = in.find("team")) plan.team = reference(*team, "team", names.teams).value_or(plan.team);
    in.duration("max_age", plan.max_age, seconds(1), kYear);
    read_routes(in, names, plan.routes);
  });

  for (const std::string& name : names.ladders) {
    if (!escalates_by(plan.routes, name)) {
      root.place("ladders").findings().warn("/ladders/" + pointer_token(name), "no route escalates by this ladder");
    }
  }
}

}  // namespace triage::app
