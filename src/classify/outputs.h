// The outputs of the model, in the order in which a row of weights holds them.
#pragma once

#include <array>
#include <cstddef>

namespace triage::classify {

struct Head {
  std::size_t first;
  std::size_t count;
};

inline constexpr Head kMoment{0, 3};      // in the moment, after the fact, neither; softmax
inline constexpr Head kActionable{3, 1};  // logistic
inline constexpr Head kUrgency{4, 3};     // at least 1, at least 2, 3; logistic each
inline constexpr Head kIntent{7, 5};      // softmax, in the order of Intent
inline constexpr Head kTopic{12, 10};     // softmax, in the order of Topic
inline constexpr std::size_t kOutputs = 22;
inline constexpr std::size_t kWidth = 24;  // a row, padded

using Row = std::array<float, kWidth>;

}  // namespace triage::classify
