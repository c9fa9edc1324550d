#include "ingest/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "ingest/encoding.h"
#include "ingest/html.h"
#include "ingest/percent.h"
#include "ingest/platform_time.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

const Value* there(const Value* value) {
  return value == nullptr || value->is_null() ? nullptr : value;
}

// Equal as ids and names are equal: 42 and "42" are the same, true is only true.
bool same_value(const Value& a, const Value& b) {
  const Text x = as_text(&a);
  const Text y = as_text(&b);
  if (x && y) return x.view() == y.view();
  return equal(a, b);
}

// --- pointers ---

struct Step {
  std::string key;
  std::optional<std::size_t> index;  // where the key may also be an array's
};

const Value* follow(const Value* value, const std::vector<Step>& steps) {
  for (const auto& step : steps) {
    if (value == nullptr) return nullptr;
    if (const auto* object = value->if_object()) {
      value = object->if_contains(step.key);
    } else if (const auto* array = value->if_array(); array != nullptr && step.index) {
      value = array->if_contains(*step.index);
    } else {
      return nullptr;
    }
  }
  return there(value);
}

class FromFrame : public Expression {
 public:
  FromFrame(std::optional<std::size_t> up, std::vector<Step> steps) : up_(up), steps_(std::move(steps)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    return follow(scope.frames[up_ ? depth - *up_ : 0], steps_);
  }

 private:
  std::optional<std::size_t> up_;  // nothing: the whole body
  std::vector<Step> steps_;
};

class FromBinding : public Expression {
 public:
  FromBinding(std::size_t slot, std::vector<Step> steps) : slot_(slot), steps_(std::move(steps)) {}
  const Value* evaluate(Scope& scope, std::size_t) const override { return follow(scope.binding(slot_), steps_); }

 private:
  std::size_t slot_;
  std::vector<Step> steps_;
};

std::optional<std::vector<Step>> parse_steps(std::string_view path) {
  std::vector<Step> steps;
  if (path.empty()) return steps;
  if (path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  while (true) {
    const auto slash = path.find('/');
    const auto token = path.substr(0, slash);
    Step step;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] != '~') {
        step.key += token[i];
      } else if (i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
        step.key += token[++i] == '0' ? '~' : '/';
      } else {
        return std::nullopt;
      }
    }
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    if (!token.empty() && error == std::errc() && end == token.data() + token.size()) step.index = index;
    steps.push_back(std::move(step));
    if (slash == std::string_view::npos) return steps;
    path.remove_prefix(slash + 1);
  }
}

constexpr std::string_view kPointerForm =
    "a JSON pointer such as \"/user/id\", with ^ for the element around, $ for the whole body or @name for a binding "
    "before it";

ExpressionPtr parse_pointer(std::string_view text, const Spec& spec, const Names& names) {
  const auto slash = text.find('/');
  const std::string_view start = text.substr(0, slash);
  auto steps = parse_steps(slash == std::string_view::npos ? std::string_view() : text.substr(slash));
  if (!steps) {
    spec.fail("expected " + std::string(kPointerForm) + ", found \"" + std::string(text) + "\"");
    return nullptr;
  }
  if (start == "$") return std::make_unique<FromFrame>(std::nullopt, std::move(*steps));
  if (start.find_first_not_of('^') == std::string_view::npos) {
    if (start.size() > names.depth) {
      spec.fail("there is no element " + std::to_string(start.size()) + " levels around this one");
      return nullptr;
    }
    return std::make_unique<FromFrame>(start.size(), std::move(*steps));
  }
  if (start.front() == '@') {
    const auto found = names.bindings.find(std::string(start.substr(1)));
    if (found != names.bindings.end()) return std::make_unique<FromBinding>(found->second, std::move(*steps));
    spec.fail("no binding is called \"" + std::string(start.substr(1)) + "\" here; \"let\" makes them");
    return nullptr;
  }
  spec.fail("expected " + std::string(kPointerForm) + ", found \"" + std::string(text) + "\"");
  return nullptr;
}

// --- made values ---

class Constant : public Expression {
 public:
  explicit Constant(Value value) : value_(std::move(value)) {}
  const Value* evaluate(Scope&, std::size_t) const override { return there(&value_); }

 private:
  Value value_;
};

class FromConfig : public Expression {
 public:
  explicit FromConfig(std::size_t index) : index_(index) {}
  const Value* evaluate(Scope& scope, std::size_t) const override { return there(scope.config(index_)); }

 private:
  std::size_t index_;
};

class First : public Expression {
 public:
  explicit First(std::vector<ExpressionPtr> choices) : choices_(std::move(choices)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    for (const auto& choice : choices_) {
      if (const Value* value = choice->evaluate(scope, depth)) return value;
    }
    return nullptr;
  }

 private:
  std::vector<ExpressionPtr> choices_;
};

// Literal text with places to fill; not there where one of them has nothing to be filled with.
class Template : public Expression {
 public:
  struct Part {
    std::string literal;
    ExpressionPtr value;    // after the literal; null at the end
    bool reserved = false;  // "{+…}" rather than "{…}" (RFC 6570); in text both fill in the value as it is
  };
  Template(std::vector<Part> parts, bool url) : parts_(std::move(parts)), url_(url) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    std::string out;
    for (const auto& part : parts_) {
      out += part.literal;
      if (part.value == nullptr) continue;
      const Value* value = part.value->evaluate(scope, depth);
      if (value != nullptr && value->is_double()) {  // a coordinate; no id is one
        out += nlohmann::json(value->get_double()).dump();
        continue;
      }
      const Text text = as_text(value);
      if (!text || text.view().empty()) return nullptr;
      if (!url_) {
        out += text.view();
      } else {
        out += part.reserved ? percent_encode_reserved(text.view()) : percent_encode(text.view());
      }
    }
    return scope.keep(std::move(out));
  }

 private:
  std::vector<Part> parts_;
  bool url_;  // what is filled in is encoded
};

class ObjectOf : public Expression {
 public:
  using Members = std::vector<std::pair<std::string, ExpressionPtr>>;
  explicit ObjectOf(Members members) : members_(std::move(members)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    boost::json::object out(scope.storage());
    for (const auto& [name, member] : members_) {
      if (const Value* value = member->evaluate(scope, depth)) out.emplace(name, *value);
    }
    return scope.keep(std::move(out));
  }

 private:
  Members members_;
};

class ListOf : public Expression {
 public:
  explicit ListOf(std::vector<ExpressionPtr> elements) : elements_(std::move(elements)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    boost::json::array out(scope.storage());
    for (const auto& element : elements_) {
      if (const Value* value = element->evaluate(scope, depth)) out.push_back(*value);
    }
    return scope.keep(std::move(out));
  }

 private:
  std::vector<ExpressionPtr> elements_;
};

// One word of a text, counted from its beginning or, below zero, from its end.
class WordAt : public Expression {
 public:
  WordAt(ExpressionPtr words, std::int64_t at) : words_(std::move(words)), at_(at) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Text words = as_text(words_->evaluate(scope, depth));
    std::string_view rest = words.view();
    std::string_view word;
    for (auto left = at_ < 0 ? -at_ : at_ + 1; left > 0; --left) {
      word = at_ < 0 ? take_last(rest) : take_first(rest);
      if (word.empty()) return nullptr;
    }
    return scope.keep(word);
  }

 private:
  static constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

  // Nothing where there is no word left.
  static std::string_view take_first(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kWhiteSpace), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(kWhiteSpace));
    rest.remove_prefix(word.size());
    return word;
  }
  static std::string_view take_last(std::string_view& rest) {
    rest = rest.substr(0, rest.find_last_not_of(kWhiteSpace) + 1);  // npos + 1 is 0
    const std::string_view word = rest.substr(rest.find_last_of(kWhiteSpace) + 1);
    rest.remove_suffix(word.size());
    return word;
  }

  ExpressionPtr words_;
  std::int64_t at_;
};

// A part of a text that a separator divides.
class PartAt : public Expression {
 public:
  PartAt(ExpressionPtr text, std::string by, std::int64_t at) : text_(std::move(text)), by_(std::move(by)), at_(at) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Text text = as_text(text_->evaluate(scope, depth));
    if (!text) return nullptr;
    std::vector<std::string_view> parts;
    for (std::string_view rest = text.view();;) {
      const auto end = rest.find(by_);
      parts.push_back(rest.substr(0, end));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + by_.size());
    }
    const auto count = static_cast<std::int64_t>(parts.size());
    const std::int64_t place = at_ < 0 ? count + at_ : at_;
    if (place < 0 || place >= count || parts[static_cast<std::size_t>(place)].empty()) return nullptr;
    return scope.keep(parts[static_cast<std::size_t>(place)]);
  }

 private:
  ExpressionPtr text_;
  std::string by_;
  std::int64_t at_;
};

// The object of a list (or of a map's values) whose member is the wanted one.
class Find : public Expression {
 public:
  Find(ExpressionPtr in, std::vector<Step> where, ExpressionPtr is, std::vector<Step> get)
      : in_(std::move(in)), where_(std::move(where)), is_(std::move(is)), get_(std::move(get)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Value* in = in_->evaluate(scope, depth);
    const Value* wanted = in == nullptr ? nullptr : is_->evaluate(scope, depth);
    if (wanted == nullptr) return nullptr;
    if (const auto* list = in->if_array()) {
      for (const auto& element : *list) {
        if (is_it(element, *wanted)) return follow(&element, get_);
      }
    } else if (const auto* map = in->if_object()) {
      for (const auto& member : *map) {
        if (is_it(member.value(), *wanted)) return follow(&member.value(), get_);
      }
    }
    return nullptr;
  }

 private:
  bool is_it(const Value& element, const Value& wanted) const {
    const Value* id = follow(&element, where_);
    return id != nullptr && same_value(*id, wanted);
  }

  ExpressionPtr in_;
  std::vector<Step> where_;
  ExpressionPtr is_;
  std::vector<Step> get_;
};

// The member of a map whose name another value gives.
class Member : public Expression {
 public:
  Member(ExpressionPtr of, ExpressionPtr key, std::vector<Step> get)
      : of_(std::move(of)), key_(std::move(key)), get_(std::move(get)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Value* of = of_->evaluate(scope, depth);
    const auto* map = of == nullptr ? nullptr : of->if_object();
    if (map == nullptr) return nullptr;
    const Text key = as_text(key_->evaluate(scope, depth));
    return key ? follow(map->if_contains(key.view()), get_) : nullptr;
  }

 private:
  ExpressionPtr of_;
  ExpressionPtr key_;
  std::vector<Step> get_;
};

// A platform's word for a thing into ours.
class Translate : public Expression {
 public:
  Translate(ExpressionPtr value, std::map<std::string, Value, std::less<>> to, ExpressionPtr otherwise)
      : value_(std::move(value)), to_(std::move(to)), otherwise_(std::move(otherwise)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Text word = as_text(value_->evaluate(scope, depth));
    if (word) {
      const auto found = to_.find(word.view());
      if (found != to_.end()) return there(&found->second);
    }
    return otherwise_ == nullptr ? nullptr : otherwise_->evaluate(scope, depth);
  }

 private:
  ExpressionPtr value_;
  std::map<std::string, Value, std::less<>> to_;
  ExpressionPtr otherwise_;
};

class If : public Expression {
 public:
  If(ConditionPtr condition, ExpressionPtr then, ExpressionPtr otherwise)
      : condition_(std::move(condition)), then_(std::move(then)), otherwise_(std::move(otherwise)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    if (condition_->holds(scope, depth)) return then_->evaluate(scope, depth);
    return otherwise_ == nullptr ? nullptr : otherwise_->evaluate(scope, depth);
  }

 private:
  ConditionPtr condition_;
  ExpressionPtr then_;
  ExpressionPtr otherwise_;
};

enum class Markup { none, entities, html };

class CleanText : public Expression {
 public:
  CleanText(ExpressionPtr value, ExpressionPtr until, Markup markup)
      : value_(std::move(value)), until_(std::move(until)), markup_(markup) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Value* value = value_->evaluate(scope, depth);
    const auto string = string_in(value);
    if (!string) return nullptr;
    std::string_view text = *string;
    const Value* until = until_ == nullptr ? nullptr : until_->evaluate(scope, depth);
    const auto* count = until == nullptr ? nullptr : until->if_int64();
    if (count != nullptr && *count > 0) {  // a range that would leave nothing is not believed
      text = first_code_points(text, static_cast<std::size_t>(*count));
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    }
    if (markup_ == Markup::html) return scope.keep(html_to_text(text));
    const bool escaped = markup_ == Markup::entities && text.find('&') != std::string_view::npos;
    if (!escaped && text.size() == string->size()) return value;
    return scope.keep(escaped ? unescape_html(text) : std::string(text));
  }

 private:
  ExpressionPtr value_;
  ExpressionPtr until_;
  Markup markup_;
};

// JSON that a platform sends within a string.
class Nested : public Expression {
 public:
  Nested(ExpressionPtr value, bool base64) : value_(std::move(value)), base64_(base64) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const auto text = string_in(value_->evaluate(scope, depth));
    if (!text) return nullptr;
    if (!base64_) return scope.read_nested(*text);
    const auto decoded = from_base64(*text);
    return decoded ? scope.read_nested(*decoded) : nullptr;
  }

 private:
  ExpressionPtr value_;
  bool base64_;
};

// As whole milliseconds since 1970, or as text (RFC 3339).
class TimeOf : public Expression {
 public:
  TimeOf(ExpressionPtr value, std::vector<TimeFormat> formats, bool as_text)
      : value_(std::move(value)), formats_(std::move(formats)), as_text_(as_text) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Value* value = value_->evaluate(scope, depth);
    if (value == nullptr) return nullptr;
    for (const auto format : formats_) {
      const auto time = read_time(*value, format);
      if (time) return as_text_ ? scope.keep(format_time(*time)) : scope.keep(to_millis(*time));
    }
    return nullptr;
  }

 private:
  ExpressionPtr value_;
  std::vector<TimeFormat> formats_;
  bool as_text_;
};

class Length : public Expression {
 public:
  Length(ExpressionPtr of, std::int64_t minus) : of_(std::move(of)), minus_(minus) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Value* of = of_->evaluate(scope, depth);
    const auto* list = of == nullptr ? nullptr : of->if_array();
    return list == nullptr ? nullptr : scope.keep(static_cast<std::int64_t>(list->size()) - minus_);
  }

 private:
  ExpressionPtr of_;
  std::int64_t minus_;
};

// What an object calls itself by the one member that is its own; of several the first in the order of the alphabet,
// however the platform orders them.
class NameOf : public Expression {
 public:
  NameOf(ExpressionPtr of, std::vector<std::string> except) : of_(std::move(of)), except_(std::move(except)) {}
  const Value* evaluate(Scope& scope, std::size_t depth) const override {
    const Value* of = of_->evaluate(scope, depth);
    const auto* object = of == nullptr ? nullptr : of->if_object();
    if (object == nullptr) return nullptr;
    std::optional<std::string_view> first;
    for (const auto& member : *object) {
      const std::string_view name = member.key();
      if (first && *first <= name) continue;
      if (std::find(except_.begin(), except_.end(), name) == except_.end()) first = name;
    }
    return first ? scope.keep(*first) : nullptr;
  }

 private:
  ExpressionPtr of_;
  std::vector<std::string> except_;
};

// --- conditions ---

class Exists : public Condition {
 public:
  explicit Exists(ExpressionPtr value) : value_(std::move(value)) {}
  bool holds(Scope& scope, std::size_t depth) const override { return value_->evaluate(scope, depth) != nullptr; }

 private:
  ExpressionPtr value_;
};

class OneOf : public Condition {
 public:
  OneOf(ExpressionPtr value, std::vector<Value> choices) : value_(std::move(value)), choices_(std::move(choices)) {}
  bool holds(Scope& scope, std::size_t depth) const override {
    const Value* value = value_->evaluate(scope, depth);
    return value != nullptr && std::any_of(choices_.begin(), choices_.end(),
                                           [value](const Value& choice) { return same_value(*value, choice); });
  }

 private:
  ExpressionPtr value_;
  std::vector<Value> choices_;
};

class StartsWith : public Condition {
 public:
  StartsWith(ExpressionPtr value, std::string prefix) : value_(std::move(value)), prefix_(std::move(prefix)) {}
  bool holds(Scope& scope, std::size_t depth) const override {
    const Text text = as_text(value_->evaluate(scope, depth));
    return text && text.view().substr(0, prefix_.size()) == prefix_;
  }

 private:
  ExpressionPtr value_;
  std::string prefix_;
};

class SameAs : public Condition {
 public:
  SameAs(ExpressionPtr value, ExpressionPtr other, bool handle)
      : value_(std::move(value)), other_(std::move(other)), handle_(handle) {}
  bool holds(Scope& scope, std::size_t depth) const override {
    const Value* value = value_->evaluate(scope, depth);
    const Value* other = value == nullptr ? nullptr : other_->evaluate(scope, depth);
    if (other == nullptr) return false;
    if (!handle_) return same_value(*value, *other);
    const Text a = as_text(value);
    const Text b = as_text(other);
    return a && b && same_ignoring_case(bare(a.view()), bare(b.view()));
  }

 private:
  static std::string_view bare(std::string_view handle) {
    return !handle.empty() && handle.front() == '@' ? handle.substr(1) : handle;
  }

  ExpressionPtr value_;
  ExpressionPtr other_;
  bool handle_;
};

class Not : public Condition {
 public:
  explicit Not(ConditionPtr condition) : condition_(std::move(condition)) {}
  bool holds(Scope& scope, std::size_t depth) const override { return !condition_->holds(scope, depth); }

 private:
  ConditionPtr condition_;
};

class Several : public Condition {
 public:
  Several(std::vector<ConditionPtr> conditions, bool all) : conditions_(std::move(conditions)), all_(all) {}
  bool holds(Scope& scope, std::size_t depth) const override {
    for (const auto& condition : conditions_) {
      if (condition->holds(scope, depth) != all_) return !all_;
    }
    return all_;
  }

 private:
  std::vector<ConditionPtr> conditions_;
  bool all_;
};

// --- compiling ---

std::vector<Step> pointer_steps(const Spec& spec) {
  const auto text = spec.text();
  if (!text) return {};
  if (auto steps = parse_steps(*text)) return std::move(*steps);
  spec.fail("expected a JSON pointer such as \"/id\", found \"" + *text + "\"");
  return {};
}

ExpressionPtr required(const Spec& spec, std::string_view key, const Names& names) {
  const auto found = spec.require(key, "an expression");
  return found ? compile_expression(*found, names) : nullptr;
}

// Null without a fault where the key is not there.
ExpressionPtr optional(const Spec& spec, std::string_view key, const Names& names) {
  const auto found = spec.find(key);
  return found ? compile_expression(*found, names) : nullptr;
}

ExpressionPtr compile_parts(const Spec& at, const Names& names, bool url) {
  const auto text = at.text();
  if (!text) return nullptr;
  std::vector<Template::Part> parts(1);
  for (std::string_view rest = *text; !rest.empty();) {
    std::string& literal = parts.back().literal;
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      literal += rest.front();
      rest.remove_prefix(2);
    } else if (rest.front() != '{') {
      const auto end = std::min(rest.find_first_of("{}", 1), rest.size());
      literal += rest.substr(0, end);
      rest.remove_prefix(end);
    } else {
      const auto close = rest.find('}');
      if (close == std::string_view::npos) {
        at.fail("expected a } for every {, or {{ for a { of the text");
        return nullptr;
      }
      auto& part = parts.back();
      part.reserved = rest[1] == '+';
      const std::size_t start = part.reserved ? 2 : 1;
      part.value = parse_pointer(rest.substr(start, close - start), at, names);
      if (part.value == nullptr) return nullptr;
      rest.remove_prefix(close + 1);
      parts.emplace_back();
    }
  }
  return std::make_unique<Template>(std::move(parts), url);
}

ExpressionPtr compile_template(const Spec& spec, const Names& names) {
  spec.is_object({"template"});
  return compile_parts(spec["template"], names, false);
}

std::vector<ExpressionPtr> compile_list(const Spec& spec, const Names& names) {
  std::vector<ExpressionPtr> out;
  for (const auto& one : spec.list("a list of expressions")) {
    if (auto compiled = compile_expression(one, names)) out.push_back(std::move(compiled));
  }
  return out;
}

ExpressionPtr compile_object(const Spec& spec, const Names& names) {
  spec.is_object({"object"});
  ObjectOf::Members members;
  for (const auto& [name, value] : spec["object"].members("an object of expressions")) {
    if (auto compiled = compile_expression(value, names)) members.emplace_back(name, std::move(compiled));
  }
  return std::make_unique<ObjectOf>(std::move(members));
}

ExpressionPtr compile_words(const Spec& spec, const Names& names) {
  constexpr std::int64_t kFurthest = 1'000'000;
  spec.is_object({"words", "at"});
  auto words = compile_expression(spec["words"], names);
  const auto at = spec.require("at", "which word: 0 is the first, -1 the last");
  const auto place = at ? at->whole(-kFurthest, kFurthest) : std::nullopt;
  if (words == nullptr || !place) return nullptr;
  return std::make_unique<WordAt>(std::move(words), *place);
}

ExpressionPtr compile_split(const Spec& spec, const Names& names) {
  constexpr std::int64_t kFurthest = 1'000'000;
  spec.is_object({"split", "by", "at"});
  auto text = compile_expression(spec["split"], names);
  const auto by = spec.require("by", "what stands between the parts");
  const auto separator = by ? by->text() : std::nullopt;
  if (separator && separator->empty()) by->fail("expected at least one character");
  const auto at = spec.require("at", "which part: 0 is the first, -1 the last");
  const auto place = at ? at->whole(-kFurthest, kFurthest) : std::nullopt;
  if (text == nullptr || !separator || separator->empty() || !place) return nullptr;
  return std::make_unique<PartAt>(std::move(text), *separator, *place);
}

ExpressionPtr compile_find(const Spec& spec, const Names& names) {
  spec.is_object({"find", "where", "is", "get"});
  auto in = compile_expression(spec["find"], names);
  auto is = required(spec, "is", names);
  const auto where = spec.require("where", "the pointer of the member to look at, such as \"/id\"");
  if (in == nullptr || is == nullptr || !where) return nullptr;
  const auto get = spec.find("get");
  return std::make_unique<Find>(std::move(in), pointer_steps(*where), std::move(is),
                                get ? pointer_steps(*get) : std::vector<Step>());
}

ExpressionPtr compile_member(const Spec& spec, const Names& names) {
  spec.is_object({"member", "of", "get"});
  auto key = compile_expression(spec["member"], names);
  auto of = required(spec, "of", names);
  if (key == nullptr || of == nullptr) return nullptr;
  const auto get = spec.find("get");
  return std::make_unique<Member>(std::move(of), std::move(key), get ? pointer_steps(*get) : std::vector<Step>());
}

ExpressionPtr compile_translate(const Spec& spec, const Names& names) {
  spec.is_object({"translate", "to", "else"});
  auto value = compile_expression(spec["translate"], names);
  const auto to = spec.require("to", "an object of the platform's words");
  std::map<std::string, Value, std::less<>> words;
  if (to) {
    for (const auto& [word, meaning] : to->members("an object of the platform's words")) {
      if (meaning.value().is_structured()) meaning.expected("a string, number, boolean or null");
      words.emplace(word, to_value(meaning.value()));
    }
  }
  auto otherwise = optional(spec, "else", names);
  if (value == nullptr || !to) return nullptr;
  return std::make_unique<Translate>(std::move(value), std::move(words), std::move(otherwise));
}

ExpressionPtr compile_if(const Spec& spec, const Names& names) {
  spec.is_object({"if", "then", "else"});
  auto condition = compile_condition(spec["if"], names);
  auto then = required(spec, "then", names);
  auto otherwise = optional(spec, "else", names);
  if (condition == nullptr || then == nullptr) return nullptr;
  return std::make_unique<If>(std::move(condition), std::move(then), std::move(otherwise));
}

ExpressionPtr compile_text(const Spec& spec, const Names& names) {
  spec.is_object({"text", "until", "unescape", "html"});
  auto value = compile_expression(spec["text"], names);
  auto until = optional(spec, "until", names);
  auto markup = Markup::none;
  if (const auto how = spec.find("unescape")) {
    if (how->one_of({"html"})) markup = Markup::entities;
  }
  if (const auto html = spec.find("html")) {
    if (html->flag() == true) markup = Markup::html;
    if (spec.has("unescape")) html->fail("expected either unescape or html: html unescapes too");
  }
  if (value == nullptr) return nullptr;
  return std::make_unique<CleanText>(std::move(value), std::move(until), markup);
}

ExpressionPtr compile_nested(const Spec& spec, const Names& names) {
  spec.is_object({"json", "encoding"});
  auto value = compile_expression(spec["json"], names);
  const auto encoding = spec.find("encoding");
  const bool base64 = encoding && encoding->one_of({"base64"}).has_value();
  return value ? std::make_unique<Nested>(std::move(value), base64) : nullptr;
}

ExpressionPtr compile_time(const Spec& spec, const Names& names) {
  spec.is_object({"time", "format", "as"});
  auto value = compile_expression(spec["time"], names);
  std::vector<TimeFormat> formats;
  const auto written = spec.require("format", "a time format or a list of them");
  if (!written) return nullptr;
  for (const auto& format : written->list("", true)) {
    const auto name = format.one_of({"rfc3339", "rfc5322", "x", "epoch_seconds", "epoch_milliseconds", "epoch"});
    if (name) formats.push_back(*parse_time_format(*name));
  }
  if (value == nullptr) return nullptr;
  const auto as = spec.find("as");
  const bool text = as && as->one_of({"rfc3339"}).has_value();
  return std::make_unique<TimeOf>(std::move(value), std::move(formats), text);
}

ExpressionPtr compile_name_of(const Spec& spec, const Names& names) {
  spec.is_object({"name_of", "except"});
  auto of = compile_expression(spec["name_of"], names);
  std::vector<std::string> except;
  if (const auto list = spec.find("except")) {
    for (const auto& name : list->list("a list of names")) {
      if (auto text = name.text()) except.push_back(std::move(*text));
    }
  }
  if (of == nullptr) return nullptr;
  return std::make_unique<NameOf>(std::move(of), std::move(except));
}

ConditionPtr compile_several(const Spec& spec, const Names& names, bool all) {
  std::vector<ConditionPtr> conditions;
  for (const auto& one : spec.list("a list of conditions")) {
    if (auto compiled = compile_condition(one, names)) conditions.push_back(std::move(compiled));
  }
  return std::make_unique<Several>(std::move(conditions), all);
}

ConditionPtr compile_comparison(const Spec& spec, const Names& names) {
  spec.is_object({"value", "is", "in", "starts_with", "same_as", "same_handle_as"});
  auto value = compile_expression(spec["value"], names);
  int tests = 0;
  for (const auto* test : {"is", "in", "starts_with", "same_as", "same_handle_as"}) tests += spec.has(test) ? 1 : 0;
  if (tests != 1) {
    spec.fail("expected exactly one of is, in, starts_with, same_as or same_handle_as beside value");
    return nullptr;
  }
  if (value == nullptr) return nullptr;

  if (const auto is = spec.find("is"))
    return std::make_unique<OneOf>(std::move(value), std::vector<Value>{to_value(is->value())});
  if (const auto in = spec.find("in")) {
    std::vector<Value> choices;
    for (const auto& choice : in->list("a list of values")) choices.push_back(to_value(choice.value()));
    return std::make_unique<OneOf>(std::move(value), std::move(choices));
  }
  if (const auto prefix = spec.find("starts_with")) {
    auto text = prefix->text();
    return text ? std::make_unique<StartsWith>(std::move(value), std::move(*text)) : nullptr;
  }
  const bool handle = spec.has("same_handle_as");
  auto other = compile_expression(spec[handle ? "same_handle_as" : "same_as"], names);
  return other ? std::make_unique<SameAs>(std::move(value), std::move(other), handle) : nullptr;
}

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";

// The "@names" that an expression mentions.
void collect_names(const nlohmann::json& value, std::vector<std::string>& out) {
  if (value.is_structured()) {
    for (const auto& child : value) collect_names(child, out);
  }
  const auto* text = value.get_ptr<const nlohmann::json::string_t*>();
  for (auto at = text == nullptr ? std::string::npos : text->find('@'); at != std::string::npos;
       at = text->find('@', at + 1)) {
    const auto end = text->find_first_not_of(kNameLetters, at + 1);
    out.push_back(text->substr(at + 1, end == std::string::npos ? end : end - at - 1));
  }
}

// Whether following the names of `from` leads back to `name`.
bool leads_to(const Spec& let, const std::string& from, const std::string& name, std::size_t steps) {
  if (steps == 0 || !let.has(from)) return false;
  std::vector<std::string> mentioned;
  collect_names(let[from].value(), mentioned);
  return std::any_of(mentioned.begin(), mentioned.end(),
                     [&](const std::string& next) { return next == name || leads_to(let, next, name, steps - 1); });
}

}  // namespace

// Bindings may refer to each other in any order, but not around in a circle.
void compile_bindings(const Spec& spec, Names& names, std::vector<Binding>& out) {
  constexpr std::size_t kMostBindings = 32;
  const auto members = spec.members("an object of names and expressions");
  if (members.size() > kMostBindings) spec.fail("expected at most " + std::to_string(kMostBindings) + " bindings");
  for (const auto& [name, value] : members) {
    if (name.empty() || name.find_first_not_of(kNameLetters) != std::string::npos) {
      value.fail("expected a name of lower-case letters, digits and _");
    }
    names.bindings.emplace(name, names.bindings.size());
  }
  for (const auto& [name, value] : members) {
    if (leads_to(spec, name, name, 8)) value.fail("is worked out from itself, in a circle");
    out.push_back({compile_expression(value, names), names.depth});
  }
}

ExpressionPtr compile_url(const Spec& spec, const Names& names) {
  return compile_parts(spec, names, true);
}

const Value* Scope::binding(std::size_t slot) {
  Bound& bound = bound_[slot];
  if (bound.state == State::untouched) {
    bound.state = State::busy;  // one that leads back to itself is not there
    const Binding& binding = (*bindings_)[slot];
    const Value* value = binding.value == nullptr ? nullptr : binding.value->evaluate(*this, binding.depth);
    bound_[slot] = {State::done, value};
  }
  return bound_[slot].value;
}

const Value* Scope::read_nested(std::string_view text) {
  if (text.size() > nested_left_) return nullptr;
  nested_left_ -= text.size();
  auto parsed = read_json(text, storage());
  return parsed ? there(keep(std::move(*parsed))) : nullptr;
}

Text as_text(const Value* value) {
  if (value == nullptr) return {};
  if (const auto* string = value->if_string()) return Text(std::string_view(*string));
  if (const auto* number = value->if_int64()) return Text(*number);
  if (const auto* number = value->if_uint64()) return Text(*number);
  return {};
}

ExpressionPtr compile_pointer(const Spec& spec, const Names& names) {
  const auto text = spec.text();
  return text ? parse_pointer(*text, spec, names) : nullptr;
}

ExpressionPtr compile_expression(const Spec& spec, const Names& names) {
  if (spec.value().is_string()) return compile_pointer(spec, names);
  if (spec.has("const")) {
    spec.is_object({"const"});
    return std::make_unique<Constant>(to_value(spec["const"].value()));
  }
  if (spec.has("config")) {
    spec.is_object({"config"});
    const auto name = spec["config"].text();
    if (!name) return nullptr;
    const auto found = names.config.find(*name);
    if (found != names.config.end()) return std::make_unique<FromConfig>(found->second);
    std::vector<std::string> known;
    for (const auto& [key, index] : names.config) known.push_back(key);
    spec.fail("config", "expected " + or_list(known) + ", found \"" + *name + "\"");
    return nullptr;
  }
  if (spec.has("first")) {
    spec.is_object({"first"});
    return std::make_unique<First>(compile_list(spec["first"], names));
  }
  if (spec.has("template")) return compile_template(spec, names);
  if (spec.has("object")) return compile_object(spec, names);
  if (spec.has("list")) {
    spec.is_object({"list"});
    return std::make_unique<ListOf>(compile_list(spec["list"], names));
  }
  if (spec.has("words")) return compile_words(spec, names);
  if (spec.has("split")) return compile_split(spec, names);
  if (spec.has("find")) return compile_find(spec, names);
  if (spec.has("member")) return compile_member(spec, names);
  if (spec.has("translate")) return compile_translate(spec, names);
  if (spec.has("if")) return compile_if(spec, names);
  if (spec.has("text")) return compile_text(spec, names);
  if (spec.has("json")) return compile_nested(spec, names);
  if (spec.has("time")) return compile_time(spec, names);
  if (spec.has("length")) {
    spec.is_object({"length", "minus"});
    auto of = compile_expression(spec["length"], names);
    const auto minus = spec.find("minus");
    const std::int64_t less = minus ? minus->whole(0, 1'000'000).value_or(0) : 0;
    return of ? std::make_unique<Length>(std::move(of), less) : nullptr;
  }
  if (spec.has("name_of")) return compile_name_of(spec, names);
  spec.fail(
      "expected a JSON pointer, or an object with const, config, first, template, object, list, words, split, find, "
      "member, translate, if, text, json, time, length or name_of");
  return nullptr;
}

ConditionPtr compile_condition(const Spec& spec, const Names& names) {
  if (spec.value().is_array()) return compile_several(spec, names, true);
  if (spec.has("all")) {
    spec.is_object({"all"});
    return compile_several(spec["all"], names, true);
  }
  if (spec.has("any")) {
    spec.is_object({"any"});
    return compile_several(spec["any"], names, false);
  }
  if (spec.has("not")) {
    spec.is_object({"not"});
    auto inner = compile_condition(spec["not"], names);
    return inner ? std::make_unique<Not>(std::move(inner)) : nullptr;
  }
  if (spec.has("exists")) {
    spec.is_object({"exists"});
    auto value = compile_expression(spec["exists"], names);
    return value ? std::make_unique<Exists>(std::move(value)) : nullptr;
  }
  if (spec.has("value")) return compile_comparison(spec, names);
  spec.fail("expected a condition: an object with value, exists, not, any or all, or a list of conditions");
  return nullptr;
}

}  // namespace triage::ingest
