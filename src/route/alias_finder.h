// Finds the longest of many names in a text, on word borders, in one pass: a trie over words.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "route/words.h"

namespace triage::route {

class AliasFinder {
 public:
  struct Hit {
    std::uint32_t value = 0;
    std::uint32_t letters = 0;  // of the name that was found
  };

  // `value` is given back when `alias` is found. An alias that begins with # or @ is found only behind that sign; one
  // of several words is also found as a hashtag that joins them. The first of two equal aliases counts.
  void add(std::string_view alias, std::uint32_t value);

  // The longest alias in the text; of two equally long the one that comes first.
  std::optional<Hit> find(std::string_view text) const;

 private:
  struct Node {
    std::optional<Hit> hit;
  };

  static std::uint64_t key(std::uint32_t node, std::uint64_t hash, char marker);
  std::uint32_t child(std::uint32_t node, std::uint64_t hash, char marker);
  void end_at(std::uint32_t node, Hit hit);
  void walk(const std::vector<Word>& words, std::size_t from, char marker, std::optional<Hit>& best) const;

  // Keys are hashes already.
  struct Identity {
    std::size_t operator()(std::uint64_t value) const noexcept { return value; }
  };
  std::unordered_map<std::uint64_t, std::uint32_t, Identity> children_;
  std::vector<Node> nodes_{Node{}};
  // Which first words any alias has, by the low bits of their hash: most words of a post end here.
  std::vector<bool> first_words_ = std::vector<bool>(kFirstWords);
  static constexpr std::size_t kFirstWords = 4096;
};

}  // namespace triage::route
