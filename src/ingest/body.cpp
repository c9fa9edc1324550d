#include "ingest/body.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "ingest/encoding.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

Error not_a_form(std::size_t at, const std::string& reason) {
  return make_error(ErrorCode::bad_request, "not a valid form at byte " + std::to_string(at) + ": " + reason);
}

// Where in `text` the decoding stops, or npos.
std::size_t decode(std::string_view text, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return i;
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<BodyFormat> parse_body_format(std::string_view name) {
  if (name == "json") return BodyFormat::json;
  if (name == "xml") return BodyFormat::xml;
  if (name == "form") return BodyFormat::form;
  return std::nullopt;
}

Result<Value> read_body(BodyFormat format, std::string_view bytes, const Storage& storage) {
  switch (format) {
    case BodyFormat::json:
      return read_json(bytes, storage);
    case BodyFormat::xml:
      return read_xml(bytes, storage);
    case BodyFormat::form:
      return read_form(bytes, storage);
  }
  return read_json(bytes, storage);
}

Result<Value> read_form(std::string_view bytes, const Storage& storage) {
  boost::json::object out(storage);
  std::string name;
  std::string value;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = std::min(bytes.find('&', at), bytes.size());
    const std::string_view field = bytes.substr(at, end - at);
    const std::size_t equals = std::min(field.find('='), field.size());
    const std::size_t value_at = std::min(equals + 1, field.size());
    for (auto [part, from, to] :
         {std::tuple(field.substr(0, equals), at, &name), std::tuple(field.substr(value_at), at + value_at, &value)}) {
      if (const auto bad = decode(part, *to); bad != std::string_view::npos) {
        return not_a_form(from + bad, "expected two hexadecimal digits after %");
      }
      if (find_invalid_utf8(*to) != std::string_view::npos) return not_a_form(from, "expected UTF-8");
    }
    if (!field.empty()) {
      out.emplace(name, value);  // the first stays
      if (out.size() > kMostMembers) {
        return make_error(ErrorCode::too_large,
                          "the form holds too many fields, expected at most " + std::to_string(kMostMembers));
      }
    }
    at = end + 1;
  }
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace triage::ingest
