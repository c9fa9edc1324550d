// The words that hashtags are split by, most frequent first, as the training texts use them. Part of the model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace triage::classify {

class Vocabulary {
 public:
  Vocabulary() = default;
  explicit Vocabulary(std::vector<std::string> words);  // most frequent first; words of 2 to 24 bytes

  const std::vector<std::string>& words() const { return words_; }

  // Splits `run` (folded letters) into words: the split of the least total cost, where a word costs by its rank and a
  // letter that belongs to no word costs much. Appends the pieces' lengths. Needs a run of at most kLongestRun bytes.
  void split(std::string_view run, std::vector<std::uint8_t>& lengths) const;

  static constexpr std::size_t kLongestRun = 40;
  static constexpr std::size_t kLongestWord = 24;

 private:
  float cost(std::string_view word) const;

  struct Slot {
    std::uint64_t hash = 0;
    float cost = 0;
  };
  std::vector<std::string> words_;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> known_;  // one bit for each word's hash, to pass over most of what is no word
};

}  // namespace triage::classify
