// A post as the deep judge's encoder reads it: the tokens written out as plain lower-case English, with the punctuation
// that stood between them; mentions and links left out. It keeps where each word came from, so that a reason can quote
// the customer. What the words are worth, and how they are cut into pieces, is not known here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "classify/tokenizer.h"

namespace triage::classify {

struct DeepWord {
  std::uint32_t begin = 0;  // bytes of DeepText::text, the space before it and the marks behind it included
  std::uint32_t end = 0;
  std::uint32_t token = 0;  // of the post's tokens
};

struct DeepText {
  std::string text;  // every word has a space before it, the first one too; "check-in" has one in front only
  std::vector<DeepWord> words;
};

// `source` is the text that the tokens were cut from. Reuses the memory of `out`. A post without a word gives an empty
// text.
void write_deep_text(const Tokens& tokens, std::string_view source, DeepText& out);

}  // namespace triage::classify
