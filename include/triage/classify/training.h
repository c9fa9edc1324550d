// Training and measuring, as `triaged train` and `triaged evaluate` do it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
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
  unsigned weight = 1;  // in training it counts as so many posts
};

// TSV (a header row, no quoting; columns `text` and any of id, language (as a platform would say it), moment, intent,
// actionable, urgency, topic and their *_reader twins) or JSONL (a Post with `labels` and perhaps `labels_reader`,
// objects of the same names). By the file's ending. The error names file, line and column.
Result<std::vector<LabelledPost>> read_labelled(const std::filesystem::path& file);

// The posts of this repository's corpus, which are built into the binary: what the shipped models were trained on.
Result<std::vector<LabelledPost>> shipped_corpus();

// Which of the desk's corrections a model has seen; its file says so.
struct CorrectionsSeen {
  std::size_t posts = 0;
  std::int64_t to = 0;  // the greatest number of one that it has seen; it has seen none of the later ones
};

struct TrainOptions {
  std::string version;               // the model's name; by default the date: 2026.11.22
  unsigned seed = 1;                 // same data, same seed: same model, byte for byte
  CorrectionsSeen corrections = {};  // for the file: the caller knows which of the posts they are
};

// Trains a fast judge and writes it to `out` (whole or not at all). Takes minutes at most; `progress` gets a line now
// and then.
Result<void> train(const std::vector<LabelledPost>& posts, const TrainOptions& options,
                   const std::filesystem::path& out, const std::function<void(std::string_view)>& progress);

// Fits the last layer of a deep model anew, its encoder as it is, and writes the whole model to `out`. `base` is its
// file, empty for the shipped one; `fast` the judge that it is to stand beside. The new layer says of the posts of
// `corpus` what the old one says, as nearly as it can while it learns `lessons`: without lessons it is the old one. So
// blend and calibration, which were fitted on posts that the encoder had not seen, stay as they are.
Result<void> train_deep(const std::filesystem::path& base, const std::shared_ptr<const Classifier>& fast,
                        const std::vector<LabelledPost>& corpus, const std::vector<LabelledPost>& lessons,
                        const TrainOptions& options, const std::filesystem::path& out,
                        const std::function<void(std::string_view)>& progress);

// What a model's file says of itself, whichever judge it is for.
struct ModelFacts {
  std::string judge;  // fast or deep
  std::string version;
  std::string trained_on;
  std::string fast_version;  // of a deep model: the fast one that it is to stand beside
  CorrectionsSeen corrections;
};
Result<ModelFacts> read_model_facts(const std::filesystem::path& file);

// Scores `judge` on labelled posts: per label macro-F1 or F1 with its 95 % confidence interval (see compare), precision
// and recall a value, the commonest-label baseline beside it, expected calibration error of moment and actionable, and
// microseconds a post. Returns the tables for people; `json`, where not null, gets the same for programs.
std::string evaluate(const Classifier& judge, const std::vector<LabelledPost>& posts, nlohmann::json* json);

// Whether `b` is better than `a` on these posts: both scores a label, their difference, and 95 % confidence intervals
// from a thousand resamples of the posts (paired: both judges see the same ones; the same draw every time). A label is
// "better" or "worse" where the difference's interval leaves 0 out, else "no difference seen".
std::string compare(const Classifier& a, const Classifier& b, const std::vector<LabelledPost>& posts,
                    nlohmann::json* json);

}  // namespace triage::classify
