// The subcommands of `triaged`, one file each (command_NAME.cpp). Each adds itself to the command line; its callback
// does the work and sets the exit code: 0 done, 1 the input was at fault, 2 usage, 3 the environment was at fault.
#pragma once

namespace CLI {
class App;
}

namespace triage::app {

void add_serve(CLI::App& root, int& exit_code);
void add_demo(CLI::App& root, int& exit_code);
void add_check(CLI::App& root, int& exit_code);
void add_classify(CLI::App& root, int& exit_code);
void add_train(CLI::App& root, int& exit_code);
void add_evaluate(CLI::App& root, int& exit_code);
void add_rejudge(CLI::App& root, int& exit_code);
void add_replay(CLI::App& root, int& exit_code);
void add_route(CLI::App& root, int& exit_code);
void add_source(CLI::App& root, int& exit_code);
void add_token(CLI::App& root, int& exit_code);
void add_backup(CLI::App& root, int& exit_code);
void add_restore(CLI::App& root, int& exit_code);
void add_version(CLI::App& root, int& exit_code);

}  // namespace triage::app
