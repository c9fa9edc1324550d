// The little language in which a source file says where a value comes from and when a rule holds. Compiled once into
// trees; evaluating one is pure, never throws on what a body holds, and answers "not there" for whatever is missing,
// null or of the wrong type. docs/sources.md is its reference.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/spec.h"

namespace triage::ingest {

class Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

// A named value of a group of rules, worked out at most once for each event.
struct Binding {
  ExpressionPtr value;
  std::size_t depth = 0;
};

// Where evaluation stands: the body, the elements that were descended into, and what was worked out on the way.
class Scope {
 public:
  static constexpr std::size_t kMaxDepth = 8;
  static constexpr std::size_t kNestedBytes = 8 * 1024 * 1024;

  Scope(const std::vector<nlohmann::json>& config) : config_(config) {}

  // frames()[0] is the whole body, the last is the event itself.
  std::array<const nlohmann::json*, kMaxDepth> frames{};

  // The next event: forgets what was worked out for the last one.
  void restart(const std::vector<Binding>& bindings) {
    bindings_ = &bindings;
    bound_.assign(bindings.size(), {});
    made_.clear();
  }

  const nlohmann::json* config(std::size_t index) const { return index < config_.size() ? &config_[index] : nullptr; }
  const nlohmann::json* binding(std::size_t slot);

  // The JSON within a string. Not there where it is none, or where one request has had kNestedBytes read in this way:
  // the same string may be looked at again for each of its events.
  const nlohmann::json* read_nested(std::string_view text);

  // Keeps a made value for as long as the event is looked at.
  const nlohmann::json* keep(nlohmann::json value) { return &made_.emplace_back(std::move(value)); }

 private:
  enum class State : std::uint8_t { untouched, busy, done };
  struct Bound {
    State state = State::untouched;
    const nlohmann::json* value = nullptr;
  };

  const std::vector<nlohmann::json>& config_;
  const std::vector<Binding>* bindings_ = nullptr;
  std::vector<Bound> bound_;
  std::deque<nlohmann::json> made_;
  std::size_t nested_left_ = kNestedBytes;
};

class Expression {
 public:
  virtual ~Expression() = default;
  // The value seen from frame `depth`, or null where it is not there (a JSON null is not there either).
  virtual const nlohmann::json* evaluate(Scope& scope, std::size_t depth) const = 0;
};

class Condition {
 public:
  virtual ~Condition() = default;
  virtual bool holds(Scope& scope, std::size_t depth) const = 0;
};
using ConditionPtr = std::unique_ptr<const Condition>;

// What an expression may refer to where it stands.
struct Names {
  std::size_t depth = 0;                        // the frame that a plain pointer starts from
  std::map<std::string, std::size_t> bindings;  // "@name"
  std::map<std::string, std::size_t> config;    // {"config": name}
};

// Each notes what is at fault in `spec`; null then.
ExpressionPtr compile_expression(const Spec& spec, const Names& names);
ConditionPtr compile_condition(const Spec& spec, const Names& names);  // a list holds where all of it holds

// A JSON pointer and nothing else, relative to the element at hand.
ExpressionPtr compile_pointer(const Spec& spec, const Names& names);

// The text that a value stands for: a string, or a whole number spelled out. Null for anything else.
struct Text {
  const std::string* string = nullptr;
  std::string made;
  explicit operator bool() const { return string != nullptr || !made.empty(); }
  std::string_view view() const { return string != nullptr ? std::string_view(*string) : std::string_view(made); }
};
Text as_text(const nlohmann::json* value);

}  // namespace triage::ingest
