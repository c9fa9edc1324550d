// Hex and base64 as signatures carry them. Decoding is strict: what is not exactly right is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace triage::ingest {

std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);

// Of a digit in either case; -1 for anything else.
int hex_value(char c);

// Upper- or lower-case digits, an even number of them.
std::optional<std::string> from_hex(std::string_view text);

// The standard alphabet; padding may be left out, anything else that is not canonical is refused.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace triage::ingest
