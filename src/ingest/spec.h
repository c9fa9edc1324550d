// Reading a source file strictly: every key at fault is noted with its pointer and what was expected, and reading goes
// on, so that the author of a file sees all of it at once.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/model/error.h"

namespace triage::ingest {

// "a, b or c", for "expected …".
std::string or_list(const std::vector<std::string>& names);

class Spec {
 public:
  Spec(const nlohmann::json& value, std::string at, std::vector<FieldError>& errors)
      : value_(&value), at_(std::move(at)), errors_(&errors) {}

  const nlohmann::json& value() const { return *value_; }
  const std::string& at() const { return at_; }
  std::vector<FieldError>& errors() const { return *errors_; }

  void fail(std::string detail) const { errors_->push_back({at_, std::move(detail)}); }
  void fail(std::string_view key, std::string detail) const { child_at(key).fail(std::move(detail)); }

  // "expected <what>, found <type>"
  void expected(std::string_view what) const;

  // True for an object; notes each key that is not one of `known` ("description" always is).
  bool is_object(std::initializer_list<std::string_view> known) const;

  bool has(std::string_view key) const { return value_->is_object() && value_->find(key) != value_->end(); }

  // The member, which must be there.
  Spec operator[](std::string_view key) const {
    return Spec(*value_->find(key), at_ + '/' + pointer_token(key), *errors_);
  }
  std::optional<Spec> find(std::string_view key) const;
  std::optional<Spec> require(std::string_view key, std::string_view what) const;

  // The elements of an array; of anything else the value alone where `or_one`, otherwise a noted fault and nothing.
  std::vector<Spec> list(std::string_view what, bool or_one = false) const;

  // The members of an object, or a noted fault and nothing.
  std::vector<std::pair<std::string, Spec>> members(std::string_view what) const;

  std::optional<std::string> text() const;  // notes a fault where it is not a string
  std::optional<bool> flag() const;
  std::optional<std::int64_t> whole(std::int64_t least, std::int64_t most) const;

  // A string that is one of `names`.
  std::optional<std::string> one_of(const std::vector<std::string>& names) const;

 private:
  Spec child_at(std::string_view key) const { return Spec(*value_, at_ + '/' + pointer_token(key), *errors_); }

  const nlohmann::json* value_;
  std::string at_;
  std::vector<FieldError>* errors_;
};

}  // namespace triage::ingest
