// A trained fast model in memory, and its file.
//
// The file, all numbers little-endian:
//
//   bytes      what
//   8          magic "TRIAGEFM"
//   4          format version, 1
//   4          H, length of the header
//   H          header: JSON (model version, training facts, biases, scales, calibrations, numbers of rows and words)
//   28 × rows  key (4 bytes, the feature's hash, ascending), then 24 signed bytes: one weight for each output of
//              outputs.h, the last two zero
//   text       the hashtag vocabulary: words in UTF-8, most frequent first, each followed by '\n'
//   8          FNV-1a (64 bit) of everything before it
//
// A weight is its byte times the scale of its output and its feature's group; a group's sum is divided by the square
// root of the number of features that the post has in it. Sums of bytes are whole numbers, so that a verdict does not
// depend on the order or width of a machine's additions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "classify/features.h"
#include "classify/outputs.h"
#include "classify/vocabulary.h"
#include "triage/classify/training.h"
#include "triage/model/error.h"

namespace triage::classify {

// p = sigmoid(slope · logit + offset)
struct Platt {
  double slope = 1;
  double offset = 0;
};

// How raw scores become probabilities and answers; fitted on held-out parts of the training posts.
struct Calibration {
  double moment_temperature = 1;  // of the three-valued head
  std::array<double, 3> moment_offset{};
  double neither_threshold = 0.5;  // p(neither) from which a post counts as being about no experience
  Platt moment_confidence;         // of the answer, from the logit of in against after
  Platt actionable;
  double actionable_threshold = 0.5;
  std::array<Platt, 3> urgency;
  std::array<double, 3> urgency_threshold{0.5, 0.5, 0.5};
};

using Weights = std::array<std::int8_t, kWidth>;

struct StoredRow {
  std::uint32_t key = 0;
  Weights weights{};
};

class Model {
 public:
  // What the file holds. Rows ascend by key, keys are not 0.
  struct Parts {
    std::string version;
    std::string trained_on;  // a sentence for people
    CorrectionsSeen corrections;
    Row bias{};
    std::array<Row, kGroups> scale{};
    Calibration calibration;
    Calibration calibration_of_others;  // for posts that are not read as English
    std::vector<StoredRow> rows;
    std::vector<std::string> words;
  };

  explicit Model(Parts parts);

  static Result<Model> read(std::string_view bytes, const std::string& name);  // `name` is for the error
  static std::string write(const Parts& parts);

  const std::string& version() const { return version_; }
  const std::string& trained_on() const { return trained_on_; }
  const Calibration& calibration() const { return calibration_; }
  const Calibration& calibration_of_others() const { return calibration_of_others_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const Row& scale(Group group) const { return scale_[static_cast<std::size_t>(group)]; }
  std::size_t rows() const { return rows_; }

  // The weights of a feature, or null where it has none.
  const Weights* find(std::uint32_t key) const {
    for (std::size_t i = slot_of(key);; i = (i + 1) & mask_) {
      if (keys_[i] == key) return &weights_[i].row;
      if (keys_[i] == 0) return nullptr;
    }
  }

  const LetterSums& letter_sums() const { return letter_sums_; }

  // Raw scores of every output. `found` gets the weights of each feature, group by group (null: none), for a reason.
  Row scores(const Features& features, std::vector<const Weights*>& found) const;

  // What a group's sums of weights are multiplied with, but for the scale of each output.
  static float norm(const Features& features, std::size_t group);

 private:
  struct alignas(32) Slot {  // two to a cache line
    Weights row{};
  };
  std::size_t slot_of(std::uint32_t key) const { return (key * 0x9E3779B1U) >> shift_; }

  std::string version_, trained_on_;
  Row bias_{};
  std::array<Row, kGroups> scale_{};
  Calibration calibration_, calibration_of_others_;
  Vocabulary vocabulary_;
  LetterSums letter_sums_;
  // Keys apart from weights: many n-grams of a post are not in the model, and the keys alone fit a core's own cache.
  std::vector<std::uint32_t> keys_;
  std::vector<Slot> weights_;
  std::size_t mask_ = 0, rows_ = 0;
  unsigned shift_ = 0;
};

}  // namespace triage::classify
