// What `triaged demo` plays: a day at four invented brands (config/demo/posts.jsonl) and the configuration that goes
// with it (config/demo/triaged.json). Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "triage/model/error.h"
#include "triage/model/time.h"

namespace triage::app {

// One line of the file: a Post of the generic shape, and beside it when in the day it comes (`at`, HH:MM:SS), to which
// source, and how long before that it was written (`age`, a duration; none: just then).
struct DemoPost {
  std::string at;
  std::string source;
  Duration age{};
  nlohmann::json post;
};

// The error names the line.
Result<std::vector<DemoPost>> parse_demo_posts(std::string_view jsonl);

// The body to send now. `round` makes ids and customers of this time through the day its own, so that none of them is
// known from the last; what refers to another post of the day still does.
std::string demo_body(const DemoPost& post, std::string_view round, Time now);

// The sample configuration with the three values that it leaves to the demo, as ${TRIAGED_DEMO_…}, filled in: where
// callbacks go, what they are signed with, and what the posts are signed with.
std::string demo_config(std::string_view text, std::string_view callbacks, std::string_view secret,
                        std::string_view key);

}  // namespace triage::app
