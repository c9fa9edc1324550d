#include "ingest/html.h"

#include <algorithm>
#include <array>

#include "ingest/text.h"

namespace triage::ingest {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_block(std::string_view name) {
  static constexpr std::array<std::string_view, 33> kBlocks{
      "address",  "article",    "aside",  "blockquote", "body", "center", "dd",      "details", "div",   "dl", "dt",
      "fieldset", "figcaption", "figure", "footer",     "form", "h1",     "h2",      "h3",      "h4",    "h5", "h6",
      "header",   "hr",         "li",     "main",       "nav",  "ol",     "section", "summary", "table", "tr", "ul"};
  return std::binary_search(kBlocks.begin(), kBlocks.end(), name);
}

bool has_word(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const auto end = std::find_if(words.begin(), words.end(), is_space);
    const auto size = static_cast<std::size_t>(end - words.begin());
    if (words.substr(0, size) == wanted) return true;
    words.remove_prefix(std::min(size + 1, words.size()));
  }
  return false;
}

class Reader {
 public:
  explicit Reader(std::string_view html) : html_(html), last_double_(html.rfind('"')), last_single_(html.rfind('\'')) {
    out_.reserve(html.size());
  }

  std::string read() {
    while (at_ < html_.size()) {
      const char c = html_[at_];
      if (c == '<' && at_ + 1 < html_.size() && markup()) continue;
      if (c == '&') {
        entity();
      } else {
        character(c);
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  struct Tag {
    std::string name;
    bool closing = false;
    std::string_view classes;
  };

  // True where the '<' begins something that is not text; then it has been read.
  bool markup() {
    const char next = html_[at_ + 1];
    if (is_letter(next)) {
      take(read_tag());
    } else if (next == '/') {
      if (at_ + 2 < html_.size() && is_letter(html_[at_ + 2])) {
        take(read_tag());
      } else {
        skip_past(">");
      }
    } else if (html_.substr(at_, 4) == "<!--") {
      skip_past("-->");
    } else if (next == '!' || next == '?') {
      skip_past(">");
    } else {
      return false;
    }
    return true;
  }

  void skip_past(std::string_view end) {
    const auto found = html_.find(end, at_ + 1);
    at_ = found == std::string_view::npos ? html_.size() : found + end.size();
  }

  Tag read_tag() {
    Tag tag;
    ++at_;
    if (html_[at_] == '/') {
      tag.closing = true;
      ++at_;
    }
    while (at_ < html_.size() && !is_space(html_[at_]) && html_[at_] != '/' && html_[at_] != '>') {
      if (tag.name.size() < kLongestName) tag.name += lower(html_[at_]);
      ++at_;
    }
    while (true) {
      while (at_ < html_.size() && (is_space(html_[at_]) || html_[at_] == '/')) ++at_;
      if (at_ == html_.size()) return tag;
      if (html_[at_] == '>') {
        ++at_;
        return tag;
      }
      read_attribute(tag);
    }
  }

  void read_attribute(Tag& tag) {
    const std::size_t start = at_++;  // a '=' in front is part of the name
    while (at_ < html_.size() && !is_space(html_[at_]) && html_[at_] != '/' && html_[at_] != '>' && html_[at_] != '=') {
      ++at_;
    }
    const auto name = html_.substr(start, at_ - start);
    std::size_t next = at_;
    while (next < html_.size() && is_space(html_[next])) ++next;
    if (next == html_.size() || html_[next] != '=') return;
    at_ = next + 1;
    while (at_ < html_.size() && is_space(html_[at_])) ++at_;
    const auto value = read_value();
    if (same_ignoring_case(name, "class")) tag.classes = value;
  }

  std::string_view read_value() {
    if (at_ == html_.size()) return {};
    const char quote = html_[at_];
    const std::size_t last = quote == '"' ? last_double_ : quote == '\'' ? last_single_ : std::string_view::npos;
    // A quote that nothing closes is not one, so that it does not take the rest of the text along.
    if (last != std::string_view::npos && last > at_) {
      const std::size_t start = at_ + 1;
      const std::size_t end = html_.find(quote, start);
      at_ = end + 1;
      return html_.substr(start, end - start);
    }
    const std::size_t start = at_;
    while (at_ < html_.size() && !is_space(html_[at_]) && html_[at_] != '>') ++at_;
    return html_.substr(start, at_ - start);
  }

  void take(const Tag& tag) {
    const std::string& name = tag.name;
    if (name == "span") return span(tag);
    if (name == "a") {
      in_link_ = !tag.closing;
      hidden_ = 0;
    } else if (name == "br") {
      hidden_ = 0;
      if (!out_.empty()) ++newlines_;
    } else if (name == "p") {
      block(2);
    } else if (name == "pre") {
      block(1);
      preformatted_ = !tag.closing;
    } else if (name == "td" || name == "th") {
      hidden_ = 0;
      space_ = true;
    } else if ((name == "script" || name == "style") && !tag.closing) {
      skip_element(name);
    } else if (is_block(name)) {
      block(1);
    }
  }

  // Mastodon: <a href="https://example.com/long"><span
  // class="invisible">https://</span><span>example.com/long</span></a>
  void span(const Tag& tag) {
    if (tag.closing) {
      if (hidden_ > 0) --hidden_;
    } else if (hidden_ > 0 || (in_link_ && has_word(tag.classes, "invisible"))) {
      ++hidden_;
    }
  }

  // What follows stands on a line of its own; with 2, apart by an empty one.
  void block(std::size_t newlines) {
    hidden_ = 0;
    in_link_ = false;
    if (!out_.empty()) newlines_ = std::max(newlines_, newlines);
  }

  // Up to and with the closing tag; all of the rest where there is none.
  void skip_element(std::string_view name) {
    while (true) {
      const auto close = html_.find("</", at_);
      if (close == std::string_view::npos) {
        at_ = html_.size();
        return;
      }
      at_ = close + 2;
      const auto after = at_ + name.size();
      if (!same_ignoring_case(html_.substr(at_, name.size()), name)) continue;
      if (after < html_.size() && !is_space(html_[after]) && html_[after] != '>' && html_[after] != '/') continue;
      at_ = close;
      skip_past(">");
      return;
    }
  }

  void entity() {
    std::string character;
    at_ += append_entity(character, html_.substr(at_));
    if (hidden_ > 0) return;
    make_room();
    out_ += character;
  }

  void character(char c) {
    if (hidden_ > 0) return;
    if (!is_space(c)) {
      make_room();
      out_.push_back(c);
    } else if (!preformatted_) {
      space_ = true;
    } else if (c == '\n') {
      if (!out_.empty()) ++newlines_;
    } else if (c != '\r') {
      make_room();
      out_.push_back(' ');
    }
  }

  // The white space before what is written next; so there is none at the beginning and the end of a line.
  void make_room() {
    if (newlines_ > 0) {
      out_.append(newlines_, '\n');
    } else if (space_ && !out_.empty()) {
      out_.push_back(' ');
    }
    newlines_ = 0;
    space_ = false;
  }

  static constexpr std::size_t kLongestName = 16;

  std::string_view html_;
  std::size_t last_double_;
  std::size_t last_single_;
  std::size_t at_ = 0;
  std::string out_;
  std::size_t newlines_ = 0;
  bool space_ = false;
  bool preformatted_ = false;
  bool in_link_ = false;
  std::size_t hidden_ = 0;  // how many spans deep within an invisible one
};

}  // namespace

std::string html_to_text(std::string_view html) {
  return Reader(html).read();
}

}  // namespace triage::ingest
