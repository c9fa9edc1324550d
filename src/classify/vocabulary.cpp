#include "classify/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "classify/hash.h"

namespace triage::classify {
namespace {

constexpr std::size_t kKnownBits = std::size_t{1} << 17U;
std::size_t known_bit(std::uint64_t hash) {
  return (hash >> 40U) % kKnownBits;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> words) : words_(std::move(words)) {
  if (words_.empty()) return;
  slots_.resize(std::bit_ceil(words_.size() * 2));
  known_.resize(kKnownBits / 64);
  const double scale = std::log(static_cast<double>(words_.size()) + 1);
  for (std::size_t rank = 0; rank < words_.size(); ++rank) {
    const std::uint64_t hash = hash_text(words_[rank]);
    known_[known_bit(hash) / 64] |= std::uint64_t{1} << (known_bit(hash) % 64);
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i].hash != 0) i = (i + 1) & (slots_.size() - 1);
    // Zipf: the probability of a word falls with its rank.
    slots_[i] = {hash, static_cast<float>(std::log((static_cast<double>(rank) + 1) * scale))};
  }
}

float Vocabulary::cost(std::string_view word) const {
  const std::uint64_t hash = hash_text(word);
  if ((known_[known_bit(hash) / 64] >> (known_bit(hash) % 64) & 1U) == 0) return -1;
  for (std::size_t i = hash & (slots_.size() - 1); slots_[i].hash != 0; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].hash == hash) return slots_[i].cost;
  }
  return -1;
}

void Vocabulary::split(std::string_view run, std::vector<std::uint8_t>& lengths) const {
  constexpr float kUnknownLetter = 9;
  constexpr float kUnknownRun = 6;  // once, so that one long unknown word stays whole
  if (slots_.empty() || run.size() > kLongestRun) {
    lengths.push_back(static_cast<std::uint8_t>(std::min<std::size_t>(run.size(), 255)));
    return;
  }
  if (cost(run) >= 0) {  // a word as it is
    lengths.push_back(static_cast<std::uint8_t>(run.size()));
    return;
  }
  std::array<float, kLongestRun + 1> best{};
  std::array<std::uint8_t, kLongestRun + 1> taken{};
  for (std::size_t end = 1; end <= run.size(); ++end) {
    best[end] = kUnknownRun + kUnknownLetter * static_cast<float>(end);
    taken[end] = static_cast<std::uint8_t>(end);
    for (std::size_t length = 2; length <= std::min(end, kLongestWord); ++length) {
      const float word = cost(run.substr(end - length, length));
      if (word >= 0 && best[end - length] + word < best[end]) {
        best[end] = best[end - length] + word;
        taken[end] = static_cast<std::uint8_t>(length);
      }
    }
  }
  const std::size_t first = lengths.size();
  for (std::size_t end = run.size(); end > 0; end -= taken[end]) lengths.push_back(taken[end]);
  std::reverse(lengths.begin() + static_cast<std::ptrdiff_t>(first), lengths.end());
}

}  // namespace triage::classify
