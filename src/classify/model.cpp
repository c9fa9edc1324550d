#include "classify/model.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "classify/hash.h"

namespace triage::classify {

Model::Model(Parts parts)
    : version_(std::move(parts.version)),
      trained_on_(std::move(parts.trained_on)),
      bias_(parts.bias),
      scale_(parts.scale),
      calibration_(parts.calibration),
      calibration_of_others_(parts.calibration_of_others),
      vocabulary_(std::move(parts.words)),
      rows_(parts.rows.size()) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(parts.rows.size() * 4 / 3, 16) + 1);
  keys_.resize(size);
  weights_.resize(size);
  mask_ = size - 1;
  shift_ = 32 - static_cast<unsigned>(std::countr_zero(size));
  for (const StoredRow& row : parts.rows) {
    std::size_t i = slot_of(row.key);
    while (keys_[i] != 0) i = (i + 1) & mask_;
    keys_[i] = row.key;
    weights_[i].row = row.weights;
  }

  const std::vector<std::string>& words = vocabulary_.words();
  letter_sums_ = LetterSums(words.size());
  std::vector<std::uint32_t> keys;
  std::string framed;
  for (const std::string& word : words) {
    framed = '<' + word + '>';
    const std::size_t length = framed.size();
    framed.append(8, '\0');
    keys.clear();
    letter_keys(framed.data(), length, keys);
    LetterSums::Sum sum{};  // at most 63 grams of 127
    for (const std::uint32_t key : keys) {
      if (const Weights* weights = find(key)) {
        for (std::size_t k = 0; k < kWidth; ++k) sum[k] = static_cast<std::int16_t>(sum[k] + (*weights)[k]);
      }
    }
    letter_sums_.add(hash_text(word), sum);
  }
}

float Model::norm(const Features& features, std::size_t group) {
  return 1 / std::sqrt(static_cast<float>(features.size[group]));
}

Row Model::scores(const Features& features, std::vector<const Weights*>& found) const {
  found.clear();
  Row result = bias_;
  for (std::size_t g = 0; g < kGroups; ++g) {
    const std::vector<Feature>& group = features.group[g];
    if (features.size[g] == 0) continue;
    // First all keys are asked for, then all rows, then the rows are added: the waits for memory overlap.
    const std::size_t first = found.size();
    for (const Feature& feature : group) __builtin_prefetch(&keys_[slot_of(feature.key)]);
    for (const Feature& feature : group) {
      found.push_back(find(feature.key));
      __builtin_prefetch(found.back());
    }
    std::array<std::int32_t, kWidth> sum{};
    for (std::size_t i = first; i < found.size();) {
      // 16-bit sums add twice as many at once; 256 bytes of 127 are the most that surely fit.
      std::array<std::int16_t, kWidth> part{};
      const std::size_t stop = std::min(found.size(), i + 256);
      for (; i < stop; ++i) {
        if (found[i] == nullptr) continue;
        const Weights& weights = *found[i];
        for (std::size_t k = 0; k < kWidth; ++k) part[k] = static_cast<std::int16_t>(part[k] + weights[k]);
      }
      for (std::size_t k = 0; k < kWidth; ++k) sum[k] += part[k];
    }
    if (static_cast<Group>(g) == Group::letters) {
      for (const KnownWord& word : features.known) {
        for (std::size_t k = 0; k < kWidth; ++k) sum[k] += (*word.sum)[k];
      }
    }
    const float by = norm(features, g);
    for (std::size_t k = 0; k < kWidth; ++k) result[k] += static_cast<float>(sum[k]) * scale_[g][k] * by;
  }
  return result;
}

}  // namespace triage::classify
