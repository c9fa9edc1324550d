// triaged classify: verdicts for lines of JSON, or for one text.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/classify_lines.h"
#include "app/commands.h"
#include "app/judge_options.h"

namespace triage::app {
namespace {

struct Options {
  std::string text;
  JudgeOptions judge;
  CLI::Option* has_text = nullptr;
};

int classify_posts(const Options& options) {
  const auto judge = judge_of(options.judge);
  if (!judge) {
    std::cerr << judge.error().detail << '\n';
    return 1;
  }
  bool valid = true;
  if (options.has_text->count() > 0) {
    std::cout << classify_text(**judge, options.text) << '\n';
  } else {
    std::ios::sync_with_stdio(false);
    valid = classify_lines(**judge, std::cin, std::cout);
  }
  if (!std::cout.flush()) return 3;
  return valid ? 0 : 1;
}

}  // namespace

void add_classify(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand(
      "classify", "Reads JSON lines {\"id\": …, \"text\": …} on stdin, writes one verdict a line, in order");
  auto options = std::make_shared<Options>();
  options->has_text = command->add_option("--text", options->text, "Judges this text instead of stdin");
  add_judge_options(*command, options->judge);
  command->callback([options, &exit_code] { exit_code = classify_posts(*options); });
}

}  // namespace triage::app
