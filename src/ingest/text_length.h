// How long a text is, as the platforms that limit it count.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace triage::ingest {

enum class LengthUnit {
  characters,  // code points
  utf16,       // UTF-16 units: what JavaScript and Java call a length
  bytes,       // of UTF-8
  graphemes,   // what a reader sees as one character: extended grapheme clusters of UAX #29 (Unicode 15)
  x,           // X's weighted length; a post may have 280
};

std::optional<LengthUnit> parse_length_unit(std::string_view name);

// A byte that is part of no character counts as one U+FFFD (3 bytes of it are still 1 byte).
//
// For x this is the weightedLength of twitter-text 3.1.0 with its version 3 configuration, after NFC: 1 for Latin,
// other alphabets up to U+10FF and common punctuation, 2 for all else, 23 for each link (see x_links.h), 2 for an emoji
// however many code points it has. twitter-text knows the emoji of Unicode 11 only; here, as in X's clients today,
// later ones count 2 as well. What could be an emoji but is none that anyone draws (a flag of no country, unrelated
// emoji with a joiner between them) counts 2 here and more there.
std::size_t text_length(std::string_view utf8, LengthUnit unit);

}  // namespace triage::ingest
