#include "ingest/percent.h"

#include <algorithm>

#include "ingest/encoding.h"

namespace triage::ingest {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

void append_encoded(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 15]);
}

bool is_encoded(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;
}

void append_form_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == ' ') {
      out.push_back('+');
    } else if (is_alnum(c) || is_one_of(c, "*-._")) {
      out.push_back(c);
    } else {
      append_encoded(out, c);
    }
  }
}

std::string form_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_encoded(text.substr(i))) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_alnum(c) || is_one_of(c, "-._~")) {
      out.push_back(c);
    } else {
      append_encoded(out, c);
    }
  }
  return out;
}

std::string percent_encode_reserved(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_alnum(text[i]) || is_one_of(text[i], "-._~:/?#[]@!$&'()*+,;=") || is_encoded(text.substr(i))) {
      out.push_back(text[i]);  // the two digits of a %XX are letters and digits like any other
    } else {
      append_encoded(out, text[i]);
    }
  }
  return out;
}

std::string form_encode(std::span<const FormPair> pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out.push_back('&');
    append_form_encoded(out, name);
    out.push_back('=');
    append_form_encoded(out, value);
  }
  return out;
}

std::vector<FormPair> form_decode(std::string_view text) {
  std::vector<FormPair> pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string_view value = pair.substr(std::min(name.size() + 1, pair.size()));
    pairs.emplace_back(form_decoded(name), form_decoded(value));
  }
  return pairs;
}

}  // namespace triage::ingest
