// What the routing tree says is to be done with a post, kept on its case so that "why was nobody called?" has an
// answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "triage/model/time.h"

namespace triage {

struct Rung {
  Duration after{};  // from the moment the escalation was raised
  std::string team;
};

struct SiteMatch {
  std::string site;
  std::string cue;  // what gave it: "alias \"Heathrow T5\"", "320 m from LHR-T5"
};

struct Decision {
  std::vector<std::string> path;  // the routes entered, outermost first: their names, or "routes/0/routes/1"
  std::string team;               // where the case waits
  std::string ladder;             // empty: nobody is called
  std::vector<Rung> rungs;        // the ladder as it was when decided, so that a reload changes no open escalation
  std::optional<SiteMatch> site;
  std::string why;                         // one sentence: who is called and what matched, or why nobody is
  std::optional<Duration> first_response;  // the response clock that applies: the shortest
  std::string first_response_rule;         // which one gave it: "in_the_moment", "x", "default"
};

}  // namespace triage
