// Reading --config and --data.
#include "app/data_place.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "triage/app/config.h"

namespace triage::app {

std::shared_ptr<DataPlace> add_data_place(CLI::App& command, const char* data) {
  auto place = std::make_shared<DataPlace>();
  command.add_option("--config", place->config, "The server's configuration file")->type_name("FILE");
  command.add_option(data, place->data, "The data directory, over the configuration's (default ./data)")
      ->type_name("DIR");
  return place;
}

std::optional<DataFound> find_data(const DataPlace& place) {
  Overrides overrides;
  if (!place.data.empty()) overrides.data = place.data;
  const ConfigResult loaded = place.config.empty() ? default_config(overrides) : load_config(place.config, overrides);
  if (!loaded) {
    for (const Finding& finding : loaded.error()) std::fprintf(stderr, "%s\n", to_string(finding).c_str());
    return std::nullopt;
  }
  DataFound found;
  found.directory = loaded->config.store.directory;
  if (!place.config.empty()) {
    found.teams.emplace();
    for (const TeamConfig& team : loaded->config.teams) found.teams->push_back(team.name);
  }
  return found;
}

int report(const Error& error) {
  std::fprintf(stderr, "triaged: %s\n", error.detail.c_str());
  switch (error.code) {
    case ErrorCode::unavailable:
    case ErrorCode::internal:
      return 3;
    default:
      return 1;
  }
}

}  // namespace triage::app
