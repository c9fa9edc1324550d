// `triaged restore FILE`: a backup becomes the database of an empty data directory.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/data_place.h"
#include "triage/store/store.h"

namespace triage::app {
namespace {

int restore(const DataPlace& place, const std::string& file, bool release_deliveries) {
  const auto found = find_data(place);
  if (!found) return 1;
  const Result<void> done = store::restore(file, found->directory, release_deliveries);
  if (!done) return report(done.error());
  std::printf("restored to %s\n", found->directory.c_str());
  if (!release_deliveries)
    std::printf("callbacks and replies that waited in the backup are held; see deliveries of state held\n");
  return 0;
}

}  // namespace

void add_restore(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand(
      "restore", "Makes a backup the database of an empty data directory; refuses to overwrite one");
  auto file = std::make_shared<std::string>();
  auto release = std::make_shared<bool>(false);
  command->add_option("FILE", *file, "A file that `triaged backup` made")->required();
  command->add_flag("--release-deliveries", *release,
                    "Send the callbacks and replies that waited when the backup was made, instead of holding them");
  auto place = add_data_place(*command);
  command->callback([place, file, release, &exit_code] { exit_code = restore(*place, *file, *release); });
}

}  // namespace triage::app
