// Training and measuring, as `triaged train` and `triaged evaluate` do it.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "triage/classify/classifier.h"

namespace triage::classify {

// One reading of a post by the guideline. A label may be missing where nobody gave it. `moment` may be the guideline's
// third value.
struct Labels {
  std::optional<std::string> moment;  // in_the_moment, after_the_fact, neither
  std::optional<Intent> intent;
  std::optional<bool> actionable;
  std::optional<int> urgency;  // 0 to 3
  std::optional<Topic> topic;
};

// A post, its labels, and those of a second reader where there was one. Training averages the two, measuring takes the
// first.
struct LabelledPost : Labels {
  std::string id;
  Post post;
  Labels reader;
};

// TSV (a header row, no quoting; columns `text` and any of id, moment, intent, actionable, urgency, topic and their
// *_reader twins) or JSONL (a Post with `labels` and perhaps `labels_reader`, objects of the same names). By the file's
// ending. The error names file, line and column.
Result<std::vector<LabelledPost>> read_labelled(const std::filesystem::path& file);

struct TrainOptions {
  std::string version;  // the model's name; by default the date: 2026.11.22
  unsigned seed = 1;    // same data, same seed: same model, byte for byte
};

// Trains a fast judge and writes it to `out` (whole or not at all). Takes minutes at most; `progress` gets a line now
// and then.
Result<void> train(const std::vector<LabelledPost>& posts, const TrainOptions& options,
                   const std::filesystem::path& out, const std::function<void(std::string_view)>& progress);

// Scores `judge` on labelled posts: per label macro-F1 or F1, precision and recall a value, the commonest-label
// baseline beside it, expected calibration error of moment and actionable, and microseconds a post. Returns the tables
// for people; `json`, where not null, gets the same for programs.
std::string evaluate(const Classifier& judge, const std::vector<LabelledPost>& posts, nlohmann::json* json);

}  // namespace triage::classify
