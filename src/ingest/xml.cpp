// XML by Debian's pugixml. It is given valid UTF-8 only and reads the entities of none, since it would make invalid
// UTF-8 of some; that, the bounds and what must stand around the root are this file's.
#include <algorithm>
#include <pugixml.hpp>
#include <string>

#include "ingest/body.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

constexpr std::size_t kMaxDepth = 128;
constexpr std::size_t kMostTags = 600'000;  // pugixml takes some sixty bytes for each before it can be counted

Error not_xml(std::size_t at, const std::string& reason) {
  return make_error(ErrorCode::bad_request, "not valid XML at byte " + std::to_string(at) + ": " + reason);
}

Error too_many() {
  return make_error(ErrorCode::too_large,
                    "the XML holds too many values, expected at most " + std::to_string(kMostValues));
}

std::size_t place_of(const pugi::xml_node& node) {
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 0));
}

class Converter {
 public:
  explicit Converter(const Storage& storage) : storage_(storage) {}

  const std::optional<Error>& error() const { return error_; }

  Value element(const pugi::xml_node& node, std::size_t depth) {
    if (depth > kMaxDepth && !error_) {
      error_ = not_xml(place_of(node), "nested too deep, expected at most " + std::to_string(kMaxDepth) + " levels");
    }
    if (++values_ > kMostValues && !error_) error_ = too_many();
    if (error_) return nullptr;

    boost::json::object out(storage_);
    for (const auto& attribute : node.attributes()) {
      if (++values_ > kMostValues) break;
      out.emplace('@' + std::string(attribute.name()), Value(unescape_html(attribute.value()), storage_));
      if (!fits(out)) return nullptr;
    }
    std::string text;
    for (const auto& child : node.children()) {
      if (child.type() == pugi::node_pcdata) {
        text += unescape_html(child.value());
      } else if (child.type() == pugi::node_cdata) {
        text += child.value();
      } else if (child.type() == pugi::node_element) {
        add(out, child.name(), element(child, depth + 1));
        if (error_ || !fits(out)) return nullptr;
      }
    }
    if (out.empty()) return Value(text, storage_);
    if (!text.empty()) out.emplace("#text", Value(text, storage_));
    return out;
  }

 private:
  bool fits(const boost::json::object& object) {
    if (object.size() > kMostMembers && !error_) {
      error_ = make_error(ErrorCode::too_large,
                          "the XML holds an element with too many attributes and elements of different names, expected "
                          "at most " +
                              std::to_string(kMostMembers));
    }
    return !error_;
  }

  // An element is never an array, so an array is what several of one name have become.
  void add(boost::json::object& to, const char* name, Value value) {
    const auto [there, is_new] = to.emplace(name, nullptr);
    Value& held = there->value();
    if (is_new) {
      held = std::move(value);
    } else {
      if (!held.is_array()) held = boost::json::array({std::move(held)}, storage_);
      held.get_array().push_back(std::move(value));
    }
  }

  const Storage& storage_;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Value> read_xml(std::string_view bytes, const Storage& storage) {
  if (const auto bad = find_invalid_utf8(bytes); bad != std::string_view::npos) return not_xml(bad, "expected UTF-8");
  if (const auto nul = bytes.find('\0'); nul != std::string_view::npos) return not_xml(nul, "a NUL character");
  if (static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '<')) > kMostTags) return too_many();

  pugi::xml_document document;
  // As a fragment, so that what stands beside the root is seen; without parse_escapes.
  constexpr unsigned kHow = pugi::parse_cdata | pugi::parse_eol | pugi::parse_wconv_attribute | pugi::parse_fragment;
  const auto parsed = document.load_buffer(bytes.data(), bytes.size(), kHow, pugi::encoding_utf8);
  if (!parsed) {
    const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(parsed.offset, 0));
    return not_xml(std::min(at, bytes.size()), parsed.description());
  }
  pugi::xml_node root;
  for (const auto& node : document.children()) {
    const bool element = node.type() == pugi::node_element;
    if (!element && node.type() != pugi::node_pcdata && node.type() != pugi::node_cdata) continue;
    if (!element || root) return not_xml(place_of(node), "expected one root element and nothing beside it");
    root = node;
  }
  if (!root) return not_xml(bytes.size(), "expected an element");

  Converter converter(storage);
  Value value = converter.element(root, 1);
  if (converter.error()) return *converter.error();
  boost::json::object out(storage);
  out.emplace(root.name(), std::move(value));
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace triage::ingest
