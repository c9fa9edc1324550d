// Parsing untrusted bytes. nlohmann's parser is iterative and validates UTF-8; this adds the bound on depth and an
// error that names the byte without repeating the body.
#include <algorithm>
#include <nlohmann/json.hpp>

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

// Builds the document and stops at the first opening bracket that is too deep, before anything is built for it.
class Builder : public DomBase {
 public:
  Builder(json& document, int max_depth) : DomBase(document, false), max_depth_(max_depth) {}

  bool start_object(std::size_t size) { return enter() && DomBase::start_object(size); }
  bool start_array(std::size_t size) { return enter() && DomBase::start_array(size); }
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
    position_ = position;
    // 406 is the one error of a number; its text repeats the digits.
    reason_ = error.id == 406 ? "the number is too large" : reason_of(error.what());
    return false;
  }

  bool too_deep() const { return depth_ > max_depth_; }
  std::size_t position() const { return position_; }
  const std::string& reason() const { return reason_; }

 private:
  bool enter() { return ++depth_ <= max_depth_; }

  int max_depth_;
  int depth_ = 0;
  std::size_t position_ = 0;
  std::string reason_;
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

Error not_json(std::size_t byte, const std::string& reason) {
  return make_error(ErrorCode::bad_request, "not valid JSON at byte " + std::to_string(byte) + ": " + reason);
}

}  // namespace

Result<json> parse_json(std::string_view bytes, int max_depth) {
  json document;
  Builder builder(document, max_depth);
  // nlohmann takes an empty range by pointer, but not a null one.
  const char* begin = bytes.empty() ? "" : bytes.data();
  if (json::sax_parse(begin, begin + bytes.size(), &builder)) {
    return {boost::system::in_place_value, std::move(document)};  // json converts to anything, so say which it is
  }

  if (builder.too_deep()) {
    return not_json(find_depth(bytes, max_depth),
                    "nested too deep, expected at most " + std::to_string(max_depth) + " levels");
  }
  // nlohmann counts the byte it has just read, so the byte at fault is one before, or the end.
  const std::size_t read = builder.position();
  return not_json(std::min(read == 0 ? 0 : read - 1, bytes.size()), builder.reason());
}

}  // namespace triage
