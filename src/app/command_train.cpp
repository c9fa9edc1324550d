// triaged train: a fast model from labelled posts.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/labelled_files.h"

namespace triage::app {
namespace {

struct Options {
  std::vector<std::string> data;
  std::string out;
  classify::TrainOptions train;
};

int train(const Options& options) {
  const auto posts = read_all_labelled(options.data);
  if (!posts) {
    std::cerr << posts.error().detail << '\n';
    return 1;
  }
  const auto progress = [](std::string_view line) { std::cerr << line << '\n'; };
  const auto done = classify::train(*posts, options.train, options.out, progress);
  if (!done) {
    std::cerr << done.error().detail << '\n';
    return done.error().code == ErrorCode::unavailable ? 3 : 1;
  }
  return 0;
}

}  // namespace

void add_train(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand("train", "Trains a model on labelled posts (TSV or JSONL)");
  auto options = std::make_shared<Options>();
  command->add_option("--data", options->data, "Labelled posts, .tsv or .jsonl")->required()->type_name("FILE");
  command->add_option("--out", options->out, "Where the model is written")->required()->type_name("MODEL");
  command->add_option("--version", options->train.version, "The model's name; by default the date");
  command->add_option("--seed", options->train.seed, "Same data, same seed: same model")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = train(*options); });
}

}  // namespace triage::app
