// A declarative reader of a configuration document. Each object is read by naming its keys; the reader knows where it
// is, notes every fault with its pointer, and notes each key that nobody named together with the nearest known one.
//
// A value that may be a secret is never repeated: nothing is shown that came from the environment or a file.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "triage/app/config.h"

namespace triage::app {

// The candidate that `word` was most likely meant to be; "" without candidates. Edit distance, swaps counted as one.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// Insertions, deletions, changes and swaps of neighbours that make one of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// "a, b or c"
std::string or_list(const std::vector<std::string>& names);

// What is gathered while a document is read.
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}

  // Nothing more is noted of a place that was closed: one fault there says enough.
  void fail(std::string pointer, std::string message) {
    ++faults_;
    if (closed_.count(pointer) != 0) return;
    errors_.push_back({file_, std::move(pointer), std::move(message)});
  }
  void close(std::string pointer) { closed_.insert(std::move(pointer)); }
  void warn(std::string pointer, std::string message) {
    warnings_.push_back({file_, std::move(pointer), std::move(message)});
  }

  // Faults met so far, also those that were not noted again. For "was anything wrong with this part?"
  std::size_t faults() const { return faults_; }

  std::vector<Finding>& errors() { return errors_; }
  std::vector<Finding>& warnings() { return warnings_; }

 private:
  std::string file_;
  std::vector<Finding> errors_;
  std::vector<Finding> warnings_;
  std::set<std::string> closed_;
  std::size_t faults_ = 0;
};

// Replaces ${NAME} by the environment variable and {"file": PATH} by the file's content, in place. Returns the pointers
// of what was replaced; a place where that failed is noted and closed. "$${" is a literal "${".
std::set<std::string> expand(nlohmann::json& document, const std::filesystem::path& directory, Findings& findings);

// One value of the document, with its place.
class Value {
 public:
  Value(const nlohmann::json& value, std::string pointer, Findings& findings, const std::set<std::string>& expanded)
      : value_(&value), pointer_(std::move(pointer)), findings_(&findings), expanded_(&expanded) {}

  const nlohmann::json& json() const { return *value_; }
  const std::string& pointer() const { return pointer_; }
  Findings& findings() const { return *findings_; }
  bool written_out() const { return expanded_->count(pointer_) == 0; }

  void fail(std::string message) const { findings_->fail(pointer_, std::move(message)); }
  void warn(std::string message) const { findings_->warn(pointer_, std::move(message)); }
  // "expected <what>, found …": the value where it is short and was written out, else its type.
  void expected(const std::string& what) const;

  // Each notes a fault and returns nothing where the value is not what is asked for.
  std::optional<std::string> text() const;  // not empty
  std::optional<bool> flag() const;
  std::optional<double> number(double least, double most) const;
  std::optional<std::int64_t> whole(std::int64_t least, std::int64_t most) const;
  std::optional<Duration> duration(Duration least, Duration most) const;
  std::optional<std::string> one_of(const std::vector<std::string>& names) const;

  std::vector<Value> elements() const;                         // of an array
  std::vector<Value> one_or_more() const;                      // of an array, or the value alone
  std::vector<std::pair<std::string, Value>> members() const;  // of an object

  Value child(const nlohmann::json& value, std::string_view token) const {
    return Value(value, pointer_ + '/' + pointer_token(token), *findings_, *expanded_);
  }

 private:
  const nlohmann::json* value_;
  std::string pointer_;
  Findings* findings_;
  const std::set<std::string>* expanded_;
};

// An object whose keys are known. The destructor notes those that nobody asked for.
class Object {
 public:
  explicit Object(const Value& value);
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const Value& value() const { return value_; }
  std::optional<Value> find(const std::string& key);  // makes it known
  std::optional<Value> require(const std::string& key, const std::string& what);
  Value place(const std::string& key) const;  // of a key that may be absent, for fail()

  // Each leaves `out` as it is where the key is absent or at fault.
  void text(const std::string& key, std::string& out);
  void flag(const std::string& key, bool& out);
  void duration(const std::string& key, Duration& out, Duration least, Duration most);
  template <class Number>
  void whole(const std::string& key, Number& out, std::int64_t least, std::int64_t most) {
    if (const auto value = find(key)) {
      if (const auto number = value->whole(least, most)) out = static_cast<Number>(*number);
    }
  }
  void number(const std::string& key, double& out, double least, double most);
  void texts(const std::string& key, std::vector<std::string>& out);  // a list, or one alone

  // Reads what stands at `key`, when it does.
  void object(const std::string& key, const std::function<void(Object&)>& read);
  void objects(const std::string& key, const std::function<void(Object&)>& read);  // a list of objects
  void members(const std::string& key, const std::function<void(const std::string& name, const Value&)>& read);

  // All further keys count as known: for an object that has a greater fault.
  void pass_over_rest();

 private:
  Value value_;
  std::vector<std::string> known_;
};

}  // namespace triage::app
