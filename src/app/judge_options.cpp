#include "app/judge_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "triage/classify/training.h"

namespace triage::app {

std::vector<CLI::Option*> add_judge_options(CLI::App& command, JudgeOptions& options) {
  std::vector<CLI::Option*> added;
  added.push_back(
      command
          .add_option("--judge", options.judge,
                      "fast or deep; by default deep where there is a deep model, but fast where only --model is given")
          ->check(CLI::IsMember({"fast", "deep"})));
  added.push_back(
      command.add_option("--model", options.model, "A fast model file; by default the shipped one")->type_name("FILE"));
  added.push_back(
      command.add_option("--deep-model", options.deep_model, "A deep model file; by default the shipped one")
          ->type_name("FILE"));
  return added;
}

Result<std::shared_ptr<const classify::Classifier>> judge_of(const JudgeOptions& options) {
  if (options.judge == "fast" && !options.deep_model.empty()) {
    return make_error(ErrorCode::bad_request, "--deep-model is for the deep judge, and --judge says fast");
  }
  auto fast = options.model.empty() ? classify::shipped_model() : classify::load_model(options.model);
  if (!fast || options.judge == "fast") return fast;
  if (!options.deep_model.empty()) return classify::load_deep_model(options.deep_model, *fast);
  if (options.judge == "deep") return classify::shipped_deep_model(*fast);
  if (!options.model.empty()) return fast;
  auto deep = classify::shipped_deep_model(*fast);
  // A build without a deep model is whole; one whose model is damaged is not.
  if (!deep && deep.error().code == ErrorCode::not_found) return fast;
  return deep;
}

Result<std::int64_t> corrections_seen(const JudgeOptions& options) {
  std::int64_t to = 0;
  for (const std::string& file : {options.model, options.deep_model}) {
    if (file.empty()) continue;
    const auto facts = classify::read_model_facts(file);
    if (!facts) return facts.error();
    to = std::max(to, facts->corrections.to);
  }
  return to;
}

Result<LoadedJudge> judge_named(const std::string& name) {
  JudgeOptions options;
  options.judge = name;
  if (name != "fast" && name != "deep") {
    // A '+' may be part of a file's name.
    std::error_code ignored;
    const std::size_t plus = std::filesystem::exists(name, ignored) ? std::string::npos : name.find('+');
    const std::string file = name.substr(0, plus);
    const auto facts = classify::read_model_facts(file);
    if (!facts) return facts.error();
    options.judge = facts->judge;
    (facts->judge == "deep" ? options.deep_model : options.model) = file;
    if (plus != std::string::npos) {
      if (facts->judge == "fast") {
        return make_error(ErrorCode::bad_request, file + " is a fast model: only a deep one stands beside another");
      }
      options.model = name.substr(plus + 1);
    }
  }
  auto judge = judge_of(options);
  if (!judge) return judge.error();
  const auto seen = corrections_seen(options);
  if (!seen) return seen.error();
  return LoadedJudge{std::move(*judge), *seen};
}

}  // namespace triage::app
