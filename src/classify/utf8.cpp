#include "classify/utf8.h"

#include <string_view>
#include <utility>

namespace triage::classify {
namespace {

// Base letters of U+00C0 … U+017F; a space where there is none.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(kLatin.size() == 0x180 - 0xC0);

}  // namespace

char32_t fold_letter(char32_t c) {
  if (c < 0x80) {
    if (c >= 'A' && c <= 'Z') return c + 32;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return c;
    return 0;
  }
  if (c < 0xC0) return 0;
  if (c < 0x180) {
    const char base = kLatin[c - 0xC0];
    return base == ' ' ? 0 : static_cast<unsigned char>(base);
  }
  if (c < 0x250) return c;  // rarer Latin
  if (c >= 0x1E00 && c <= 0x1EFF) {
    // Vietnamese and others: the letters come in runs of one base each, which is close enough to fold by.
    if (c >= 0x1EA0 && c <= 0x1EB7) return 'a';
    if (c >= 0x1EB8 && c <= 0x1EC7) return 'e';
    if (c >= 0x1EC8 && c <= 0x1ECB) return 'i';
    if (c >= 0x1ECC && c <= 0x1EE3) return 'o';
    if (c >= 0x1EE4 && c <= 0x1EF1) return 'u';
    if (c >= 0x1EF2 && c <= 0x1EF9) return 'y';
    return c;
  }
  if (c >= 0x391 && c <= 0x3A9) return c + 32;  // Greek capitals
  if (c >= 0x410 && c <= 0x42F) return c + 32;  // Cyrillic capitals
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0xFF10 && c <= 0xFF19) return c - 0xFF10 + '0';
  if (c >= 0xFF21 && c <= 0xFF3A) return c - 0xFF21 + 'a';
  if (c >= 0xFF41 && c <= 0xFF5A) return c - 0xFF41 + 'a';
  // Mathematical alphanumerics, often used as bold or cursive "fonts".
  if (c >= 0x1D400 && c <= 0x1D6A3) return 'a' + (c - 0x1D400) % 26;
  const bool letter = (c >= 0x370 && c < 0x2000) || (c >= 0x2C00 && c < 0x2E00) || (c >= 0x3040 && c <= 0x31FF) ||
                      (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xA000 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFDFF) ||
                      (c >= 0xFE70 && c <= 0xFEFC) || (c >= 0xFF66 && c <= 0xFFDC) || (c >= 0x20000 && c <= 0x323AF);
  return letter ? c : 0;
}

char32_t latin_look_alike(char32_t folded) {
  // A space where there is none.
  constexpr std::string_view kGreek = "aby ezn ik mv o ps tu x w";            // U+03B1 …
  constexpr std::string_view kCyrillic = "a b  e    k mho pcty x      b   ";  // U+0430 …
  constexpr std::pair<char32_t, char> kOthers[] = {{0x451, 'e'}, {0x455, 's'}, {0x456, 'i'}, {0x457, 'i'},
                                                   {0x458, 'j'}, {0x475, 'v'}, {0x4BB, 'h'}, {0x4CF, 'l'},
                                                   {0x501, 'd'}, {0x51B, 'q'}, {0x51D, 'w'}};
  const auto from = [folded](std::string_view letters, char32_t first) {
    const char letter = letters[folded - first];
    return letter == ' ' ? folded : static_cast<char32_t>(letter);
  };
  if (folded >= 0x3B1 && folded < 0x3B1 + kGreek.size()) return from(kGreek, 0x3B1);
  if (folded >= 0x430 && folded < 0x430 + kCyrillic.size()) return from(kCyrillic, 0x430);
  for (const auto& [letter, latin] : kOthers) {
    if (letter == folded) return static_cast<char32_t>(latin);
  }
  return folded;
}

Script script_of(char32_t c) {
  if (c < 0x250 || (c >= 0x1E00 && c <= 0x1EFF)) return Script::latin;
  if (c >= 0x370 && c <= 0x3FF) return Script::greek;
  if (c >= 0x400 && c <= 0x52F) return Script::cyrillic;
  if (c >= 0x590 && c <= 0x5FF) return Script::hebrew;
  if ((c >= 0x600 && c <= 0x77F) || (c >= 0xFB50 && c <= 0xFDFF) || (c >= 0xFE70 && c <= 0xFEFC)) return Script::arabic;
  if (c >= 0x900 && c <= 0x97F) return Script::devanagari;
  if (c >= 0xE00 && c <= 0xE7F) return Script::thai;
  if ((c >= 0x3040 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF66 && c <= 0xFF9F)) return Script::kana;
  if ((c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x323AF))
    return Script::han;
  if ((c >= 0xAC00 && c <= 0xD7AF) || (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3130 && c <= 0x318F))
    return Script::hangul;
  return Script::other;
}

}  // namespace triage::classify
