// What a platform's body is written in. Whatever it is, pointers and rules see JSON.
#pragma once

#include <optional>
#include <string_view>

#include "ingest/value.h"
#include "triage/model/error.h"

namespace triage::ingest {

enum class BodyFormat {
  json,
  xml,   // the root element is the one member; see read_xml
  form,  // application/x-www-form-urlencoded: an object of strings
};
std::optional<BodyFormat> parse_body_format(std::string_view name);

// bad_request where it is not that: the error names the byte, counted from 0, and repeats nothing of the body.
// too_large where it holds more values than a JSON body may.
Result<Value> read_body(BodyFormat format, std::string_view bytes, const Storage& storage);

// An element is an object of its children by their names as written ("yt:videoId"), its attributes ("@href") and its
// text ("#text"); without children and attributes it is its text alone. Children of one name are an array. A DTD is
// passed over, and none of its entities are known.
Result<Value> read_xml(std::string_view bytes, const Storage& storage);

// Of fields of one name the first counts.
Result<Value> read_form(std::string_view bytes, const Storage& storage);

}  // namespace triage::ingest
