// The desk's corrections as labelled posts, for `train` and `evaluate`.
#pragma once

#include <cstdint>
#include <vector>

#include "app/data_place.h"
#include "triage/classify/training.h"

namespace triage::app {

struct DeskLessons {
  std::vector<classify::LabelledPost> posts;  // in the order in which they were first corrected
  std::vector<std::int64_t> numbers;          // the store's, of each; they ascend
};

// Each counts as `weight` posts in training. The error says what is wrong with the place; what find_data prints is
// printed.
Result<DeskLessons> read_desk_lessons(const DataPlace& place, unsigned weight);

}  // namespace triage::app
