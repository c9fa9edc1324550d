// Which site a post is about: where it was written from, or what it names.
#pragma once

#include <optional>
#include <vector>

#include "route/alias_finder.h"
#include "triage/route/router.h"

namespace triage::route {

// Metres along the earth's surface (haversine, mean radius).
double distance_m(double lat1, double lon1, double lat2, double lon2);

class SiteFinder {
 public:
  explicit SiteFinder(const std::vector<Site>& sites);

  std::optional<SiteMatch> find(const Post& post) const;

 private:
  std::optional<SiteMatch> by_position(double lat, double lon) const;

  struct Name {
    std::uint32_t site;
    std::string cue;
  };
  std::vector<Site> sites_;
  std::vector<Name> names_;
  AliasFinder in_text_;   // aliases
  AliasFinder in_place_;  // aliases and the sites' own names: a platform's place is a name and nothing else
};

}  // namespace triage::route
