// Reading text of any bytes, one code point at a time, and folding letters so that "É", "é" and "e" are one. Pure and
// without tables in memory: it runs on every byte of every post.
#pragma once

#include <cstdint>

namespace triage::classify {

inline constexpr char32_t kInvalid = 0xFFFD;

// The code point at `p`, which moves past it. A byte that starts no valid sequence is kInvalid and one byte long, so
// any bytes can be read and the reading always ends. Needs p < end.
inline char32_t next_code_point(const char*& p, const char* end) {
  const auto byte = [&](int i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    ++p;
    return lead;
  }
  const auto follows = [&](int i) { return p + i < end && (byte(i) & 0xC0U) == 0x80U; };
  if (lead >= 0xC2 && lead <= 0xDF && follows(1)) {
    const char32_t c = ((lead & 0x1FU) << 6U) | (byte(1) & 0x3FU);
    p += 2;
    return c;
  }
  if (lead >= 0xE0 && lead <= 0xEF && follows(1) && follows(2)) {
    const char32_t c = ((lead & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
    if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) {
      p += 3;
      return c;
    }
  }
  if (lead >= 0xF0 && lead <= 0xF4 && follows(1) && follows(2) && follows(3)) {
    const char32_t c =
        ((lead & 0x07U) << 18U) | ((byte(1) & 0x3FU) << 12U) | ((byte(2) & 0x3FU) << 6U) | (byte(3) & 0x3FU);
    if (c >= 0x10000 && c <= 0x10FFFF) {
      p += 4;
      return c;
    }
  }
  ++p;
  return kInvalid;
}

// Writes `c` as UTF-8 to `out` (room for four bytes) and returns the length.
inline int put_utf8(char32_t c, char* out) {
  const auto put = [&](int i, char32_t bits) { out[i] = static_cast<char>(static_cast<unsigned char>(bits)); };
  if (c < 0x80) {
    put(0, c);
    return 1;
  }
  if (c < 0x800) {
    put(0, 0xC0U | (c >> 6U));
    put(1, 0x80U | (c & 0x3FU));
    return 2;
  }
  if (c < 0x10000) {
    put(0, 0xE0U | (c >> 12U));
    put(1, 0x80U | ((c >> 6U) & 0x3FU));
    put(2, 0x80U | (c & 0x3FU));
    return 3;
  }
  put(0, 0xF0U | (c >> 18U));
  put(1, 0x80U | ((c >> 12U) & 0x3FU));
  put(2, 0x80U | ((c >> 6U) & 0x3FU));
  put(3, 0x80U | (c & 0x3FU));
  return 4;
}

// Characters that are seen by nobody: zero-width marks, direction marks, variation selectors, soft hyphens.
inline bool is_invisible(char32_t c) {
  return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) ||
         (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || (c >= 0x0300 && c <= 0x036F) || (c >= 0xE0000 && c <= 0xE007F);
}

inline bool is_apostrophe(char32_t c) {
  return c == '\'' || c == 0x2018 || c == 0x2019 || c == 0x02BC || c == '`';
}

// A letter or digit folded: lower case, accents off, full-width forms to ASCII. 0 for what is neither. "ß" and the like
// fold to their first letter, which is enough to recognise a word.
char32_t fold_letter(char32_t c);

// The Latin letter that a folded Cyrillic or Greek one looks like, by Unicode's confusables (UTS #39), capitals
// considered too; the letter itself where it looks like none.
char32_t latin_look_alike(char32_t folded);

// Which script a folded letter belongs to, as far as it tells languages apart.
enum class Script : std::uint8_t { latin, cyrillic, greek, hebrew, arabic, devanagari, thai, kana, han, hangul, other };
Script script_of(char32_t c);

}  // namespace triage::classify
