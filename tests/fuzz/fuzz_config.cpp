// links: triage_app
// seeds: config/*.json config/demo/*.json
//
// Any bytes as a configuration: taken, or refused with the place and what was expected; and every name that a
// configuration that was taken speaks of is known in it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "triage/app/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace triage;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = app::parse_config(text, "/nonexistent/triaged.json");
  if (!loaded) {
    CHECK(!loaded.error().empty());
    for (const auto& finding : loaded.error()) {
      CHECK(!finding.message.empty());
      CHECK(finding.pointer.empty() || finding.pointer.starts_with('/'));
      CHECK(!app::to_string(finding).empty());
    }
    return 0;
  }
  const app::Config& config = loaded->config;
  const auto known = [&](const std::string& name) {
    return std::any_of(config.teams.begin(), config.teams.end(), [&](const auto& team) { return team.name == name; });
  };
  CHECK(known(config.plan.team));
  for (const auto& [name, rungs] : config.plan.ladders) {
    CHECK(!name.empty());
    for (const auto& rung : rungs) CHECK(known(rung.team));
  }
  CHECK(app::endpoints(config).size() <= config.teams.size());
  for (const auto& source : config.sources) CHECK(!source.unsigned_ok || app::is_loopback(config.server.host));
  return 0;
}
