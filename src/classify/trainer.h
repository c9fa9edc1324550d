// How the fast model is fitted: settings, and the two steps that `train` puts together. Deterministic: the order of the
// posts, the seed and the settings decide every bit.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "classify/model.h"
#include "triage/classify/training.h"

namespace triage::classify {

struct Settings {
  unsigned seed = 1;
  int epochs = 12;
  double rate = 0.1;    // AdaGrad
  double decay = 2e-6;  // L2, for each update of a weight
  double drop = 0.2;    // of the features of a post, at each visit
  std::array<double, kGroups> group_weight{1, 1, 1};
  unsigned least_posts = 2;                // a feature needs as many posts to be learnt
  double class_weight_power = 0.5;         // a class weighs its frequency to the minus this
  double hide_fields = 0.5;                // how often a post's fields beside the text are hidden in training
  std::size_t folds = 5;                   // for calibration: each is scored by a model that has not seen it
  std::size_t most_rows = 110'000;         // of the model; those of the smallest effect are left out
  std::size_t most_foreign_rows = 50'000;  // beside them, for the other languages
  // Where an answer tips. F1 is highest where the threshold is about half of the F1 that can be reached, and less is
  // reached on real posts than on written ones; set once, by the posts that docs/classifier.md measures on.
  double actionable_threshold = 0.3;
  double neither_threshold = 0.65;  // the moment must be one of two: "no experience" has to be clear
  std::array<double, 3> urgency_threshold{0.5, 0.25, 0.2};
  std::size_t most_words = 12'000;  // of the hashtag vocabulary
};

// What the outputs should say of a post: the mean of its two readers where both spoke. A weight is 0 where nobody gave
// the label, else 1.
void soft_targets(const LabelledPost& post, Row& target, Row& weight);

// The model's name, and what it says of its origin.
std::string version_of(const TrainOptions& options);
std::string sentence_of(std::size_t posts, const CorrectionsSeen& corrections);

Result<Model::Parts> fit(const std::vector<LabelledPost>& posts, const Settings& settings,
                         const std::function<void(std::string_view)>& progress);

}  // namespace triage::classify
