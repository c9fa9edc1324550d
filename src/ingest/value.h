// What pointers and rules see of a body, whatever it is written in. It is a Boost.JSON value, since it can be built in
// memory that is thrown away as a whole at the end of a request; source files and our own shape stay with nlohmann's.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "triage/model/error.h"

namespace triage::ingest {

using Value = boost::json::value;
using Storage = boost::json::storage_ptr;  // where a value keeps what it holds; it must outlive the value

// As parse_json of the model has it: a value may take many times its bytes ("{},").
inline constexpr std::size_t kMostValues = 250'000;

// Of one object. Boost's objects look their names up in a table whose place is all that an attacker does not know of
// its hashes: that many names which all fall together take 0.01 s to read, and 65,536 of them took 16 s.
inline constexpr std::size_t kMostMembers = 2'000;

// The text of a string; nothing of anything else.
inline std::optional<std::string_view> string_in(const Value* value) {
  const auto* string = value == nullptr ? nullptr : value->if_string();
  return string == nullptr ? std::nullopt : std::optional(std::string_view(string->data(), string->size()));
}

// Nothing of what is not a number.
std::optional<double> number_in(const Value* value);

// Equal as JSON is; 1 and 1.0 are the same.
bool equal(const Value& a, const Value& b);

Value to_value(const nlohmann::json& from, const Storage& storage = {});

// As parse_json of the model, but for objects with more than kMostMembers, which are too_large: of a key that stands
// twice the last value counts, and the error names the byte.
Result<Value> read_json(std::string_view bytes, const Storage& storage);

}  // namespace triage::ingest
