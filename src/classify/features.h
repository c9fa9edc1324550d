// What the linear model sees of a post: hashed n-grams of words, n-grams of letters within words, and cues (classes of
// words, their order, tense, durations, the form of the post, and the fields beside its text). Each feature remembers
// which words it came from, so that a verdict can be explained. Knows no weights.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "classify/tokenizer.h"
#include "triage/model/post.h"

namespace triage::classify {

enum class Group : std::uint8_t { words, letters, cues };
inline constexpr std::size_t kGroups = 3;

// A feature that came from no word: what it says, for a reason.
enum class Fact : std::uint8_t {
  none,
  question,
  exclamations,
  capitals,
  short_post,
  long_post,
  link,
  media,
  emoji,
  hashtags,
  thread,
  reply,
  review,
  low_rating,
  middle_rating,
  high_rating,
  direct_message,
  addressed,
  tense,
  wording,
  count_
};
std::string_view fact_text(Fact fact);

struct Feature {
  std::uint32_t key = 0;
  std::uint16_t token = 0;  // the first of its words
  std::uint8_t span = 0;    // how many words; 0: `fact` instead
  Fact fact = Fact::none;
};

struct Features {
  std::vector<Feature> group[kGroups];
  Tokens tokens;
};

// Which fields beside the text are told to the model. In training some posts hide theirs, so that text alone works.
enum class Fields : bool { hidden, shown };

// Deterministic, and linear in at most kLongestText bytes. Reuses the memory of `out`.
void extract(const Post& post, const Vocabulary& vocabulary, Fields fields, Features& out);

}  // namespace triage::classify
