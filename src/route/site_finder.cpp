#include "route/site_finder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace triage::route {
namespace {

constexpr double kEarthMetres = 6'371'008.8;
constexpr double kMetresPerDegree = kEarthMetres * std::numbers::pi / 180;

std::string distance_text(double metres) {
  if (metres < 10'000) return std::to_string(std::lround(metres)) + " m";
  return std::to_string(std::lround(metres / 1000)) + " km";
}

}  // namespace

double distance_m(double lat1, double lon1, double lat2, double lon2) {
  constexpr double kRadians = std::numbers::pi / 180;
  const double a = std::sin((lat2 - lat1) * kRadians / 2);
  const double b = std::sin((lon2 - lon1) * kRadians / 2);
  const double h = a * a + std::cos(lat1 * kRadians) * std::cos(lat2 * kRadians) * b * b;
  return 2 * kEarthMetres * std::asin(std::min(1.0, std::sqrt(h)));
}

SiteFinder::SiteFinder(const std::vector<Site>& sites) : sites_(sites) {
  const auto add = [this](AliasFinder& finder, const std::string& alias, std::size_t site, const char* what) {
    finder.add(alias, static_cast<std::uint32_t>(names_.size()));
    names_.push_back({static_cast<std::uint32_t>(site), what + (" \"" + alias + '"')});
  };
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    for (const std::string& alias : sites_[i].aliases) {
      add(in_text_, alias, i, "alias");
      add(in_place_, alias, i, "alias");
    }
    add(in_place_, sites_[i].name, i, "place");
  }
}

std::optional<SiteMatch> SiteFinder::by_position(double lat, double lon) const {
  const Site* nearest = nullptr;
  double least = 0;
  for (const Site& site : sites_) {
    if (!site.lat || !site.lon) continue;
    // Most sites are elsewhere, and the latitude alone says so.
    if (std::abs(*site.lat - lat) * kMetresPerDegree > site.radius_m + 1) continue;
    const double metres = distance_m(lat, lon, *site.lat, *site.lon);
    if (metres <= site.radius_m && (nearest == nullptr || metres < least)) {
      nearest = &site;
      least = metres;
    }
  }
  if (nearest == nullptr) return std::nullopt;
  return SiteMatch{nearest->name, distance_text(least) + " from " + nearest->name};
}

std::optional<SiteMatch> SiteFinder::find(const Post& post) const {
  if (sites_.empty()) return std::nullopt;
  std::optional<AliasFinder::Hit> hit;
  if (post.geo) {
    if (post.geo->lat && post.geo->lon) {
      if (auto match = by_position(*post.geo->lat, *post.geo->lon)) return match;
    }
    hit = in_place_.find(post.geo->place);
  }
  const auto in_text = in_text_.find(post.text);
  if (in_text && (!hit || in_text->letters > hit->letters)) hit = in_text;
  if (!hit) return std::nullopt;
  const Name& name = names_[hit->value];
  return SiteMatch{sites_[name.site].name, name.cue};
}

}  // namespace triage::route
