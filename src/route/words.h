// Text as words that can be compared: case and accents folded, each word a hash. Knows nothing of sites or posts.
//
// In scripts that are written without spaces (Han, kana, Thai, …) and in Hangul, where particles follow a name without
// one, every character is a word of its own, so that a name is found inside a sentence.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace triage::route {

struct Word {
  std::uint64_t hash = 0;
  std::uint32_t letters = 0;
  char marker = 0;  // '#' or '@' where one stands directly before it
};

inline constexpr std::uint64_t kNoLetters = 0xcbf29ce484222325ULL;  // FNV-1a

// The hash of a word goes on letter by letter, so that words can be joined: hash_letter(hash("a"), 'b') is hash("ab").
constexpr std::uint64_t hash_letter(std::uint64_t hash, char32_t letter) {
  return (hash ^ static_cast<std::uint64_t>(letter)) * 0x100000001b3ULL;
}

// Appends the words of `text` to `out`. Addresses of web pages are passed over: what is in them is not said.
void split_words(std::string_view text, std::vector<Word>& out);

// The letters and digits of `text`, folded, without what stands between them.
std::vector<char32_t> folded_letters(std::string_view text);

}  // namespace triage::route
