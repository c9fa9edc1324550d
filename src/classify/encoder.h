#pragma once
#include <cstddef>
namespace triage::classify {
// How much of a post the encoder reads: all of it up to their sum, else its beginning and its end.
inline constexpr std::size_t kFirstPieces = 96;
inline constexpr std::size_t kLastPieces = 32;
}  // namespace triage::classify
