// UUIDv7: 48 bits of milliseconds, then 74 random bits that count upwards within a millisecond.
#include "triage/model/id.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>

namespace triage {
namespace {

// xoshiro256** by Blackman and Vigna (public domain): a few nanoseconds a number, seeded by the operating system.
class Xoshiro {
 public:
  Xoshiro() {
    std::random_device device;
    for (auto& word : state_) word = (std::uint64_t{device()} << 32U) | device();
    state_[0] |= 1U;  // all zero would stay zero
  }

  std::uint64_t operator()() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

struct Generator {
  Xoshiro random;
  std::uint64_t millis = ~std::uint64_t{0};
  std::uint64_t high = 0;  // 12 bits after the version
  std::uint64_t low = 0;   // 62 bits after the variant
};

constexpr std::uint64_t kLowMask = (std::uint64_t{1} << 62U) - 1;

void write_hex(std::uint64_t value, int digits, char* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = "0123456789abcdef"[value & 0xFU];
    value >>= 4U;
  }
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

UuidText make_uuid7(Time time) {
  thread_local Generator generator;
  constexpr std::int64_t kLastMillis = (std::int64_t{1} << 48U) - 1;
  const auto millis = static_cast<std::uint64_t>(std::clamp<std::int64_t>(to_millis(time), 0, kLastMillis));

  if (millis != generator.millis) {
    // The topmost counting bit starts at zero, so that counting upwards has room until the millisecond ends.
    generator.millis = millis;
    generator.high = generator.random() & 0x7FFU;
    generator.low = generator.random() & kLowMask;
  } else {
    generator.low += 1 + (generator.random() & 0xFFFFFFFFU);
    generator.high += generator.low >> 62U;
    generator.low &= kLowMask;
  }

  UuidText text;
  char* out = text.data();
  write_hex(millis >> 16U, 8, out);
  out[8] = '-';
  write_hex(millis & 0xFFFFU, 4, out + 9);
  out[13] = '-';
  write_hex(0x7000U | (generator.high & 0xFFFU), 4, out + 14);
  out[18] = '-';
  write_hex(0x8000U | (generator.low >> 48U), 4, out + 19);
  out[23] = '-';
  write_hex(generator.low & 0xFFFFFFFFFFFFU, 12, out + 24);
  return text;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

}  // namespace triage
