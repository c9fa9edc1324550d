// The command line: `triaged COMMAND`.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "app/commands.h"

int main(int argc, char** argv) {
  int exit_code = 0;
  CLI::App root{"Real-time social care triage", "triaged"};
  root.require_subcommand(1);
  root.set_help_all_flag("--help-all", "Help of every command");
  using namespace triage::app;
  add_serve(root, exit_code);
  add_demo(root, exit_code);
  add_check(root, exit_code);
  add_classify(root, exit_code);
  add_train(root, exit_code);
  add_evaluate(root, exit_code);
  add_rejudge(root, exit_code);
  add_replay(root, exit_code);
  add_route(root, exit_code);
  add_source(root, exit_code);
  add_token(root, exit_code);
  add_backup(root, exit_code);
  add_restore(root, exit_code);
  add_version(root, exit_code);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "triaged: %s\n", error.what());
    return 3;
  }
  return exit_code;
}
