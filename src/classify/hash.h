// The one hash of features: the same on every machine and in every build, since a model file names its features by it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace triage::classify {

static_assert(std::endian::native == std::endian::little, "feature hashes and model files are read as little-endian");

inline std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32U;
  x *= 0xD6E8FEB86659FD93ULL;
  x ^= x >> 32U;
  x *= 0xD6E8FEB86659FD93ULL;
  return x ^ (x >> 32U);
}

inline std::uint64_t hash_bytes(const char* data, std::size_t size) {
  std::uint64_t h = 0x9E3779B97F4A7C15ULL ^ (size * 0xA0761D6478BD642FULL);
  std::uint64_t word = 0;
  while (size > 8) {
    std::memcpy(&word, data, 8);
    h = mix(h ^ word);
    data += 8;
    size -= 8;
  }
  word = 0;
  std::memcpy(&word, data, size);
  return mix(h ^ word);
}

inline std::uint64_t hash_text(std::string_view text) {
  return hash_bytes(text.data(), text.size());
}

// Order matters: (a, b) is not (b, a).
inline std::uint64_t combine(std::uint64_t a, std::uint64_t b) {
  return mix(a * 0xE7037ED1A0B428DBULL + b);
}

}  // namespace triage::classify
