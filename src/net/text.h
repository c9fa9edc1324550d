// The small pieces of text handling that HTTP needs. No locale, no allocation beyond the result.
#pragma once

#include <string>
#include <string_view>

namespace triage::net {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Appends `text` to `out` with %XX decoded, and '+' as a space when `form`. False for a broken %XX or an encoded NUL,
// which no path or query of ours has and which C interfaces would cut short.
bool percent_decode(std::string_view text, bool form, std::string& out);

// True for a token of RFC 9110: what a header's name may be made of.
bool is_token(std::string_view text);

// False for a value with a control character: it could end the header and start another.
bool is_header_value(std::string_view text);

}  // namespace triage::net
