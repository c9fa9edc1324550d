// What is known of words before any training: which cue classes an English word or short phrase belongs to ("still",
// "stuck", "refund"), how chat spellings are written out ("tmrw" → "tomorrow"), and which words are negators; of other
// languages, which words mean the same as an English one ("atrapados" → "stuck"). The classes are evidence only: what
// each is worth, and in which company, is learnt. Built once, read-only afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "classify/language.h"

namespace triage::classify {

enum class Cue : std::uint8_t {
  now,
  still,
  just,
  waiting,
  waited,
  stuck,
  here,
  missing,
  missed,
  connection,
  delay,
  cancelled,
  soon,
  broken,
  failing,
  negation,
  yesterday,
  was,
  is_now,
  future,
  going,
  first_person,
  second_person,
  asking,
  able,
  thanks,
  positive,
  negative,
  verdict,
  money,
  charged,
  help,
  direct_message,
  danger,
  fraud,
  vulnerable,
  staff,
  phone,
  luggage,
  parcel,
  food,
  app,
  network,
  device,
  booking,
  dirt,
  chatter,
  humour,
  mock_praise,
  solved,
  update,
  unit_short,
  unit_long,
  week_day,
  quantity,
  brand_switch,
  wish,
  lost,
  quiet,
  travel,
  intensifier,
  but,
  someone,
  every,
  count_
};
inline constexpr std::size_t kCues = static_cast<std::size_t>(Cue::count_);
static_assert(kCues <= 64, "classes are kept in a 64-bit mask");

using CueMask = std::uint64_t;
constexpr CueMask bit(Cue cue) {
  return CueMask{1} << static_cast<unsigned>(cue);
}

// A chat spelling written out, in one word or two; or a word of another language and the English for it.
struct Spelling {
  std::string_view from, first, second;
};

struct LexiconEntry {
  std::uint64_t hash = 0;  // 0: free slot
  CueMask cues = 0;
  const Spelling* spelling = nullptr;
};

class Lexicon {
 public:
  static const Lexicon& english();
  static const Lexicon& of(Language language);  // English's for `other`, too

  // Which language's words these are.
  Language language() const { return language_; }

  // By the hash of a folded word, or of a phrase: its words' hashes, combined from the left. Null where nothing is
  // known.
  const LexiconEntry* find(std::uint64_t hash) const {
    if (!maybe_known(hash)) return nullptr;
    for (std::size_t i = hash >> shift_;; i = (i + 1) & (slots_.size() - 1)) {
      const LexiconEntry& entry = slots_[i];
      if (entry.hash == hash) return &entry;
      if (entry.hash == 0) return nullptr;
    }
  }

  // True where some known phrase begins with this word, so that most words need no further look-up.
  bool begins_phrase(std::uint64_t hash) const {
    return (phrase_starts_[hash >> 52U] & (1U << ((hash >> 44U) & 7U))) != 0;
  }

 private:
  Lexicon();
  explicit Lexicon(Language language);
  LexiconEntry& slot(std::uint64_t hash);

  // One bit for each known hash, small enough to stay close: most words are not known.
  static constexpr unsigned kBits = 16;
  bool maybe_known(std::uint64_t hash) const { return (known_[(hash & 0xFFFFU) >> 6U] >> (hash & 63U) & 1U) != 0; }

  std::array<std::uint64_t, (1U << kBits) / 64> known_{};
  Language language_ = Language::english;
  std::vector<Spelling> spellings_;  // of another language
  std::vector<LexiconEntry> slots_;
  unsigned shift_ = 0;
  std::array<std::uint8_t, 4096> phrase_starts_{};
};

}  // namespace triage::classify
