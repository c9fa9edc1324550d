// Random numbers that are the same everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

#include "classify/hash.h"

namespace triage::classify {

// A generator of our own: the standard's distributions differ between libraries, and a model or a measurement must not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed + 0x9E3779B97F4A7C15ULL) | 1U) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    return mix(state_);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32U) * n >> 32U); }
  double unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace triage::classify
