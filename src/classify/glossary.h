// Words of the other languages that the fast judge reads, each with the English word that says the same. What English
// has taught of "waiting" or "refund" then counts in every language; all other words of a language it learns by
// themselves. A table and nothing else.
#pragma once

#include <span>
#include <string_view>

namespace triage::classify {

// The words of a language are separated by spaces, folded as the tokeniser folds them. English is one word or two.
struct Gloss {
  std::string_view english;
  std::string_view of[6];  // Spanish, French, German, Portuguese, Italian, Dutch, as in Language
};

std::span<const Gloss> glosses();

}  // namespace triage::classify
