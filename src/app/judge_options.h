// The judge that a command line names, for the commands that judge by themselves: --judge, --model, --deep-model.
#pragma once

#include <memory>
#include <string>

#include "triage/classify/classifier.h"

namespace CLI {
class App;
}

namespace triage::app {

struct JudgeOptions {
  std::string judge;       // fast, deep, or empty: see add_judge_options
  std::string model;       // a fast model file; empty: the shipped one
  std::string deep_model;  // a deep model file; empty: the shipped one
};

// By default the deep judge, where there is a deep model and no fast model is named for itself.
void add_judge_options(CLI::App& command, JudgeOptions& options);

// Loads what the options name.
Result<std::shared_ptr<const classify::Classifier>> judge_of(const JudgeOptions& options);

}  // namespace triage::app
