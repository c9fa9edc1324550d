#include "classify/model.h"

#include <bit>
#include <cmath>

namespace triage::classify {

Model::Model(Parts parts)
    : version_(std::move(parts.version)),
      trained_on_(std::move(parts.trained_on)),
      bias_(parts.bias),
      scale_(parts.scale),
      calibration_(parts.calibration),
      vocabulary_(std::move(parts.words)),
      rows_(parts.rows.size()) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(parts.rows.size() * 4 / 3, 16) + 1);
  slots_.resize(size);
  mask_ = size - 1;
  shift_ = 32 - static_cast<unsigned>(std::countr_zero(size));
  for (const StoredRow& row : parts.rows) {
    std::size_t i = slot_of(row.key);
    while (slots_[i].row.key != 0) i = (i + 1) & mask_;
    slots_[i].row = row;
  }
}

Row Model::scores(const Features& features, std::vector<const std::array<std::int8_t, kWidth>*>& found) const {
  found.clear();
  Row result = bias_;
  for (std::size_t g = 0; g < kGroups; ++g) {
    const std::vector<Feature>& group = features.group[g];
    if (group.empty()) continue;
    // First every feature is sought, then the rows are added: the look-ups wait for memory side by side.
    const std::size_t first = found.size();
    for (const Feature& feature : group) found.push_back(find(feature.key));
    std::array<std::int32_t, kWidth> sum{};
    for (std::size_t i = first; i < found.size();) {
      // 16-bit sums add twice as many at once; 256 bytes of 127 are the most that surely fit.
      std::array<std::int16_t, kWidth> part{};
      const std::size_t stop = std::min(found.size(), i + 256);
      for (; i < stop; ++i) {
        if (found[i] == nullptr) continue;
        const std::int8_t* weights = found[i]->data();
        for (std::size_t k = 0; k < kWidth; ++k) part[k] = static_cast<std::int16_t>(part[k] + weights[k]);
      }
      for (std::size_t k = 0; k < kWidth; ++k) sum[k] += part[k];
    }
    const float norm = 1 / std::sqrt(static_cast<float>(group.size()));
    for (std::size_t k = 0; k < kWidth; ++k) result[k] += static_cast<float>(sum[k]) * scale_[g][k] * norm;
  }
  return result;
}

}  // namespace triage::classify
