#include "ingest/spec.h"

#include <algorithm>

namespace triage::ingest {

std::string or_list(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

void Spec::expected(std::string_view what) const {
  fail("expected " + std::string(what) + ", found " + value_->type_name());
}

bool Spec::is_object(std::initializer_list<std::string_view> known) const {
  if (!value_->is_object()) {
    expected("an object");
    return false;
  }
  for (const auto& member : value_->items()) {
    const auto& key = member.key();
    if (key == "description" || std::find(known.begin(), known.end(), key) != known.end()) continue;
    fail(key, "unknown key, expected " + or_list(std::vector<std::string>(known.begin(), known.end())));
  }
  return true;
}

std::optional<Spec> Spec::find(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return (*this)[key];
}

std::optional<Spec> Spec::require(std::string_view key, std::string_view what) const {
  if (has(key)) return (*this)[key];
  if (value_->is_object()) fail(key, "missing, expected " + std::string(what));
  return std::nullopt;
}

std::vector<Spec> Spec::list(std::string_view what, bool or_one) const {
  std::vector<Spec> out;
  if (value_->is_array()) {
    for (std::size_t i = 0; i < value_->size(); ++i) {
      out.emplace_back((*value_)[i], at_ + '/' + std::to_string(i), *errors_);
    }
  } else if (or_one) {
    out.push_back(*this);
  } else {
    expected(what);
  }
  return out;
}

std::vector<std::pair<std::string, Spec>> Spec::members(std::string_view what) const {
  std::vector<std::pair<std::string, Spec>> out;
  if (!value_->is_object()) {
    expected(what);
    return out;
  }
  for (const auto& member : value_->items()) {
    if (member.key() != "description") out.emplace_back(member.key(), (*this)[member.key()]);
  }
  return out;
}

std::optional<std::string> Spec::text() const {
  if (value_->is_string()) return value_->get<std::string>();
  expected("a string");
  return std::nullopt;
}

std::optional<bool> Spec::flag() const {
  if (value_->is_boolean()) return value_->get<bool>();
  expected("true or false");
  return std::nullopt;
}

std::optional<std::int64_t> Spec::whole(std::int64_t least, std::int64_t most) const {
  if (value_->is_number_integer()) {
    const auto number = value_->get<std::int64_t>();
    if (number >= least && number <= most) return number;
  }
  fail("expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::string> Spec::one_of(const std::vector<std::string>& names) const {
  auto found = text();
  if (!found) return std::nullopt;
  if (std::find(names.begin(), names.end(), *found) != names.end()) return found;
  fail("expected " + or_list(names) + ", found \"" + *found + "\"");
  return std::nullopt;
}

}  // namespace triage::ingest
