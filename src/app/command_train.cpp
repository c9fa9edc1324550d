// triaged train: models from labelled posts and the desk's corrections.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/desk_lessons.h"
#include "app/labelled_files.h"

namespace triage::app {
namespace {

using classify::LabelledPost;

struct Options {
  std::vector<std::string> data;
  std::string out, deep_out, deep_model;
  bool from_corrections = false, no_corpus = false;
  unsigned correction_weight = 4;
  int hold_out = 0;  // percent
  std::shared_ptr<DataPlace> place;
  classify::TrainOptions train;
};

void say(std::string_view line) {
  std::cerr << line << '\n';
}

// The corrections to learn from, the newest held out.
Result<std::vector<LabelledPost>> lessons_of(Options& options) {
  Result<DeskLessons> lessons = read_desk_lessons(*options.place, options.correction_weight);
  if (!lessons) return lessons.error();
  const std::size_t all = lessons->posts.size();
  const std::size_t kept = all - all * static_cast<std::size_t>(options.hold_out) / 100;
  std::string line = std::to_string(kept) + " corrections";
  if (kept < all) line += ", the newest " + std::to_string(all - kept) + " held out";
  say(line);
  if (kept == 0) {
    return make_error(ErrorCode::unprocessable,
                      "there are no corrections to learn from: agents make them by POST /v1/cases/{id}/correct");
  }
  lessons->posts.resize(kept);
  options.train.corrections = {kept, lessons->numbers[kept - 1]};
  return std::move(lessons->posts);
}

Result<void> train(Options& options) {
  if (options.out.empty() && options.deep_out.empty()) {
    return make_error(ErrorCode::bad_request,
                      "nothing to write: --out FILE is for the fast model, --deep-out FILE for the deep one");
  }
  std::vector<LabelledPost> corpus, lessons;
  if (!options.no_corpus && (options.from_corrections || options.data.empty())) {
    Result<std::vector<LabelledPost>> shipped = classify::shipped_corpus();
    if (!shipped) return shipped.error();
    corpus = std::move(*shipped);
  }
  Result<std::vector<LabelledPost>> files = read_all_labelled(options.data);
  if (!files) return files.error();
  lessons = std::move(*files);
  if (options.from_corrections) {
    Result<std::vector<LabelledPost>> corrected = lessons_of(options);
    if (!corrected) return corrected.error();
    std::move(corrected->begin(), corrected->end(), std::back_inserter(lessons));
  }
  if (!options.out.empty()) {
    std::vector<LabelledPost> all = corpus;
    all.insert(all.end(), lessons.begin(), lessons.end());
    const Result<void> done = classify::train(all, options.train, options.out, say);
    if (!done) return done.error();
  }
  if (options.deep_out.empty()) return boost::system::in_place_value;
  const auto fast = options.out.empty() ? classify::shipped_model() : classify::load_model(options.out);
  if (!fast) return fast.error();
  return classify::train_deep(options.deep_model, *fast, corpus, lessons, options.train, options.deep_out, say);
}

}  // namespace

void add_train(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand(
      "train",
      "Trains models: on the shipped corpus, on labelled posts, on the corrections of the desk.\n"
      "--out gets a fast model, made anew; --deep-out a deep model with a new last layer, its encoder as it was.");
  auto options = std::make_shared<Options>();
  command
      ->add_option("--data", options->data,
                   "Labelled posts, .tsv or .jsonl; alone: instead of the shipped corpus, else beside it")
      ->type_name("FILE");
  command->add_flag("--from-corrections", options->from_corrections,
                    "Learns what agents corrected, beside the shipped corpus");
  command->add_flag("--no-corpus", options->no_corpus, "Leaves the shipped corpus out");
  command->add_option("--correction-weight", options->correction_weight, "A correction counts as so many posts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command
      ->add_option("--hold-out", options->hold_out,
                   "Leaves the newest corrections out, to measure on them: evaluate --from-corrections --unseen")
      ->type_name("PERCENT")
      ->check(CLI::Range(0, 99));
  options->place = add_data_place(*command, "--data-dir");
  command->add_option("--out", options->out, "Where the fast model is written")->type_name("FILE");
  command
      ->add_option("--deep-out", options->deep_out,
                   "Where the deep model is written; it goes with the model of --out, else with the shipped one")
      ->type_name("FILE");
  command->add_option("--deep-model", options->deep_model, "The deep model to begin from; by default the shipped one")
      ->type_name("FILE");
  command->add_option("--version", options->train.version, "The models' name; by default the date");
  command->add_option("--seed", options->train.seed, "Same data, same seed: same models")->capture_default_str();
  command->callback([options, &exit_code] {
    const Result<void> done = train(*options);
    exit_code = done ? 0 : report(done.error());
  });
}

}  // namespace triage::app
