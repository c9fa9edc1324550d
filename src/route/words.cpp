#include "route/words.h"

namespace triage::route {
namespace {

// Base letters of U+00C0…U+024F and U+1E00…U+1EFF by Unicode's decompositions and, where there is none, by looks (ø is
// o, ß is s). A space is no letter, a question mark a letter with no base, which is only itself.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuytyaaaaaaccccccccddddeeeeeeeeeegggg"
    "gggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "b?????????????e??ff?????????????oo?????????????uu????zz?????????????dddlllnnnaaiioouuuuuuuuuueaa"
    "aaaaggggkkoooo??jdddgg??nnaaaaooaaaaeeeeiiiioooorrrruuuusstt??hh??????aaeeooooooooyy???j????????"
    "???b??eejj??rryy";
constexpr std::string_view kLatinAdditional =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrr"
    "ssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyas??s?aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy??????";
static_assert(kLatin.size() == 0x250 - 0xC0 && kLatinAdditional.size() == 0x100);

constexpr char32_t kGap = 0;            // what stands between words
constexpr char32_t kSkip = 0xFFFFFFFF;  // what is seen by nobody, inside a word: accents on their own, joiners

constexpr bool between(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

char32_t from_table(std::string_view table, char32_t first, char32_t c) {
  const char base = table[c - first];
  if (base == ' ') return kGap;
  return base == '?' ? c : static_cast<unsigned char>(base);
}

char32_t fold(char32_t c) {
  if (c < 0x80) {
    if (between(c, 'a', 'z') || between(c, '0', '9')) return c;
    return between(c, 'A', 'Z') ? c + 32 : kGap;
  }
  if (c < 0xC0) return c == 0xAD ? kSkip : c == 0xAA ? U'a' : c == 0xBA ? U'o' : kGap;
  if (c < 0x250) return from_table(kLatin, 0xC0, c);
  if (between(c, 0x300, 0x36F)) return kSkip;
  if (between(c, 0x370, 0x3FF)) {  // Greek: accents off, capitals down, final sigma
    switch (c) {
      case 0x386:
      case 0x3AC:
        return 0x3B1;
      case 0x388:
      case 0x3AD:
        return 0x3B5;
      case 0x389:
      case 0x3AE:
        return 0x3B7;
      case 0x38A:
      case 0x3AA:
      case 0x390:
      case 0x3AF:
      case 0x3CA:
        return 0x3B9;
      case 0x38C:
      case 0x3CC:
        return 0x3BF;
      case 0x38E:
      case 0x3AB:
      case 0x3B0:
      case 0x3CD:
      case 0x3CB:
        return 0x3C5;
      case 0x38F:
      case 0x3CE:
        return 0x3C9;
      case 0x3C2:
        return 0x3C3;
      case 0x37E:
      case 0x387:
        return kGap;
      default:
        return between(c, 0x391, 0x3A9) ? c + 32 : c;
    }
  }
  if (between(c, 0x400, 0x40F)) c += 80;
  if (between(c, 0x410, 0x42F)) c += 32;
  if (c == 0x451) return 0x435;  // Cyrillic io is written as ie
  if (c == 0x60C || c == 0x61B || c == 0x61F || c == 0x6D4 || c == 0x964 || c == 0x965) return kGap;
  if (between(c, 0x591, 0x5C7) || between(c, 0x610, 0x61A) || between(c, 0x64B, 0x65F) || c == 0x640) return kSkip;
  if (between(c, 0x1E00, 0x1EFF)) return from_table(kLatinAdditional, 0x1E00, c);
  if (between(c, 0x200B, 0x200F) || between(c, 0x202A, 0x202E) || between(c, 0x2060, 0x2069)) return kSkip;
  if (between(c, 0x2000, 0x2BFF)) return kGap;  // punctuation and symbols
  if (between(c, 0x3000, 0x3004) || between(c, 0x3008, 0x3020) || c == 0x30FB) return kGap;
  if (between(c, 0xFE00, 0xFE0F) || c == 0xFEFF) return kSkip;
  if (between(c, 0xFE10, 0xFE6F)) return kGap;
  if (between(c, 0xFF01, 0xFF5E)) return fold(c - 0xFEE0);  // full-width forms
  if (between(c, 0xFF5F, 0xFF65) || between(c, 0xFFE0, 0xFFFF)) return kGap;
  if (between(c, 0xE000, 0xF8FF) || between(c, 0x1F000, 0x1FBFF)) return kGap;  // private use, emoji
  if (c >= 0xE0000) return kSkip;
  return c;
}

bool stands_alone(char32_t c) {
  return between(c, 0xE00, 0xEFF) || between(c, 0x1000, 0x109F) || between(c, 0x1780, 0x17FF) ||  // Thai … Khmer
         between(c, 0x3005, 0x30FF) || between(c, 0x3400, 0x9FFF) || between(c, 0xAC00, 0xD7A3) ||
         between(c, 0xF900, 0xFAFF) || between(c, 0x20000, 0x3FFFF);
}

// Reads one code point; a byte that starts none is a gap.
char32_t next_code_point(const char*& at, const char* end) {
  const auto lead = static_cast<unsigned char>(*at++);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 && lead < 0xF5   ? 3
                   : lead >= 0xE0 && lead < 0xF0 ? 2
                   : lead >= 0xC2 && lead < 0xE0 ? 1
                                                 : 0;
  if (more == 0 || end - at < more) return ' ';
  char32_t c = lead & (0x3FU >> static_cast<unsigned>(more));
  for (int i = 0; i < more; ++i) {
    const auto byte = static_cast<unsigned char>(at[i]);
    if ((byte & 0xC0U) != 0x80U) return ' ';
    c = (c << 6U) | (byte & 0x3FU);
  }
  at += more;
  return c;
}

bool starts_address(const char* at, const char* end) {
  const std::string_view rest(at, static_cast<std::size_t>(end - at));
  return rest.starts_with("http://") || rest.starts_with("https://");
}

}  // namespace

void split_words(std::string_view text, std::vector<Word>& out) {
  const char* at = text.data();
  const char* end = at + text.size();
  Word word{kNoLetters, 0, 0};
  char marker = 0;
  const auto finish = [&] {
    if (word.letters > 0) out.push_back(word);
    word = Word{kNoLetters, 0, 0};
  };

  while (at < end) {
    if (*at == 'h' && word.letters == 0 && starts_address(at, end)) {
      while (at<end&& static_cast<unsigned char>(*at)> ' ') ++at;
      marker = 0;
      continue;
    }
    const char32_t c = next_code_point(at, end);
    const char32_t letter = fold(c);
    if (letter == kSkip) continue;
    if (letter == kGap) {
      finish();
      marker = c == '#' || c == 0xFF03 ? '#' : c == '@' || c == 0xFF20 ? '@' : '\0';
      continue;
    }
    if (stands_alone(letter)) {
      finish();
      out.push_back({hash_letter(kNoLetters, letter), 1, marker});
      marker = 0;
      continue;
    }
    if (word.letters == 0) {
      word.marker = marker;
      marker = 0;
    }
    word.hash = hash_letter(word.hash, letter);
    ++word.letters;
  }
  finish();
}

std::vector<char32_t> folded_letters(std::string_view text) {
  std::vector<char32_t> letters;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    const char32_t letter = fold(next_code_point(at, end));
    if (letter != kSkip && letter != kGap) letters.push_back(letter);
  }
  return letters;
}

}  // namespace triage::route
