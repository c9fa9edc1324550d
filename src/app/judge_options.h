// The judge that a command line names, for the commands that judge by themselves: --judge, --model, --deep-model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "triage/classify/classifier.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace triage::app {

struct JudgeOptions {
  std::string judge;       // fast, deep, or empty: see add_judge_options
  std::string model;       // a fast model file; empty: the shipped one
  std::string deep_model;  // a deep model file; empty: the shipped one
};

// By default the deep judge, where there is a deep model and no fast model is named for itself. Returns the options.
std::vector<CLI::Option*> add_judge_options(CLI::App& command, JudgeOptions& options);

// Loads what the options name.
Result<std::shared_ptr<const classify::Classifier>> judge_of(const JudgeOptions& options);

// The greatest number of a correction that the models which the options name were trained on; 0: none.
Result<std::int64_t> corrections_seen(const JudgeOptions& options);

struct LoadedJudge {
  std::shared_ptr<const classify::Classifier> judge;
  std::int64_t corrections_to = 0;  // as corrections_seen
};

// By one name: "fast" or "deep" (the shipped ones), or a model file of either kind; behind a deep one may follow '+'
// and the fast one that it is to stand beside, else the shipped.
Result<LoadedJudge> judge_named(const std::string& name);

}  // namespace triage::app
