// JSON by Boost's parser, several times as fast as nlohmann's. Whatever it refuses is given to that one, which has the
// last word and the words to say it in, so that every way into the server takes the same JSON.
#include "ingest/value.h"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "triage/model/json.h"

namespace triage::ingest {
namespace {

using boost::json::error_code;
using boost::json::string_view;

constexpr std::size_t kMaxDepth = 128;

// Builds the value, and stops at the first that is too many.
class Builder {
 public:
  static constexpr std::size_t max_object_size = kMostMembers;
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  explicit Builder(const Storage& storage) : stack_({}, buffer_.data(), buffer_.size()) { stack_.reset(storage); }

  Value take() { return stack_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& error) { return count(error); }
  bool on_array_begin(error_code& error) { return count(error); }
  bool on_object_end(std::size_t size, error_code&) { return stack_.push_object(size), true; }
  bool on_array_end(std::size_t size, error_code&) { return stack_.push_array(size), true; }
  bool on_key_part(string_view part, std::size_t, error_code&) { return stack_.push_chars(part), true; }
  bool on_key(string_view part, std::size_t, error_code&) { return stack_.push_key(part), true; }
  bool on_string_part(string_view part, std::size_t, error_code&) { return stack_.push_chars(part), true; }
  bool on_string(string_view part, std::size_t, error_code& error) { return stack_.push_string(part), count(error); }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, string_view, error_code& error) { return stack_.push_int64(value), count(error); }
  bool on_uint64(std::uint64_t value, string_view, error_code& error) {
    return stack_.push_uint64(value), count(error);
  }
  bool on_double(double, string_view digits, error_code& error) {
    // What Boost made of them may be off in the last place.
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return refuse(error);
    return stack_.push_double(value), count(error);
  }
  bool on_bool(bool value, error_code& error) { return stack_.push_bool(value), count(error); }
  bool on_null(error_code& error) { return stack_.push_null(), count(error); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  static bool refuse(error_code& error) {
    error = boost::json::error::array_too_large;  // any; nobody looks at which
    return false;
  }
  bool count(error_code& error) { return ++values_ <= kMostValues || refuse(error); }

  std::array<unsigned char, 4096> buffer_;
  boost::json::value_stack stack_;
  std::size_t values_ = 0;
};

bool has_too_many_members(const nlohmann::json& value) {
  return (value.is_object() && value.size() > kMostMembers) ||
         (value.is_structured() && std::any_of(value.begin(), value.end(), has_too_many_members));
}

Error too_many_members() {
  return make_error(ErrorCode::too_large,
                    "the JSON holds an object with too many members, expected at most " + std::to_string(kMostMembers));
}

}  // namespace

std::optional<double> number_in(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* number = value->if_double()) return *number;
  if (const auto* number = value->if_int64()) return static_cast<double>(*number);
  if (const auto* number = value->if_uint64()) return static_cast<double>(*number);
  return std::nullopt;
}

bool equal(const Value& a, const Value& b) {
  if (a.is_double() != b.is_double() && a.is_number() && b.is_number()) return number_in(&a) == number_in(&b);
  return a == b;
}

Value to_value(const nlohmann::json& from, const Storage& storage) {
  using Type = nlohmann::json::value_t;
  switch (from.type()) {
    case Type::object: {
      boost::json::object out(from.size(), storage);
      for (const auto& member : from.items()) out.emplace(member.key(), to_value(member.value(), storage));
      return out;
    }
    case Type::array: {
      boost::json::array out(storage);
      out.reserve(from.size());
      for (const auto& element : from) out.push_back(to_value(element, storage));
      return out;
    }
    case Type::string:
      return Value(from.get_ref<const std::string&>(), storage);
    case Type::boolean:
      return Value(from.get<bool>(), storage);
    case Type::number_integer:
      return Value(from.get<std::int64_t>(), storage);
    case Type::number_unsigned: {
      // Of two kinds as the parser has them: unsigned is only what does not fit the other.
      const auto number = from.get<std::uint64_t>();
      const bool fits = number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      return fits ? Value(static_cast<std::int64_t>(number), storage) : Value(number, storage);
    }
    case Type::number_float:
      return Value(from.get<double>(), storage);
    case Type::null:
    case Type::binary:
    case Type::discarded:
      break;
  }
  return Value(nullptr, storage);
}

Result<Value> read_json(std::string_view bytes, const Storage& storage) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::basic_parser<Builder> parser(options, storage);
  error_code error;
  const std::size_t read = parser.write_some(false, bytes.data(), bytes.size(), error);
  if (!error && read == bytes.size()) return {boost::system::in_place_value, parser.handler().take()};
  if (error == boost::json::error::object_too_large) return too_many_members();
  const auto parsed = parse_json(bytes, kMaxDepth);
  if (!parsed) return parsed.error();
  if (has_too_many_members(*parsed)) return too_many_members();
  return {boost::system::in_place_value, to_value(*parsed, storage)};
}

}  // namespace triage::ingest
