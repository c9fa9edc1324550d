#include "ingest/text_length.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "ingest/x_links.h"

namespace triage::ingest {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool is_within(const std::array<Range, N>& ranges, char32_t c) {
  const auto* after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                       [](char32_t wanted, const Range& range) { return wanted < range.first; });
  return after != ranges.begin() && c <= (after - 1)->last;
}

// Emoji that U+FE0F (show this in colour) is part of: those of emoji-variation-sequences.txt that are shown as text
// without it, and the older ones of the others.
constexpr std::array<Range, 128> kTakesSelector{
    {{0xa9, 0xa9},       {0xae, 0xae},       {0x203c, 0x203c},   {0x2049, 0x2049},   {0x2122, 0x2122},
     {0x2139, 0x2139},   {0x2194, 0x2199},   {0x21a9, 0x21aa},   {0x231a, 0x231b},   {0x2328, 0x2328},
     {0x23cf, 0x23cf},   {0x23ed, 0x23ef},   {0x23f1, 0x23f2},   {0x23f8, 0x23fa},   {0x24c2, 0x24c2},
     {0x25aa, 0x25ab},   {0x25b6, 0x25b6},   {0x25c0, 0x25c0},   {0x25fb, 0x25fe},   {0x2600, 0x2604},
     {0x260e, 0x260e},   {0x2611, 0x2611},   {0x2614, 0x2615},   {0x2618, 0x2618},   {0x261d, 0x261d},
     {0x2620, 0x2620},   {0x2622, 0x2623},   {0x2626, 0x2626},   {0x262a, 0x262a},   {0x262e, 0x262f},
     {0x2638, 0x263a},   {0x2640, 0x2640},   {0x2642, 0x2642},   {0x2648, 0x2653},   {0x265f, 0x2660},
     {0x2663, 0x2663},   {0x2665, 0x2666},   {0x2668, 0x2668},   {0x267b, 0x267b},   {0x267e, 0x267f},
     {0x2692, 0x2697},   {0x2699, 0x2699},   {0x269b, 0x269c},   {0x26a0, 0x26a1},   {0x26a7, 0x26a7},
     {0x26aa, 0x26ab},   {0x26b0, 0x26b1},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26c8, 0x26c8},
     {0x26cf, 0x26cf},   {0x26d1, 0x26d1},   {0x26d3, 0x26d4},   {0x26e9, 0x26ea},   {0x26f0, 0x26f5},
     {0x26f7, 0x26fa},   {0x26fd, 0x26fd},   {0x2702, 0x2702},   {0x2708, 0x2709},   {0x270c, 0x270d},
     {0x270f, 0x270f},   {0x2712, 0x2712},   {0x2714, 0x2714},   {0x2716, 0x2716},   {0x271d, 0x271d},
     {0x2721, 0x2721},   {0x2733, 0x2734},   {0x2744, 0x2744},   {0x2747, 0x2747},   {0x2757, 0x2757},
     {0x2763, 0x2764},   {0x27a1, 0x27a1},   {0x2934, 0x2935},   {0x2b05, 0x2b07},   {0x2b1b, 0x2b1c},
     {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x3030, 0x3030},   {0x303d, 0x303d},   {0x3297, 0x3297},
     {0x3299, 0x3299},   {0x1f004, 0x1f004}, {0x1f170, 0x1f171}, {0x1f17e, 0x1f17f}, {0x1f202, 0x1f202},
     {0x1f21a, 0x1f21a}, {0x1f22f, 0x1f22f}, {0x1f237, 0x1f237}, {0x1f321, 0x1f321}, {0x1f324, 0x1f32c},
     {0x1f336, 0x1f336}, {0x1f37d, 0x1f37d}, {0x1f396, 0x1f397}, {0x1f399, 0x1f39b}, {0x1f39e, 0x1f39f},
     {0x1f3cb, 0x1f3ce}, {0x1f3d4, 0x1f3df}, {0x1f3f3, 0x1f3f3}, {0x1f3f5, 0x1f3f5}, {0x1f3f7, 0x1f3f7},
     {0x1f43f, 0x1f43f}, {0x1f441, 0x1f441}, {0x1f4fd, 0x1f4fd}, {0x1f549, 0x1f54a}, {0x1f56f, 0x1f570},
     {0x1f573, 0x1f579}, {0x1f587, 0x1f587}, {0x1f58a, 0x1f58d}, {0x1f590, 0x1f590}, {0x1f5a5, 0x1f5a5},
     {0x1f5a8, 0x1f5a8}, {0x1f5b1, 0x1f5b2}, {0x1f5bc, 0x1f5bc}, {0x1f5c2, 0x1f5c4}, {0x1f5d1, 0x1f5d3},
     {0x1f5dc, 0x1f5de}, {0x1f5e1, 0x1f5e1}, {0x1f5e3, 0x1f5e3}, {0x1f5e8, 0x1f5e8}, {0x1f5ef, 0x1f5ef},
     {0x1f5f3, 0x1f5f3}, {0x1f5fa, 0x1f5fa}, {0x1f6cb, 0x1f6cb}, {0x1f6cd, 0x1f6cf}, {0x1f6e0, 0x1f6e5},
     {0x1f6e9, 0x1f6e9}, {0x1f6f0, 0x1f6f0}, {0x1f6f3, 0x1f6f3}}};

// Emoji_Modifier_Base of emoji-data.txt: those that a skin tone is part of.
constexpr std::array<Range, 40> kTakesTone{
    {{0x261d, 0x261d},   {0x26f9, 0x26f9},   {0x270a, 0x270d},   {0x1f385, 0x1f385}, {0x1f3c2, 0x1f3c4},
     {0x1f3c7, 0x1f3c7}, {0x1f3ca, 0x1f3cc}, {0x1f442, 0x1f443}, {0x1f446, 0x1f450}, {0x1f466, 0x1f478},
     {0x1f47c, 0x1f47c}, {0x1f481, 0x1f483}, {0x1f485, 0x1f487}, {0x1f48f, 0x1f48f}, {0x1f491, 0x1f491},
     {0x1f4aa, 0x1f4aa}, {0x1f574, 0x1f575}, {0x1f57a, 0x1f57a}, {0x1f590, 0x1f590}, {0x1f595, 0x1f596},
     {0x1f645, 0x1f647}, {0x1f64b, 0x1f64f}, {0x1f6a3, 0x1f6a3}, {0x1f6b4, 0x1f6b6}, {0x1f6c0, 0x1f6c0},
     {0x1f6cc, 0x1f6cc}, {0x1f90c, 0x1f90c}, {0x1f90f, 0x1f90f}, {0x1f918, 0x1f91f}, {0x1f926, 0x1f926},
     {0x1f930, 0x1f939}, {0x1f93c, 0x1f93e}, {0x1f977, 0x1f977}, {0x1f9b5, 0x1f9b6}, {0x1f9b8, 0x1f9b9},
     {0x1f9bb, 0x1f9bb}, {0x1f9cd, 0x1f9cf}, {0x1f9d1, 0x1f9dd}, {0x1fac3, 0x1fac5}, {0x1faf0, 0x1faf8}}};

constexpr char32_t kReplacement = 0xfffd;
constexpr char32_t kJoiner = 0x200d;
constexpr char32_t kColour = 0xfe0f;
constexpr char32_t kKeycap = 0x20e3;
constexpr char32_t kBlackFlag = 0x1f3f4;
constexpr char32_t kLastTag = 0xe007f;

bool is_tone(char32_t c) {
  return c >= 0x1f3fb && c <= 0x1f3ff;
}

bool is_tag(char32_t c) {
  return c >= 0xe0020 && c <= 0xe007e;
}

auto bound_class(char32_t c) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->boundclass;
}

bool is_pictograph(char32_t c) {
  return bound_class(c) == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

bool is_flag_letter(char32_t c) {
  return bound_class(c) == UTF8PROC_BOUNDCLASS_REGIONAL_INDICATOR;
}

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

template <typename Each>
void for_each_code_point(std::string_view text, Each each) {
  while (!text.empty()) {
    utf8proc_int32_t code = 0;
    const auto size = utf8proc_iterate(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &code);
    each(size > 0 ? static_cast<char32_t>(code) : kReplacement);
    text.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 1);
  }
}

std::size_t count_graphemes(std::string_view text) {
  std::size_t count = 0;
  utf8proc_int32_t state = 0;
  utf8proc_int32_t before = 0;
  for_each_code_point(text, [&](char32_t c) {
    const auto code = static_cast<utf8proc_int32_t>(c);
    if (count == 0 || utf8proc_grapheme_break_stateful(before, code, &state)) ++count;
    before = code;
  });
  return count;
}

std::u32string normalized(std::string_view text) {
  // U+FFFD in place of what is not UTF-8, which the library would refuse.
  std::string valid;
  for_each_code_point(text, [&valid](char32_t c) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
    valid.append(bytes.begin(), bytes.begin() + size);
  });
  utf8proc_uint8_t* composed = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const auto size = utf8proc_map(bytes_of(valid), static_cast<utf8proc_ssize_t>(valid.size()), &composed, options);
  if (size < 0) throw std::bad_alloc();
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(composed, &std::free);
  std::u32string out;
  for_each_code_point({reinterpret_cast<const char*>(composed), static_cast<std::size_t>(size)},
                      [&out](char32_t c) { out.push_back(c); });
  return out;
}

std::u16string to_utf16(std::u32string_view text) {
  std::u16string out;
  for (const char32_t c : text) {
    if (c < 0x10000) {
      out.push_back(static_cast<char16_t>(c));
    } else {
      out.push_back(static_cast<char16_t>(0xd800 + ((c - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xdc00 + ((c - 0x10000) & 0x3ff)));
    }
  }
  return out;
}

// At the front of the text: one emoji with its skin tone or its U+FE0F; 0 where there is none.
std::size_t plain_emoji_size(std::u32string_view text) {
  if (text.empty() || !is_pictograph(text[0])) return 0;
  if (text.size() == 1) return 1;
  const bool more = (is_tone(text[1]) && is_within(kTakesTone, text[0])) ||
                    (text[1] == kColour && is_within(kTakesSelector, text[0]));
  return more ? 2 : 1;
}

// How many code points the emoji at the front of the text has (UTS #51, section 1.4.9); 0 for no emoji, and for one
// that is a single code point, which counts as a character.
std::size_t emoji_size(std::u32string_view text) {
  const auto is_at = [text](std::size_t at, char32_t c) { return at < text.size() && text[at] == c; };
  if ((text[0] >= U'0' && text[0] <= U'9') || text[0] == U'#' || text[0] == U'*') {
    const std::size_t keycap = is_at(1, kColour) ? 2 : 1;
    return is_at(keycap, kKeycap) ? keycap + 1 : 0;
  }
  if (is_flag_letter(text[0])) return text.size() > 1 && is_flag_letter(text[1]) ? 2 : 0;
  if (text[0] == kBlackFlag) {  // and the flags of parts of countries
    std::size_t end = 1;
    while (end < text.size() && is_tag(text[end])) ++end;
    if (end > 1 && is_at(end, kLastTag)) return end + 1;
  }
  std::size_t size = plain_emoji_size(text);
  while (size > 0 && is_at(size, kJoiner)) {
    const std::size_t next = plain_emoji_size(text.substr(size + 1));
    if (next == 0) break;
    size += 1 + next;
  }
  return size > 1 ? size : 0;
}

// Weights are hundredths in twitter-text, but all of them are whole.
std::size_t weight_of(char32_t c) {
  static constexpr std::array<Range, 4> kLight{{{0, 4351}, {8192, 8205}, {8208, 8223}, {8242, 8247}}};
  return is_within(kLight, c) ? 1 : 2;
}

std::size_t units_of(std::u32string_view text) {
  std::size_t units = text.size();
  for (const char32_t c : text) units += c >= 0x10000 ? 1 : 0;
  return units;
}

std::size_t weighted_length(std::string_view utf8) {
  constexpr std::size_t kLinkWeight = 23;
  constexpr std::size_t kEmojiWeight = 2;
  const std::u32string text = normalized(utf8);
  const std::vector<XLink> links = find_x_links(to_utf16(text));
  auto link = links.begin();
  std::size_t length = 0;
  std::size_t unit = 0;  // where `at` is in UTF-16
  for (std::size_t at = 0; at < text.size();) {
    while (link != links.end() && link->start < unit) ++link;
    if (link != links.end() && link->start == unit) {
      length += kLinkWeight;
      for (const std::size_t end = unit + link->size; at < text.size() && unit < end; ++at)
        unit += units_of({&text[at], 1});
      continue;
    }
    const std::size_t emoji = emoji_size(std::u32string_view(text).substr(at));
    length += emoji > 0 ? kEmojiWeight : weight_of(text[at]);
    const std::size_t size = std::max<std::size_t>(emoji, 1);
    unit += units_of(std::u32string_view(text).substr(at, size));
    at += size;
  }
  return length;
}

}  // namespace

std::optional<LengthUnit> parse_length_unit(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, LengthUnit>, 5> kNames{
      {{"characters", LengthUnit::characters},
       {"utf16", LengthUnit::utf16},
       {"bytes", LengthUnit::bytes},
       {"graphemes", LengthUnit::graphemes},
       {"x", LengthUnit::x}}};
  for (const auto& [known, unit] : kNames) {
    if (name == known) return unit;
  }
  return std::nullopt;
}

std::size_t text_length(std::string_view utf8, LengthUnit unit) {
  std::size_t count = 0;
  switch (unit) {
    case LengthUnit::characters:
      for_each_code_point(utf8, [&count](char32_t) { ++count; });
      return count;
    case LengthUnit::utf16:
      for_each_code_point(utf8, [&count](char32_t c) { count += c < 0x10000 ? 1 : 2; });
      return count;
    case LengthUnit::bytes:
      return utf8.size();
    case LengthUnit::graphemes:
      return count_graphemes(utf8);
    case LengthUnit::x:
      return weighted_length(utf8);
  }
  return count;
}

}  // namespace triage::ingest
