// The regular expressions of twitter-text, read by hand: their own way to a match would be quadratic, and standard
// C++ has none that know UTF-16. Where a comment names one, it is that of twitter-text's src/regexp.
#include "ingest/x_links.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "ingest/top_level_domains.h"

namespace triage::ingest {
namespace {

using Text = std::u16string_view;
using Test = bool (*)(char16_t);

struct Range {
  char16_t first;
  char16_t last;
};

bool is_within(std::span<const Range> ranges, char16_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](Range range) { return c >= range.first && c <= range.last; });
}

bool is_one_of(char16_t c, Text set) {
  return set.find(c) != Text::npos;
}

bool is_digit(char16_t c) {
  return c >= u'0' && c <= u'9';
}

bool is_alnum(char16_t c) {
  return is_digit(c) || (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z');
}

char16_t lower(char16_t c) {
  return static_cast<char16_t>(utf8proc_tolower(c));
}

// latinAccentChars
constexpr Range kLatin[] = {{0xc0, 0xd6},   {0xd8, 0xf6},   {0xf8, 0x24f},  {0x253, 0x254},
                            {0x256, 0x257}, {0x259, 0x259}, {0x25b, 0x25b}, {0x263, 0x263},
                            {0x268, 0x268}, {0x26f, 0x26f}, {0x272, 0x272}, {0x289, 0x289},
                            {0x28b, 0x28b}, {0x2bb, 0x2bb}, {0x300, 0x36f}, {0x1e00, 0x1eff}};

bool is_latin(char16_t c) {
  return is_within(kLatin, c);
}

bool is_cyrillic(char16_t c) {
  return c >= 0x400 && c <= 0x4ff;
}

constexpr Range kNotInDomains[] = {{0x9, 0xd},       {0x85, 0x85},     {0xa0, 0xa0},     {0x61c, 0x61c},
                                   {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200a}, {0x200e, 0x200f},
                                   {0x2028, 0x202f}, {0x205f, 0x205f}, {0x2066, 0x2069}, {0x3000, 0x3000},
                                   {0xfeff, 0xfeff}, {0xfffe, 0xffff}};

// validDomainChars: all but ASCII punctuation, spaces, marks of direction, and what is no character. The halves of a
// surrogate pair are among them, as they are in JavaScript.
bool is_domain_char(char16_t c) {
  return !is_one_of(c, u" !'#%&()*+,\\-./:;<=>?@[]^_{|}~$") && !is_within(kNotInDomains, c);
}

bool is_label_char(char16_t c) {
  return c == u'-' || c == u'_' || is_domain_char(c);
}

// Of a label in validAsciiDomain.
bool is_ascii_label_char(char16_t c) {
  return c == u'-' || is_alnum(c) || is_latin(c);
}

// validUrlPrecedingChars
bool may_precede(char16_t c) {
  return !is_alnum(c) && !is_one_of(c, u"@\uff20$#\uff03\ufffe\ufeff\uffff");
}

// validGeneralUrlPathChars
bool is_path_char(char16_t c) {
  return is_alnum(c) || is_cyrillic(c) || is_latin(c) || is_one_of(c, u"!*';:=+,.$/%#[]-\u2013_~@|&");
}

// validUrlPathEndingChars, but for parentheses
bool may_end_path(char16_t c) {
  return is_alnum(c) || is_cyrillic(c) || is_latin(c) || is_one_of(c, u"+-=_#/");
}

bool is_query_char(char16_t c) {
  return is_alnum(c) || is_one_of(c, u"!?*'@();:&=+$/%#[]-_.,~|");
}

bool may_end_query(char16_t c) {
  return is_alnum(c) || is_one_of(c, u"-_&=#/");
}

std::size_t run_end(Text text, std::size_t at, Test test) {
  while (at < text.size() && test(text[at])) ++at;
  return at;
}

bool is_at(Text text, std::size_t at, char16_t c) {
  return at < text.size() && text[at] == c;
}

// Whether `word`, in lower case and ASCII, stands there in any case.
bool stands_at(Text text, std::size_t at, Text word) {
  text = text.substr(std::min(at, text.size()), word.size());
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char16_t a, char16_t b) { return a < 0x80 && lower(a) == b; });
}

// Where the top-level domain that begins at `at` ends (validGTLD, validCCTLD, validPunycode), or 0.
std::size_t top_level_end(Text text, std::size_t at) {
  std::u16string name;
  for (const char16_t c : text.substr(at, kLongestTopLevelDomain)) {
    if (c < 0x80 && !is_alnum(c)) break;
    name.push_back(lower(c));
  }
  for (std::size_t size = name.size(); size > 0; --size) {
    const std::size_t end = at + size;
    if (end < text.size() && (is_alnum(text[end]) || is_one_of(text[end], u"@+-"))) continue;
    if (is_top_level_domain(Text(name).substr(0, size))) return end;
  }
  constexpr Text kPunycode = u"xn--";
  if (!stands_at(text, at, kPunycode)) return 0;
  const std::size_t begin = at + kPunycode.size();
  const std::size_t end = run_end(text, begin, [](char16_t c) { return c == u'-' || is_alnum(c); });
  return end > begin ? end : 0;
}

// For each place in the text where the domain that begins there ends, or 0. A domain is labels of `inner` characters,
// the first and last of which are `edge` ones, each with a point after it, and a top-level domain; as many labels as
// there can be, and no '_' in the last of them. Worked out from the back: a domain is a label before a domain.
std::vector<std::size_t> domain_ends(Text text, Test inner, Test edge) {
  std::vector<std::size_t> ends(text.size() + 1, 0);
  std::size_t point = text.size();  // the one after the label in which we are; the text's end where there is none
  std::size_t top_level = 0;        // what follows that point ends there
  bool underscore = false;
  for (std::size_t i = text.size(); i-- > 0;) {
    if (text[i] == u'.') {
      point = i;
      top_level = top_level_end(text, i + 1);
      underscore = false;
    } else if (!inner(text[i])) {
      point = text.size();
    } else if (point < text.size()) {
      underscore = underscore || text[i] == u'_';
      if (!edge(text[i]) || !edge(text[point - 1])) continue;
      ends[i] = ends[point + 1] != 0 ? ends[point + 1] : underscore ? 0 : top_level;
    }
  }
  return ends;
}

// validUrlBalancedParens: where the parentheses that open at `at` close, with at most one pair within them, or 0.
std::size_t parens_end(Text text, std::size_t at) {
  std::size_t end = run_end(text, at + 1, is_path_char);
  if (end > at + 1 && is_at(text, end, u')')) return end + 1;
  if (!is_at(text, end, u'(')) return 0;
  const std::size_t inner = end + 1;
  end = run_end(text, inner, is_path_char);
  if (end == inner || !is_at(text, end, u')')) return 0;
  end = run_end(text, end + 1, is_path_char);
  return is_at(text, end, u')') ? end + 1 : 0;
}

// Of the path whose '/' stands at `at`. A full stop or a comma at its end is the sentence's; so are parentheses after
// one (validUrlPath has them end a path only where nothing but its end is before them).
std::size_t path_end(Text text, std::size_t at) {
  std::size_t end = ++at;
  while (at < text.size()) {
    if (is_path_char(text[at])) {
      if (may_end_path(text[at++])) end = at;
    } else {
      const std::size_t closed = text[at] == u'(' ? parens_end(text, at) : 0;
      if (closed == 0) break;
      if (end == at) end = closed;
      at = closed;
    }
  }
  return end;
}

// Of the query whose '?' would stand at `at`; `at` where there is none.
std::size_t query_end(Text text, std::size_t at) {
  if (!is_at(text, at, u'?')) return at;
  std::size_t end = run_end(text, at + 1, is_query_char);
  while (end > at + 1 && !may_end_query(text[end - 1])) --end;
  return end > at + 1 ? end : at;
}

// How long what RFC 3492 makes of the label is, with its "xn--". `label` is not all ASCII.
std::size_t punycode_size(Text label) {
  std::vector<std::uint32_t> codes;
  for (std::size_t i = 0; i < label.size(); ++i) {
    std::uint32_t code = label[i];
    if (code >= 0xd800 && code < 0xdc00 && i + 1 < label.size() && (label[i + 1] & 0xfc00) == 0xdc00) {
      code = 0x10000 + ((code - 0xd800) << 10) + (label[++i] - 0xdc00u);
    }
    codes.push_back(code);
  }
  const auto basic =
      static_cast<std::uint64_t>(std::count_if(codes.begin(), codes.end(), [](auto code) { return code < 0x80; }));
  std::uint64_t size = 4 + basic + (basic > 0 ? 1 : 0);
  std::uint64_t handled = basic;
  std::uint64_t delta = 0;
  std::uint64_t bias = 72;
  std::uint32_t next = 0x80;
  while (handled < codes.size()) {
    std::uint32_t least = 0x110000;
    for (const auto code : codes) {
      if (code >= next) least = std::min(least, code);
    }
    delta += (least - next) * (handled + 1);
    next = least;
    for (const auto code : codes) {
      if (code < next) ++delta;
      if (code != next) continue;
      std::uint64_t rest = delta;
      for (std::uint64_t k = 36;; k += 36) {
        const std::uint64_t threshold = k <= bias ? 1 : std::min<std::uint64_t>(k - bias, 26);
        ++size;
        if (rest < threshold) break;
        rest = (rest - threshold) / (36 - threshold);
      }
      delta = handled == basic ? delta / 700 : delta / 2;
      ++handled;
      delta += delta / handled;
      for (bias = 0; delta > 455; bias += 36) delta /= 35;
      bias += 36 * delta / (delta + 38);
      delta = 0;
    }
    ++delta;
    ++next;
  }
  return size;
}

// lib/idna: whether every label, encoded, is of 1 to 63 characters. A label may hold full stops of other scripts.
bool is_label(Text label) {
  constexpr std::size_t kLongest = 63;
  if (label.size() > 4 * kLongest) return false;  // no encoding makes so much shorter; and it takes quadratic time
  std::size_t size = 0;
  while (true) {
    const Text part = label.substr(0, label.find_first_of(u"\u3002\uff0e\uff61"));
    const bool ascii = std::all_of(part.begin(), part.end(), [](char16_t c) { return c >= 0x20 && c <= 0x7e; });
    size += ascii ? part.size() : punycode_size(part);
    if (part.size() == label.size()) return size > 0 && size <= kLongest;
    ++size;
    label.remove_prefix(part.size() + 1);
  }
}

// A match of extractUrl. Places are those of the text.
struct Found {
  std::size_t start = 0;
  std::size_t domain = 0;  // after the protocol
  std::size_t domain_end = 0;
  std::size_t path = 0;  // after the port
  std::size_t path_end = 0;
  std::size_t end = 0;

  bool has_protocol() const { return domain > start; }
};

class Finder {
 public:
  explicit Finder(Text text) : text_(text), ends_(domain_ends(text, is_label_char, is_domain_char)) {}

  std::vector<XLink> find() {
    for (std::size_t at = 0; at < text_.size();) {
      std::optional<Found> found;
      if (may_precede(text_[at])) found = found_at(at + 1);
      if (!found && at == 0) found = found_at(0);
      if (found && is_valid(*found)) add(*found);
      at = found ? found->end : at + 1;
    }
    return std::move(links_);
  }

 private:
  std::optional<Found> found_at(std::size_t start) const {
    Found found;
    found.start = found.domain = start;
    for (const Text protocol : {Text(u"https://"), Text(u"http://")}) {
      if (stands_at(text_, start, protocol)) found.domain += protocol.size();
    }
    found.domain_end = ends_[found.domain];
    if (found.domain_end == 0) return std::nullopt;
    found.path = found.domain_end;
    if (is_at(text_, found.path, u':')) {
      const std::size_t port_end = run_end(text_, found.path + 1, is_digit);
      if (port_end > found.path + 1) found.path = port_end;
    }
    found.path_end = is_at(text_, found.path, u'/') ? path_end(text_, found.path) : found.path;
    found.end = query_end(text_, found.path_end);
    return found;
  }

  Text domain_of(const Found& found) const { return text_.substr(found.domain, found.domain_end - found.domain); }

  bool is_valid(const Found& found) const {
    constexpr std::size_t kLongest = 4096;
    constexpr std::size_t kDefaultProtocol = 8;
    const std::size_t protocol = found.has_protocol() ? found.domain - found.start : kDefaultProtocol;
    if (protocol + (found.end - found.start) > kLongest) return false;
    for (Text rest = domain_of(found);;) {
      const Text label = rest.substr(0, rest.find(u'.'));
      if (!is_label(label)) return false;
      if (label.size() == rest.size()) break;
      rest.remove_prefix(label.size() + 1);
    }
    return !domain_of(found).starts_with(u"xn--") || !ascii_domains(domain_of(found)).empty();
  }

  // Those within a domain that may hold any letters, such as those of a sentence without spaces before it.
  static std::vector<XLink> ascii_domains(Text domain) {
    const auto ends = domain_ends(domain, is_ascii_label_char, is_ascii_label_char);
    std::vector<XLink> domains;
    for (std::size_t at = 0; at < domain.size();) {
      if (ends[at] != 0) domains.push_back({at, ends[at] - at});
      at = ends[at] != 0 ? ends[at] : at + 1;
    }
    return domains;
  }

  void add(const Found& found) {
    if (found.has_protocol()) {
      add_url(found);
    } else if (found.start == 0 || !is_one_of(text_[found.start - 1], u"-_./")) {
      add_domains(found);
    }
  }

  void add_url(const Found& found) {
    constexpr std::size_t kLongestSlug = 40;
    std::size_t end = found.end;
    // X's own links have one name and nothing after it.
    const bool own = domain_of(found).size() == 4 && stands_at(text_, found.domain, u"t.co") &&
                     found.path == found.domain_end && found.path_end > found.path;
    if (own) {
      const Text url = text_.substr(0, found.end);
      const std::size_t slug = found.path + 1;
      const std::size_t slug_end = run_end(url, slug, is_alnum);
      if (slug_end - slug > kLongestSlug) return;
      if (slug_end > slug) end = query_end(url, slug_end);
    }
    links_.push_back({found.start, end - found.start});
  }

  void add_domains(const Found& found) {
    const auto domains = ascii_domains(domain_of(found));
    for (const auto& domain : domains) links_.push_back({found.start + domain.start, domain.size});
    // A query belongs to the link only where there is a path. The link's size leaves out what the domain had that is
    // not ASCII, even where that stands after the link's start.
    if (!domains.empty() && found.path_end > found.path) {
      links_.back().size = domains.back().size + (found.end - found.domain_end);
    }
  }

  Text text_;
  std::vector<std::size_t> ends_;
  std::vector<XLink> links_;
};

}  // namespace

std::vector<XLink> find_x_links(std::u16string_view text) {
  return Finder(text).find();
}

}  // namespace triage::ingest
