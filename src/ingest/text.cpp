#include "ingest/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace triage::ingest {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 63)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (code & 63)));
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 63)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (code & 63)));
  }
}

struct Entity {
  std::string_view name;
  std::uint32_t code;
};

// Sorted. The ones of HTML 4 that platforms' texts hold: all of Latin-1, punctuation, arrows.
constexpr std::array<Entity, 147> kEntities{
    {{"AElig", 0xc6},    {"Aacute", 0xc1},   {"Acirc", 0xc2},   {"Agrave", 0xc0},   {"Aring", 0xc5},
     {"Atilde", 0xc3},   {"Auml", 0xc4},     {"Ccedil", 0xc7},  {"Dagger", 0x2021}, {"ETH", 0xd0},
     {"Eacute", 0xc9},   {"Ecirc", 0xca},    {"Egrave", 0xc8},  {"Euml", 0xcb},     {"Iacute", 0xcd},
     {"Icirc", 0xce},    {"Igrave", 0xcc},   {"Iuml", 0xcf},    {"Ntilde", 0xd1},   {"OElig", 0x152},
     {"Oacute", 0xd3},   {"Ocirc", 0xd4},    {"Ograve", 0xd2},  {"Oslash", 0xd8},   {"Otilde", 0xd5},
     {"Ouml", 0xd6},     {"Prime", 0x2033},  {"Scaron", 0x160}, {"THORN", 0xde},    {"Uacute", 0xda},
     {"Ucirc", 0xdb},    {"Ugrave", 0xd9},   {"Uuml", 0xdc},    {"Yacute", 0xdd},   {"Yuml", 0x178},
     {"aacute", 0xe1},   {"acirc", 0xe2},    {"acute", 0xb4},   {"aelig", 0xe6},    {"agrave", 0xe0},
     {"amp", 0x26},      {"apos", 0x27},     {"aring", 0xe5},   {"asymp", 0x2248},  {"atilde", 0xe3},
     {"auml", 0xe4},     {"bdquo", 0x201e},  {"brvbar", 0xa6},  {"bull", 0x2022},   {"ccedil", 0xe7},
     {"cedil", 0xb8},    {"cent", 0xa2},     {"circ", 0x2c6},   {"copy", 0xa9},     {"curren", 0xa4},
     {"dagger", 0x2020}, {"darr", 0x2193},   {"deg", 0xb0},     {"divide", 0xf7},   {"eacute", 0xe9},
     {"ecirc", 0xea},    {"egrave", 0xe8},   {"emsp", 0x2003},  {"ensp", 0x2002},   {"eth", 0xf0},
     {"euml", 0xeb},     {"euro", 0x20ac},   {"fnof", 0x192},   {"frac12", 0xbd},   {"frac14", 0xbc},
     {"frac34", 0xbe},   {"ge", 0x2265},     {"gt", 0x3e},      {"harr", 0x2194},   {"hearts", 0x2665},
     {"hellip", 0x2026}, {"iacute", 0xed},   {"icirc", 0xee},   {"iexcl", 0xa1},    {"igrave", 0xec},
     {"infin", 0x221e},  {"iquest", 0xbf},   {"iuml", 0xef},    {"laquo", 0xab},    {"larr", 0x2190},
     {"ldquo", 0x201c},  {"le", 0x2264},     {"lrm", 0x200e},   {"lsaquo", 0x2039}, {"lsquo", 0x2018},
     {"lt", 0x3c},       {"macr", 0xaf},     {"mdash", 0x2014}, {"micro", 0xb5},    {"middot", 0xb7},
     {"minus", 0x2212},  {"nbsp", 0xa0},     {"ndash", 0x2013}, {"ne", 0x2260},     {"not", 0xac},
     {"ntilde", 0xf1},   {"oacute", 0xf3},   {"ocirc", 0xf4},   {"oelig", 0x153},   {"ograve", 0xf2},
     {"ordf", 0xaa},     {"ordm", 0xba},     {"oslash", 0xf8},  {"otilde", 0xf5},   {"ouml", 0xf6},
     {"para", 0xb6},     {"permil", 0x2030}, {"plusmn", 0xb1},  {"pound", 0xa3},    {"prime", 0x2032},
     {"quot", 0x22},     {"raquo", 0xbb},    {"rarr", 0x2192},  {"rdquo", 0x201d},  {"reg", 0xae},
     {"rlm", 0x200f},    {"rsaquo", 0x203a}, {"rsquo", 0x2019}, {"sbquo", 0x201a},  {"scaron", 0x161},
     {"sect", 0xa7},     {"shy", 0xad},      {"sup1", 0xb9},    {"sup2", 0xb2},     {"sup3", 0xb3},
     {"szlig", 0xdf},    {"thinsp", 0x2009}, {"thorn", 0xfe},   {"tilde", 0x2dc},   {"times", 0xd7},
     {"trade", 0x2122},  {"uacute", 0xfa},   {"uarr", 0x2191},  {"ucirc", 0xfb},    {"ugrave", 0xf9},
     {"uml", 0xa8},      {"uuml", 0xfc},     {"yacute", 0xfd},  {"yen", 0xa5},      {"yuml", 0xff},
     {"zwj", 0x200d},    {"zwnj", 0x200c}}};

// The character that the name between '&' and ';' stands for.
std::optional<std::uint32_t> entity(std::string_view name) {
  const auto* known = std::lower_bound(kEntities.begin(), kEntities.end(), name,
                                       [](const Entity& one, std::string_view wanted) { return one.name < wanted; });
  if (known != kEntities.end() && known->name == name) return known->code;
  if (name.size() < 2 || name[0] != '#') return std::nullopt;
  const bool hex = name[1] == 'x' || name[1] == 'X';
  name.remove_prefix(hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  if (error != std::errc() || end != name.data() + name.size() || name.empty()) return std::nullopt;
  if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return std::nullopt;
  return code;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::size_t append_entity(std::string& out, std::string_view text) {
  constexpr std::size_t kLongest = 10;  // "&#x10ffff;"
  const auto end = text.substr(0, kLongest).find(';');
  const auto code = end == std::string_view::npos ? std::nullopt : entity(text.substr(1, end - 1));
  if (!code) {
    out.push_back('&');
    return 1;
  }
  append_utf8(out, *code);
  return end + 1;
}

std::string unescape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto amp = text.find('&');
    out.append(text.substr(0, amp));
    if (amp == std::string_view::npos) break;
    text.remove_prefix(amp);
    text.remove_prefix(append_entity(out, text));
  }
  return out;
}

std::size_t find_invalid_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size == 0 || size > bytes.size() - i) return i;
    for (std::size_t k = 1; k < size; ++k) {
      if (!is_continuation(bytes[i + k])) return i;
    }
    // Overlong forms, surrogates, and what is beyond the last character.
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
        (lead == 0xf4 && second > 0x8f)) {
      return i;
    }
    i += size;
  }
  return std::string_view::npos;
}

std::string_view first_code_points(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (count == 0) return text.substr(0, at);
    --count;
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
  }
  return text;
}

std::string clean(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    std::size_t end = max_bytes;
    while (end > 0 && is_continuation(text[end])) --end;
    text = text.substr(0, end);
  }
  std::string out(text);
  std::erase(out, '\0');
  return out;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string for_log(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == ':' || c == '/' || c == '-';
    if (!plain) c = '?';
  }
  return out;
}

}  // namespace triage::ingest
