// triaged check: says of a configuration whether it can be served, and if not, all that is wrong with it.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/judges.h"
#include "triage/app/config.h"

namespace triage::app {
namespace {

std::string count_of(std::size_t count, const char* what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

int check(const std::string& file) {
  const ConfigResult loaded = load_config(file);
  if (!loaded) {
    for (const Finding& finding : loaded.error()) std::cerr << to_string(finding) << '\n';
    std::cerr << count_of(loaded.error().size(), "error") << '\n';
    return 1;
  }
  // Reading the configuration only looks whether the models' files are there; this looks into them.
  std::string pointer;
  if (const auto bench = load_bench(loaded->config.classifier, &pointer); !bench) {
    std::cerr << to_string(Finding{file, pointer, bench.error().detail}) << '\n';
    return 1;
  }
  for (const Finding& finding : loaded->warnings) std::cerr << "warning: " << to_string(finding) << '\n';
  const Config& config = loaded->config;
  std::cout << file << ": valid (" << count_of(config.sources.size(), "source") << ", "
            << count_of(config.teams.size(), "team") << ", " << count_of(config.plan.sites.size(), "site") << ", "
            << count_of(config.plan.ladders.size(), "ladder") << "; " << count_of(loaded->warnings.size(), "warning")
            << ")\n";
  return 0;
}

}  // namespace

void add_check(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand(
      "check", "Validates a configuration: exit 0, or 1 with each error's file, JSON pointer and what was expected");
  auto file = std::make_shared<std::string>();
  command->add_option("--config", *file, "The configuration file")->required()->type_name("FILE");
  command->callback([file, &exit_code] { exit_code = check(*file); });
}

}  // namespace triage::app
