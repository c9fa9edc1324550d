// Text as people post it, cut into tokens in one pass over its bytes: words folded and written out, hashtags split,
// mentions, addresses, numbers and emoji reduced to what they say. It keeps where each token stood in the text, so that
// a reason can quote the customer. It does not know what any token is worth.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "classify/lexicon.h"
#include "classify/vocabulary.h"

namespace triage::classify {

enum class TokenKind : std::uint8_t { word, number, mention, url, emoji, punctuation };

enum TokenFlag : std::uint8_t {
  kCapitals = 1,   // two letters or more, all capital
  kElongated = 2,  // "sooo"
  kHashtag = 4,    // from a hashtag
  kSentenceStart = 8,
  kNegated = 16,  // within the reach of a negator
  kForeign = 32,  // a word of another language, for which no English is known; its hash is never that of an English one
};

struct Token {
  std::uint64_t hash = 0;   // of its form
  CueMask cues = 0;         // of the word, and of phrases that begin with it
  std::uint32_t begin = 0;  // bytes of the source text
  std::uint32_t end = 0;
  std::uint32_t form = 0;    // where its form stands in Tokens::forms, with '<' before and '>' behind
  std::uint16_t length = 0;  // bytes of the form
  TokenKind kind = TokenKind::word;
  std::uint8_t flags = 0;
  float number = 0;  // its value, for a number
};

struct Tokens {
  std::vector<Token> list;
  std::string forms;
  std::vector<std::uint8_t> pieces;  // scratch for splitting hashtags

  // What is counted in passing.
  std::array<std::uint32_t, 11> letters_of_script{};
  std::uint32_t words = 0, capital_words = 0, hashtags = 0, mentions = 0, urls = 0, emoji = 0;
  std::uint32_t exclamations = 0, question_marks = 0, ellipses = 0;
  bool retweet = false;      // "RT @…"
  bool thread_part = false;  // "(1/3)", "2/2"
  bool leading_mention = false;
  bool ends_with_question = false;
  bool quoted = false;

  std::string_view form(const Token& token) const { return {forms.data() + token.form, token.length}; }
};

// At most this much of a text is read, cut at a whole character.
inline constexpr std::size_t kLongestText = 16 * 1024;

// Any bytes. Linear in the length; reuses the memory of `out`. With the lexicon of another language, its words are
// written out in English where that is known.
void tokenize(std::string_view text, const Vocabulary& vocabulary, Tokens& out,
              const Lexicon& lexicon = Lexicon::english());

}  // namespace triage::classify
