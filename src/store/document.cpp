// A JSON writer and a JSON reader, just large enough for the store's own documents.
#include "store/document.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace triage::store {
namespace {

// Whether one of eight characters needs escaping: below 0x20, a quote or a backslash. The bit tricks of "Hacker's
// Delight", because all text of a post's verdict and decision goes through here.
bool has_special(const char* eight) {
  std::uint64_t word = 0;
  std::memcpy(&word, eight, sizeof word);
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  const auto zero_in = [](std::uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  const std::uint64_t below_space = (word - kOnes * 0x20U) & ~word & kHighs;
  return (below_space | zero_in(word ^ (kOnes * '"')) | zero_in(word ^ (kOnes * '\\'))) != 0;
}

void put_escaped(char c, std::string& out) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (static_cast<unsigned char>(c) < 0x20) {
    out += "\\u00";
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xFU];
  } else {
    out += c;
  }
}

void put_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t clean = 0, at = 0;
  const auto flush = [&](std::size_t end) {
    out.append(text, clean, at - clean);
    for (; at < end; ++at) put_escaped(text[at], out);
    clean = at;
  };
  for (; at + 8 <= text.size(); at += 8) {
    if (!has_special(text.data() + at)) continue;
    flush(at + 8);
    at -= 8;
  }
  flush(text.size());
  out += '"';
}

void put_number(std::int64_t value, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// With four decimals, which is more than a weight means, and much cheaper than the shortest exact form.
void put_weight(double value, std::string& out) {
  if (!std::isfinite(value) || std::abs(value) > 1e9)
    value = 0;  // JSON has no spelling for the one, nobody for the other
  std::int64_t scaled = std::llround(value * 10'000);
  if (scaled < 0) {
    out += '-';
    scaled = -scaled;
  }
  put_number(scaled / 10'000, out);
  char digits[5] = {'.', '0', '0', '0', '0'};
  for (int i = 4; i > 0; --i, scaled /= 10) digits[i] = static_cast<char>('0' + scaled % 10);
  out.append(digits, sizeof digits);
}

void put_key(std::string_view key, std::string& out) {
  if (out.back() != '{') out += ',';
  out += '"';
  out += key;
  out += "\":";
}

// Reads from the front. Keys come in any order; a key that is not known is skipped.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool accept(char c) {
    space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }

  std::string string() {
    expect('"');
    std::string out;
    while (true) {
      const char* clean = at_;
      while (at_ != end_ && *at_ != '"' && *at_ != '\\') ++at_;
      out.append(clean, at_);
      if (at_ == end_) fail();
      if (*at_++ == '"') return out;
      escape(out);
    }
  }

  template <class Number>
  Number number() {
    space();
    Number value{};
    const auto [end, error] = std::from_chars(at_, end_, value);
    if (error != std::errc()) fail();
    at_ = end;
    return value;
  }

  bool boolean() {
    space();
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    const bool value = rest.starts_with("true");
    if (!value && !rest.starts_with("false")) fail();
    at_ += value ? 4 : 5;
    return value;
  }

  // Calls `item` at each element of an array.
  template <class Item>
  void array(Item item) {
    expect('[');
    if (accept(']')) return;
    do item();
    while (accept(','));
    expect(']');
  }

  // Calls `field` with each key of an object; it reads the value, or says false to have it skipped.
  template <class Field>
  void object(Field field) {
    expect('{');
    if (accept('}')) return;
    do {
      const std::string key = string();
      expect(':');
      if (!field(std::string_view(key))) skip();
    } while (accept(','));
    expect('}');
  }

  void end() {
    space();
    if (at_ != end_) fail();
  }

 private:
  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  void escape(std::string& out) {
    if (at_ == end_) fail();
    const char c = *at_++;
    if (c != 'u') {
      out += c;  // we write only \" and \\ in the short form
      return;
    }
    unsigned value = 0;
    if (end_ - at_ < 4 || std::from_chars(at_, at_ + 4, value, 16).ptr != at_ + 4 || value > 0x7F) fail();
    out += static_cast<char>(value);
    at_ += 4;
  }

  void skip() {
    space();
    if (at_ == end_) fail();
    switch (*at_) {
      case '"':
        string();
        break;
      case '[':
        array([this] { skip(); });
        break;
      case '{':
        object([](std::string_view) { return false; });
        break;
      default:
        while (at_ != end_ && *at_ != ',' && *at_ != ']' && *at_ != '}') ++at_;
    }
  }

  [[noreturn]] static void fail() { throw std::runtime_error("a stored document is not what the store wrote"); }

  const char* at_;
  const char* end_;
};

std::vector<Rung> scan_rungs(Scanner& in) {
  std::vector<Rung> rungs;
  in.array([&] {
    Rung rung;
    in.expect('[');
    rung.after = Duration(in.number<std::int64_t>());
    in.expect(',');
    rung.team = in.string();
    in.expect(']');
    rungs.push_back(std::move(rung));
  });
  return rungs;
}

}  // namespace

void write_reasons(const std::vector<Reason>& reasons, std::string& out) {
  out += '[';
  for (const Reason& reason : reasons) {
    if (&reason != &reasons.front()) out += ',';
    out += '[';
    put_string(reason.what, out);
    out += ',';
    put_string(reason.cue, out);
    out += ',';
    put_weight(reason.weight, out);
    out += ']';
  }
  out += ']';
}

void write_rungs(const std::vector<Rung>& rungs, std::string& out) {
  out += '[';
  for (const Rung& rung : rungs) {
    if (&rung != &rungs.front()) out += ',';
    out += '[';
    put_number(rung.after.count(), out);
    out += ',';
    put_string(rung.team, out);
    out += ']';
  }
  out += ']';
}

void write_decision(const Decision& decision, std::string& out) {
  out += '{';
  put_key("path", out);
  out += '[';
  for (const std::string& route : decision.path) {
    if (&route != &decision.path.front()) out += ',';
    put_string(route, out);
  }
  out += ']';
  put_key("team", out);
  put_string(decision.team, out);
  put_key("ladder", out);
  put_string(decision.ladder, out);
  put_key("rungs", out);
  write_rungs(decision.rungs, out);
  if (decision.site) {
    put_key("site", out);
    put_string(decision.site->site, out);
    put_key("site_cue", out);
    put_string(decision.site->cue, out);
  }
  put_key("why", out);
  put_string(decision.why, out);
  if (decision.first_response) {
    put_key("first_response_ms", out);
    put_number(decision.first_response->count(), out);
  }
  put_key("first_response_rule", out);
  put_string(decision.first_response_rule, out);
  out += '}';
}

void write_media(const std::vector<Media>& media, std::string& out) {
  out += '[';
  for (const Media& item : media) {
    if (&item != &media.front()) out += ',';
    out += '[';
    put_string(item.type, out);
    out += ',';
    put_string(item.url, out);
    out += ']';
  }
  out += ']';
}

void write_author(const Author& author, std::string& out) {
  out += '{';
  put_key("native_id", out);
  put_string(author.native_id, out);
  put_key("handle", out);
  put_string(author.handle, out);
  put_key("name", out);
  put_string(author.name, out);
  if (author.followers) {
    put_key("followers", out);
    put_number(*author.followers, out);
  }
  if (author.verified) {
    put_key("verified", out);
    out += *author.verified ? "true" : "false";
  }
  out += '}';
}

std::vector<Reason> read_reasons(std::string_view text) {
  std::vector<Reason> reasons;
  if (text.empty()) return reasons;
  Scanner in(text);
  in.array([&] {
    Reason reason;
    in.expect('[');
    reason.what = in.string();
    in.expect(',');
    reason.cue = in.string();
    in.expect(',');
    reason.weight = in.number<double>();
    in.expect(']');
    reasons.push_back(std::move(reason));
  });
  in.end();
  return reasons;
}

Decision read_decision(std::string_view text) {
  Decision decision;
  if (text.empty()) return decision;
  Scanner in(text);
  in.object([&](std::string_view key) {
    if (key == "path") {
      in.array([&] { decision.path.push_back(in.string()); });
    } else if (key == "team") {
      decision.team = in.string();
    } else if (key == "ladder") {
      decision.ladder = in.string();
    } else if (key == "rungs") {
      decision.rungs = scan_rungs(in);
    } else if (key == "site") {
      if (!decision.site) decision.site.emplace();
      decision.site->site = in.string();
    } else if (key == "site_cue") {
      if (!decision.site) decision.site.emplace();
      decision.site->cue = in.string();
    } else if (key == "why") {
      decision.why = in.string();
    } else if (key == "first_response_ms") {
      decision.first_response = Duration(in.number<std::int64_t>());
    } else if (key == "first_response_rule") {
      decision.first_response_rule = in.string();
    } else {
      return false;
    }
    return true;
  });
  in.end();
  return decision;
}

std::vector<Rung> read_rungs(std::string_view text) {
  if (text.empty()) return {};
  Scanner in(text);
  auto rungs = scan_rungs(in);
  in.end();
  return rungs;
}

std::vector<Media> read_media(std::string_view text) {
  std::vector<Media> media;
  if (text.empty()) return media;
  Scanner in(text);
  in.array([&] {
    Media item;
    in.expect('[');
    item.type = in.string();
    in.expect(',');
    item.url = in.string();
    in.expect(']');
    media.push_back(std::move(item));
  });
  in.end();
  return media;
}

Author read_author(std::string_view text) {
  Author author;
  Scanner in(text);
  in.object([&](std::string_view key) {
    if (key == "native_id") {
      author.native_id = in.string();
    } else if (key == "handle") {
      author.handle = in.string();
    } else if (key == "name") {
      author.name = in.string();
    } else if (key == "followers") {
      author.followers = in.number<std::int64_t>();
    } else if (key == "verified") {
      author.verified = in.boolean();
    } else {
      return false;
    }
    return true;
  });
  in.end();
  return author;
}

}  // namespace triage::store
