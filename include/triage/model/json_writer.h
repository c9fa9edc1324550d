// Writes JSON text from front to back into one string: callbacks are built inside the writer's transaction, where a
// document tree would cost more than the body itself. Whatever bytes a text holds, the result is valid UTF-8 and valid
// JSON: what is not UTF-8 becomes U+FFFD. It does not check that keys and values take turns: that is the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "triage/model/time.h"

namespace triage {

class JsonWriter {
 public:
  explicit JsonWriter(std::size_t expected_bytes) { out_.reserve(expected_bytes); }

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  // `name` is ours: plain ASCII without anything to escape.
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(double value);  // null when it is not finite
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& time(Time value) { return string(format_time(value)); }

  // The text, or null when it is empty: how the contract spells "not known".
  JsonWriter& string_or_null(std::string_view text) { return text.empty() ? null() : string(text); }

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& raw(std::string_view text);
  void separate();
  void escape(std::string_view text);

  std::string out_;
  bool first_ = true;  // nothing stands before the next value that a comma would belong after
};

}  // namespace triage
