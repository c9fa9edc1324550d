// The little language in which a source file says where a value comes from and when a rule holds. Compiled once into
// trees; evaluating one is pure, never throws on what a body holds, and answers "not there" for whatever is missing,
// null or of the wrong type. docs/sources.md is its reference.
#pragma once

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/spec.h"
#include "ingest/value.h"

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

  explicit Scope(const std::vector<Value>& config) : config_(config) { made_.emplace(buffer_.data(), buffer_.size()); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // frames()[0] is the whole body, the last is the event itself.
  std::array<const Value*, kMaxDepth> frames{};

  // The next event: forgets what was worked out for the last one.
  void restart(const std::vector<Binding>& bindings) {
    bindings_ = &bindings;
    bound_.assign(bindings.size(), {});
    made_.emplace(buffer_.data(), buffer_.size());  // release() would let its next block grow from event to event
  }

  const Value* config(std::size_t index) const { return index < config_.size() ? &config_[index] : nullptr; }
  const Value* binding(std::size_t slot);

  // The JSON within a string. Not there where it is none, or where one request has had kNestedBytes read in this way:
  // the same string may be looked at again for each of its events.
  const Value* read_nested(std::string_view text);

  // Where made values are; gone with the event. What is kept there needs no destructor.
  Storage storage() { return &*made_; }
  template <class T>
  const Value* keep(T&& value) {
    return ::new (made_->allocate(sizeof(Value), alignof(Value))) Value(std::forward<T>(value), storage());
  }

 private:
  enum class State : std::uint8_t { untouched, busy, done };
  struct Bound {
    State state = State::untouched;
    const Value* value = nullptr;
  };

  const std::vector<Value>& config_;
  const std::vector<Binding>* bindings_ = nullptr;
  std::vector<Bound> bound_;
  std::array<unsigned char, 4096> buffer_;
  std::optional<boost::json::monotonic_resource> made_;
  std::size_t nested_left_ = kNestedBytes;
};

class Expression {
 public:
  virtual ~Expression() = default;
  // The value seen from frame `depth`, or null where it is not there (a JSON null is not there either).
  virtual const Value* evaluate(Scope& scope, std::size_t depth) const = 0;
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

// A template without an object around it, whose filled-in values are percent-encoded: as a part of an address, or,
// after
// "{+", with the characters kept that are reserved there (RFC 6570).
ExpressionPtr compile_url(const Spec& spec, const Names& names);

// The names of `let`, for `names` and in `out`.
void compile_bindings(const Spec& spec, Names& names, std::vector<Binding>& out);

// A JSON pointer and nothing else, relative to the element at hand.
ExpressionPtr compile_pointer(const Spec& spec, const Names& names);

// The text that a value stands for: a string, or a whole number spelled out. False for anything else.
class Text {
 public:
  Text() = default;
  explicit Text(std::string_view string) : string_(string), there_(true) {}
  explicit Text(std::uint64_t number) { spell(number); }
  explicit Text(std::int64_t number) { spell(number); }

  explicit operator bool() const { return there_; }
  std::string_view view() const { return size_ == 0 ? string_ : std::string_view(digits_.data(), size_); }

 private:
  template <class Number>
  void spell(Number number) {
    size_ = static_cast<std::size_t>(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr -
                                     digits_.data());
    there_ = true;
  }

  std::string_view string_;
  std::array<char, 20> digits_;
  std::size_t size_ = 0;  // of digits_
  bool there_ = false;
};
Text as_text(const Value* value);

}  // namespace triage::ingest
