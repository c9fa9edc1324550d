#include "app/config_reader.h"

#include <algorithm>
#include <cmath>

namespace triage::app {
namespace {

std::string number_text(double number) {
  return number == std::floor(number) && std::abs(number) < 1e15 ? std::to_string(static_cast<long long>(number))
                                                                 : nlohmann::json(number).dump();
}

const char* type_of(const nlohmann::json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "true or false";
  return value.is_null() ? "null" : "a number";
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment, three rows of its table at a time.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string_view shortened = word.substr(0, 64);  // the table grows with the square
  std::string best;
  std::size_t least = std::string::npos;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(shortened, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string or_list(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

void Value::expected(const std::string& what) const {
  std::string found = type_of(*value_);
  const bool simple = value_->is_string() || value_->is_number() || value_->is_boolean();
  if (simple && written_out()) {
    std::string shown = value_->dump();
    if (shown.size() <= 48) found = std::move(shown);
  }
  fail("expected " + what + ", found " + found);
}

std::optional<std::string> Value::text() const {
  if (value_->is_string() && !value_->get_ref<const std::string&>().empty()) return value_->get<std::string>();
  if (value_->is_string()) {
    fail("expected a string, found an empty one");
  } else {
    expected("a string");
  }
  return std::nullopt;
}

std::optional<bool> Value::flag() const {
  if (value_->is_boolean()) return value_->get<bool>();
  expected("true or false");
  return std::nullopt;
}

std::optional<double> Value::number(double least, double most) const {
  if (value_->is_number()) {
    const auto number = value_->get<double>();
    if (number >= least && number <= most) return number;
  }
  expected("a number from " + number_text(least) + " to " + number_text(most));
  return std::nullopt;
}

std::optional<std::int64_t> Value::whole(std::int64_t least, std::int64_t most) const {
  if (value_->is_number()) {
    const auto number = value_->get<double>();
    const bool in_range = number >= static_cast<double>(least) && number <= static_cast<double>(most);
    if (in_range && number == std::floor(number)) return static_cast<std::int64_t>(number);
  }
  expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<Duration> Value::duration(Duration least, Duration most) const {
  const std::string range = " from " + format_duration(least) + " to " + format_duration(most);
  if (value_->is_string()) {
    if (const auto read = parse_duration(value_->get_ref<const std::string&>())) {
      if (*read >= least && *read <= most) return *read;
      expected("a duration" + range);
      return std::nullopt;
    }
  }
  expected("a duration such as \"90s\", \"15m\", \"2h\" or \"30d\"");
  return std::nullopt;
}

std::optional<std::string> Value::one_of(const std::vector<std::string>& names) const {
  if (value_->is_string()) {
    const auto& word = value_->get_ref<const std::string&>();
    if (std::find(names.begin(), names.end(), word) != names.end()) return word;
  }
  expected(or_list(names));
  return std::nullopt;
}

std::vector<Value> Value::elements() const {
  std::vector<Value> out;
  if (!value_->is_array()) {
    expected("a list");
    return out;
  }
  for (std::size_t i = 0; i < value_->size(); ++i) out.push_back(child((*value_)[i], std::to_string(i)));
  return out;
}

std::vector<Value> Value::one_or_more() const {
  if (!value_->is_array()) return {*this};
  if (value_->empty()) fail("expected at least one, found an empty list");
  return elements();
}

std::vector<std::pair<std::string, Value>> Value::members() const {
  std::vector<std::pair<std::string, Value>> out;
  if (!value_->is_object()) {
    expected("an object");
    return out;
  }
  for (const auto& [name, member] : value_->items()) out.emplace_back(name, child(member, name));
  return out;
}

Object::Object(const Value& value) : value_(value) {
  if (!value_.json().is_object()) value_.expected("an object");
}

Object::~Object() {
  if (!value_.json().is_object()) return;
  for (const auto& [name, member] : value_.json().items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string message = "unknown key";
    if (const std::string near = nearest(name, known_); !near.empty())
      message += ", the nearest known one is \"" + near + '"';
    value_.child(member, name).fail(std::move(message));
  }
}

std::optional<Value> Object::find(const std::string& key) {
  known_.push_back(key);
  if (!value_.json().is_object()) return std::nullopt;
  const auto it = value_.json().find(key);
  if (it == value_.json().end()) return std::nullopt;
  return value_.child(*it, key);
}

std::optional<Value> Object::require(const std::string& key, const std::string& what) {
  auto found = find(key);
  if (!found && value_.json().is_object()) place(key).fail("missing, expected " + what);
  return found;
}

Value Object::place(const std::string& key) const {
  return value_.child(value_.json(), key);
}

void Object::text(const std::string& key, std::string& out) {
  if (const auto value = find(key)) {
    if (auto text = value->text()) out = std::move(*text);
  }
}

void Object::flag(const std::string& key, bool& out) {
  if (const auto value = find(key)) out = value->flag().value_or(out);
}

void Object::duration(const std::string& key, Duration& out, Duration least, Duration most) {
  if (const auto value = find(key)) out = value->duration(least, most).value_or(out);
}

void Object::number(const std::string& key, double& out, double least, double most) {
  if (const auto value = find(key)) out = value->number(least, most).value_or(out);
}

void Object::texts(const std::string& key, std::vector<std::string>& out) {
  const auto value = find(key);
  if (!value) return;
  out.clear();
  for (const Value& element : value->one_or_more()) {
    if (auto text = element.text()) out.push_back(std::move(*text));
  }
}

void Object::object(const std::string& key, const std::function<void(Object&)>& read) {
  if (const auto value = find(key)) {
    Object inner(*value);
    read(inner);
  }
}

void Object::objects(const std::string& key, const std::function<void(Object&)>& read) {
  const auto value = find(key);
  if (!value) return;
  for (const Value& element : value->elements()) {
    Object inner(element);
    read(inner);
  }
}

void Object::members(const std::string& key, const std::function<void(const std::string&, const Value&)>& read) {
  const auto value = find(key);
  if (!value) return;
  for (const auto& [name, member] : value->members()) read(name, member);
}

void Object::pass_over_rest() {
  if (!value_.json().is_object()) return;
  for (const auto& [name, member] : value_.json().items()) known_.push_back(name);
}

}  // namespace triage::app
