// `triaged backup FILE`: a consistent copy of the database, beside a running server or without one.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "app/commands.h"
#include "app/data_place.h"
#include "triage/store/store.h"

namespace triage::app {
namespace {

int backup(const DataPlace& place, const std::string& file) {
  const auto found = find_data(place);
  if (!found) return 1;
  auto session = store::open_session(found->directory, false);
  if (!session) return report(session.error());
  const Result<void> done = (*session)->backup(file);
  if (!done) return report(done.error());
  std::printf("%s\n", file.c_str());
  return 0;
}

}  // namespace

void add_backup(CLI::App& root, int& exit_code) {
  CLI::App* command =
      root.add_subcommand("backup", "Copies the database to FILE, consistently, while the server runs or not");
  auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "The copy: made with mode 0600, never overwritten")->required();
  auto place = add_data_place(*command);
  command->callback([place, file, &exit_code] { exit_code = backup(*place, *file); });
}

}  // namespace triage::app
