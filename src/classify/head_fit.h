// Fits the last layer of the deep judge to posts whose sentence vectors are known. Knows nothing of posts or files.
// Deterministic: the order of the examples decides every bit, the number of threads none.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "classify/outputs.h"

namespace triage::classify {

// A layer: `width` rows of weights, one for each number of a vector, and the bias.
struct HeadLayer {
  std::vector<Row> weights;
  Row bias{};
};

struct HeadExample {
  Row offset{};  // added to the layer's outputs
  Row target{};  // probabilities: a sum of 1 in a softmax
  Row weight{};  // how much each output counts; the same within a softmax, 0 where nobody knows
};

// The outputs of the layer for a vector, offset not added.
Row outputs_of(const HeadLayer& layer, const float* vector);

// Logits to probabilities, each output by its kind; what pads the row becomes 0.
void to_probabilities(Row& logits);

// Minimises the weighted log loss of `examples`, whose vectors lie one behind the other in `vectors`, plus half of
// `hold` times the squared distance from `start`. Convex, by L-BFGS.
HeadLayer fit_head(const HeadLayer& start, const std::vector<float>& vectors, const std::vector<HeadExample>& examples,
                   double hold, const std::function<void(std::string_view)>& progress);

}  // namespace triage::classify
