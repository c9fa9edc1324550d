// Text as platforms write it, made into text as a person reads it. Input is valid UTF-8 (but for find_invalid_utf8),
// and so is every result.
#pragma once

#include <string>
#include <string_view>

namespace triage::ingest {

// Appends the character that the entity at the front of `text`, which begins with '&', stands for: a number, or one of
// the usual names. Otherwise the '&'. Returns how many bytes of `text` that was.
std::size_t append_entity(std::string& out, std::string_view text);

// Entities, once over; what is not one stays as it is.
std::string unescape_html(std::string_view text);

// The first byte that is not part of a character, or npos.
std::size_t find_invalid_utf8(std::string_view bytes);

// The first `count` code points; all of it where there are fewer.
std::string_view first_code_points(std::string_view text, std::size_t count);

// At most `max_bytes`, cut before a code point rather than within one, and without NUL characters.
std::string clean(std::string_view text, std::size_t max_bytes);

// ASCII letters compared without case.
bool same_ignoring_case(std::string_view a, std::string_view b);

// Safe to stand in a log line: at most 64 characters of [A-Za-z0-9._:/-], others become '?'.
std::string for_log(std::string_view text);

}  // namespace triage::ingest
