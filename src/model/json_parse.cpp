// Parsing untrusted bytes. nlohmann's parser is iterative and validates UTF-8; this adds the bound on depth and an
// error that names the byte without repeating the body.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "triage/model/json.h"

namespace triage {
namespace {

using nlohmann::json;
using DomBase = nlohmann::detail::json_sax_dom_parser<json>;

// What is worth repeating of nlohmann's message: what stood there and what was expected, without the token itself,
// which may be as long as the body or hold what must not be logged. Its forms are "… while parsing value - unexpected
// ']'; expected …" and, where there is no token at all, "… - invalid literal; last read: '…'; expected …".
std::string reason_of(std::string_view what) {
  const auto dash = what.find(" - ");
  if (dash == std::string_view::npos) return "unexpected input";
  what.remove_prefix(dash + 3);

  std::string reason;
  if (const auto token = what.find("; last read: "); token != std::string_view::npos) {
    reason = what.substr(0, token);
    if (what.ends_with("; expected string literal")) {
      reason += ", expected a string";
    } else if (reason == "invalid literal") {
      reason += ", expected a value";
    }
  } else {
    reason = what;
    if (const auto at = reason.find("; expected "); at != std::string::npos) reason[at] = ',';
  }
  return reason;
}

// A value takes up to forty times its bytes once it is built ("{},"), so a few bodies of the largest size could take
// all memory. A thousand posts with all that each may have are within this.
constexpr std::size_t kMostValues = 250'000;

// Builds the document and stops at the first opening bracket that is too deep, and at the first value that is too many,
// before anything is built for it.
class Builder : public DomBase {
 public:
  Builder(json& document, int max_depth) : DomBase(document, false), max_depth_(max_depth) {}

  bool null() { return count() && DomBase::null(); }
  bool boolean(bool value) { return count() && DomBase::boolean(value); }
  bool number_integer(json::number_integer_t value) { return count() && DomBase::number_integer(value); }
  bool number_unsigned(json::number_unsigned_t value) { return count() && DomBase::number_unsigned(value); }
  bool number_float(json::number_float_t value, const std::string& digits) {
    return count() && DomBase::number_float(value, digits);
  }
  bool string(std::string& value) { return count() && DomBase::string(value); }
  bool start_object(std::size_t size) { return count() && enter() && DomBase::start_object(size); }
  bool start_array(std::size_t size) { return count() && enter() && DomBase::start_array(size); }
  bool end_object() {
    --depth_;
    return DomBase::end_object();
  }
  bool end_array() {
    --depth_;
    return DomBase::end_array();
  }

  template <class Exception>
  bool parse_error(std::size_t position, const std::string&, const Exception& error) {
    // nlohmann counts the byte it has just read, so the byte at fault is one before, or the end.
    stop_at(position == 0 ? 0 : position - 1);
    // 406 is the one error of a number; its text repeats the digits.
    reason_ = error.id == 406 ? "the number is too large" : reason_of(error.what());
    return false;
  }

  const std::optional<std::size_t>& position() const { return position_; }
  const std::string& reason() const { return reason_; }
  bool too_many() const { return values_ > kMostValues; }

 protected:
  void stop_at(std::size_t position) { position_ = position; }
  std::string reason_;

 private:
  bool enter() {
    if (++depth_ <= max_depth_) return true;
    reason_ = "nested too deep, expected at most " + std::to_string(max_depth_) + " levels";
    return false;
  }
  bool count() {
    if (++values_ <= kMostValues) return true;
    reason_ = "too many values, expected at most " + std::to_string(kMostValues);
    return false;
  }

  int max_depth_;
  int depth_ = 0;
  std::size_t values_ = 0;
  std::optional<std::size_t> position_;  // of the fault; the builder itself does not know where a bracket stands
};

// An iterator that tells how far it has been read.
struct Watched {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** furthest = nullptr;

  reference operator*() const { return *at; }
  Watched& operator++() {
    ++at;
    *furthest = at;
    return *this;
  }
  friend bool operator==(const Watched& a, const Watched& b) { return a.at == b.at; }
};

// Also refuses a key that stands twice in one object.
class StrictBuilder : public Builder {
 public:
  using Builder::Builder;

  bool start_object(std::size_t size) {
    keys_.emplace_back();
    return Builder::start_object(size);
  }
  bool end_object() {
    keys_.pop_back();
    return Builder::end_object();
  }
  bool key(std::string& name) {
    if (!keys_.back().insert(name).second) {
      reason_ = "the key " + json(name).dump() + " stands here for the second time, expected it once";
      return false;
    }
    return Builder::key(name);
  }

 private:
  std::vector<std::set<std::string>> keys_;
};

// The bracket that was too deep. Only asked for bytes that parsed well up to it.
std::size_t find_depth(std::string_view bytes, int max_depth) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return bytes.size();
}

Error not_json(const std::string& place, const std::string& reason) {
  return make_error(ErrorCode::bad_request, "not valid JSON at " + place + ": " + reason);
}

std::string line_and_column(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');
  const std::size_t column = line_start == std::string_view::npos ? at + 1 : at - line_start;
  return "line " + std::to_string(lines + 1) + ", column " + std::to_string(column);
}

}  // namespace

Result<json> parse_json(std::string_view bytes, int max_depth) {
  json document;
  Builder builder(document, max_depth);
  // nlohmann takes an empty range by pointer, but not a null one.
  const char* begin = bytes.empty() ? "" : bytes.data();
  if (json::sax_parse(begin, begin + bytes.size(), &builder)) {
    // nlohmann takes a NUL between tokens for the end, whatever follows it.
    if (const auto nul = bytes.find('\0'); nul != std::string_view::npos) {
      return not_json("byte " + std::to_string(nul), "a NUL character, expected the end");
    }
    return {boost::system::in_place_value, std::move(document)};  // json converts to anything, so say which it is
  }
  if (builder.too_many()) return make_error(ErrorCode::too_large, "the JSON holds " + builder.reason());
  const std::size_t at =
      builder.position() ? std::min(*builder.position(), bytes.size()) : find_depth(bytes, max_depth);
  return not_json("byte " + std::to_string(at), builder.reason());
}

Result<json> parse_written_json(std::string_view text, int max_depth) {
  json document;
  StrictBuilder builder(document, max_depth);
  const char* begin = text.empty() ? "" : text.data();
  const char* furthest = begin;
  if (json::sax_parse(Watched{begin, &furthest}, Watched{begin + text.size(), &furthest}, &builder,
                      json::input_format_t::json, true, true)) {
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
      return not_json(line_and_column(text, nul), "a NUL character, expected the end");
    }
    return {boost::system::in_place_value, std::move(document)};
  }
  // What the builder itself refuses is the last thing that was read.
  const auto read = static_cast<std::size_t>(furthest - begin);
  const std::size_t at = builder.position() ? std::min(*builder.position(), text.size()) : read == 0 ? 0 : read - 1;
  return not_json(line_and_column(text, at), builder.reason());
}

}  // namespace triage
