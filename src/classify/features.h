// What the linear model sees of a post: hashed n-grams of words, n-grams of letters within words, and cues (classes of
// words, their order, tense, durations, the form of the post, and the fields beside its text). Each feature remembers
// which words it came from, so that a verdict can be explained. Knows no weights.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "classify/outputs.h"
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
  mentions,
  tense,  // these two count, but say nothing to a person
  form,
  count_
};
std::string_view fact_text(Fact fact);  // empty for what is no reason to show

struct Feature {
  std::uint32_t key = 0;
  std::uint16_t token = 0;  // the first of its words
  std::uint8_t span = 0;    // how many words; 0: `fact` instead
  Fact fact = Fact::none;
};

// Sums of letter weights of words that a model knows, made when it is loaded: most words of a post then cost one
// look-up instead of a dozen. The sums are of whole numbers, so that nothing else changes.
class LetterSums {
 public:
  using Sum = std::array<std::int16_t, kWidth>;

  LetterSums() = default;
  explicit LetterSums(std::size_t words);
  void add(std::uint64_t hash, const Sum& sum);
  const Sum* find(std::uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
      if (slots_[i].hash == hash) return &slots_[i].sum;
      if (slots_[i].hash == 0) return nullptr;
    }
  }

 private:
  struct alignas(64) Slot {  // a cache line
    std::uint64_t hash = 0;
    Sum sum{};
  };
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

struct KnownWord {
  const LetterSums::Sum* sum;
  std::uint16_t token;
};

struct Features {
  std::vector<Feature> group[kGroups];
  std::vector<KnownWord> known;             // words whose letters are not in the group of letters
  std::array<std::size_t, kGroups> size{};  // how many features each group has, those of known words counted
  Tokens tokens;
  std::string language;  // BCP 47; what extract() found
};

// Which fields beside the text are told to the model. In training some posts hide theirs, so that text alone works.
enum class Fields : bool { hidden, shown };

// Deterministic, and linear in at most kLongestText bytes. Reuses the memory of `out`.
// The post is read in the language that it is found to be in, where that is one that is learnt, else as English.
// Where `sums` is given, the letters of words that it knows are told as Features::known.
void extract(const Post& post, const Vocabulary& vocabulary, Fields fields, Features& out,
             const LetterSums* sums = nullptr);

// The keys of a word's letter n-grams. `framed` is "<word>", with eight readable bytes behind its start wherever a
// gram begins.
void letter_keys(const char* framed, std::size_t size, std::vector<std::uint32_t>& keys);

}  // namespace triage::classify
