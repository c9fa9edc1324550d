// Whether a route's conditions hold for a post. One list of conditions serves matching, which must be quick, and
// explaining, which must be readable.
#pragma once

#include <string>

#include "triage/route/router.h"

namespace triage::route {

struct Facts {
  const Post& post;
  const Verdict& verdict;
  const std::optional<SiteMatch>& site;
};

bool matches(const Match& match, const Facts& facts);

// What was found where a condition did not hold: "urgency is 41, wanted 55 or more". "" when all hold.
std::string first_mismatch(const Match& match, const Facts& facts);

// What held: "moment in_the_moment, urgency 83, site LHR-T5". "" when there are no conditions.
std::string what_held(const Match& match, const Facts& facts);

// A number without needless digits: 55, 54.9.
std::string plain_number(double value);

}  // namespace triage::route
