#include "app/judge_options.h"

#include <CLI/CLI.hpp>

namespace triage::app {

void add_judge_options(CLI::App& command, JudgeOptions& options) {
  command
      .add_option("--judge", options.judge,
                  "fast or deep; by default deep where there is a deep model, but fast where only --model is given")
      ->check(CLI::IsMember({"fast", "deep"}));
  command.add_option("--model", options.model, "A fast model file; by default the shipped one")->type_name("FILE");
  command.add_option("--deep-model", options.deep_model, "A deep model file; by default the shipped one")
      ->type_name("FILE");
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

}  // namespace triage::app
