// triaged evaluate: measures a model on labelled posts.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/judge_options.h"
#include "app/labelled_files.h"

namespace triage::app {
namespace {

struct Options {
  std::vector<std::string> data;
  std::string json;
  JudgeOptions judge;
};

int evaluate(const Options& options) {
  const auto judge = judge_of(options.judge);
  if (!judge) {
    std::cerr << judge.error().detail << '\n';
    return 1;
  }
  const auto posts = read_all_labelled(options.data);
  if (!posts) {
    std::cerr << posts.error().detail << '\n';
    return 1;
  }
  nlohmann::json result;
  std::cout << classify::evaluate(**judge, *posts, &result);
  if (!std::cout.flush()) return 3;
  if (options.json.empty()) return 0;
  std::ofstream out(options.json, std::ios::binary | std::ios::trunc);
  out << result.dump(2) << '\n';
  out.close();
  if (out) return 0;
  std::cerr << options.json << " cannot be written\n";
  return 3;
}

}  // namespace

void add_evaluate(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand("evaluate", "Measures a model on labelled posts, beside the commonest label");
  auto options = std::make_shared<Options>();
  command->add_option("--data", options->data, "Labelled posts, .tsv or .jsonl")->required()->type_name("FILE");
  add_judge_options(*command, options->judge);
  command->add_option("--json", options->json, "Writes the tables as JSON too")->type_name("FILE");
  command->callback([options, &exit_code] { exit_code = evaluate(*options); });
}

}  // namespace triage::app
