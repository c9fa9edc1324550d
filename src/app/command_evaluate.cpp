// triaged evaluate: measures a model on labelled posts, or two models side by side.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/desk_lessons.h"
#include "app/judge_options.h"
#include "app/labelled_files.h"

namespace triage::app {
namespace {

using classify::LabelledPost;

struct Options {
  std::vector<std::string> data, compare;
  std::string json;
  bool from_corrections = false, unseen = false;
  std::shared_ptr<DataPlace> place;
  JudgeOptions judge;
};

// The corrections to measure on, and a word where they flatter: a model knows those that it was trained on.
Result<std::vector<LabelledPost>> corrections(const Options& options, std::int64_t seen_to) {
  Result<DeskLessons> lessons = read_desk_lessons(*options.place, 1);
  if (!lessons) return lessons.error();
  const auto first_unseen = std::upper_bound(lessons->numbers.begin(), lessons->numbers.end(), seen_to);
  const auto seen = first_unseen - lessons->numbers.begin();
  const std::string of_all = std::to_string(seen) + " of " + std::to_string(lessons->posts.size()) + " corrections";
  if (options.unseen) {
    lessons->posts.erase(lessons->posts.begin(), lessons->posts.begin() + seen);
    if (lessons->posts.empty()) {
      return make_error(ErrorCode::unprocessable,
                        "there is no correction that the model was not trained on (" + of_all + ")");
    }
  } else if (seen > 0) {
    std::cerr << "warning: " << of_all << " were trained on, so the scores flatter; --unseen measures on the others\n";
  }
  return std::move(lessons->posts);
}

Result<void> evaluate(const Options& options) {
  if (options.data.empty() && !options.from_corrections) {
    return make_error(ErrorCode::bad_request, "nothing to measure on: name --data FILE or --from-corrections");
  }
  std::vector<LoadedJudge> judges;
  if (options.compare.empty()) {
    auto judge = judge_of(options.judge);
    if (!judge) return judge.error();
    const auto seen_to = corrections_seen(options.judge);
    if (!seen_to) return seen_to.error();
    judges.push_back({std::move(*judge), *seen_to});
  } else {
    for (const std::string& name : options.compare) {
      auto judge = judge_named(name);
      if (!judge) return judge.error();
      judges.push_back(std::move(*judge));
    }
  }
  std::int64_t seen_to = 0;
  for (const LoadedJudge& judge : judges) seen_to = std::max(seen_to, judge.corrections_to);
  Result<std::vector<LabelledPost>> posts = read_all_labelled(options.data);
  if (!posts) return posts.error();
  if (options.from_corrections) {
    Result<std::vector<LabelledPost>> more = corrections(options, seen_to);
    if (!more) return more.error();
    std::move(more->begin(), more->end(), std::back_inserter(*posts));
  }
  nlohmann::json result;
  std::cout << (judges.size() == 2 ? classify::compare(*judges[0].judge, *judges[1].judge, *posts, &result)
                                   : classify::evaluate(*judges[0].judge, *posts, &result));
  if (!std::cout.flush()) return make_error(ErrorCode::unavailable, "stdout cannot be written");
  if (options.json.empty()) return boost::system::in_place_value;
  std::ofstream out(options.json, std::ios::binary | std::ios::trunc);
  out << result.dump(2) << '\n';
  out.close();
  if (!out) return make_error(ErrorCode::unavailable, options.json + " cannot be written");
  return boost::system::in_place_value;
}

}  // namespace

void add_evaluate(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand(
      "evaluate", "Measures a model on labelled posts, beside the commonest label; or two models side by side");
  auto options = std::make_shared<Options>();
  command->add_option("--data", options->data, "Labelled posts, .tsv or .jsonl")->type_name("FILE");
  command->add_flag("--from-corrections", options->from_corrections, "Measures on what agents corrected");
  command->add_flag("--unseen", options->unseen, "Of the corrections, only those that no model here was trained on")
      ->needs("--from-corrections");
  options->place = add_data_place(*command, "--data-dir");
  auto* compare = command->add_option(
      "--compare", options->compare,
      "Two models, A and B: is B better? Each is a file, or \"fast\" or \"deep\" for the shipped ones. A deep model\n"
      "stands beside the shipped fast one, unless another follows it: deep.model+fast.model");
  compare->expected(2)->type_name("A B");
  for (CLI::Option* option : add_judge_options(*command, options->judge)) compare->excludes(option);
  command->add_option("--json", options->json, "Writes the tables as JSON too")->type_name("FILE");
  command->callback([options, &exit_code] {
    const Result<void> done = evaluate(*options);
    exit_code = done ? 0 : report(done.error());
  });
}

}  // namespace triage::app
