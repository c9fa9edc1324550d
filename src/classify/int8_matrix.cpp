#include "classify/int8_matrix.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "classify/wide.h"

namespace triage::classify {
namespace {

constexpr std::size_t kPanel = Int8Matrix::kPanel;
constexpr std::size_t kGroup = Int8Matrix::kGroup;
constexpr std::size_t kStep = kPanel * kGroup;  // bytes of a panel for one group

// A tile: some rows of `a` times one panel. `sums` has kPanel numbers a row.
using Tile = void (*)(const std::uint8_t* a, std::size_t width, const std::int8_t* panel, std::int32_t* sums);

const __m128i* lanes(const std::int8_t* p) {
  return static_cast<const __m128i*>(static_cast<const void*>(p));
}

int four(const std::uint8_t* a) {
  int value;
  std::memcpy(&value, a, sizeof value);
  return value;
}

// Every x86-64 machine has SSE2: bytes are widened to 16 bits, products of neighbours added to 32.
template <std::size_t kRows>
void tile_sse2(const std::uint8_t* a, std::size_t width, const std::int8_t* panel, std::int32_t* sums) {
  const __m128i zero = _mm_setzero_si128();
  for (std::size_t column = 0; column < kPanel; column += 4) {
    // Of each column two halves of its sum, side by side.
    __m128i low[kRows], high[kRows];
    for (std::size_t r = 0; r < kRows; ++r) low[r] = high[r] = zero;
    const std::int8_t* b = panel + column * kGroup;
    for (std::size_t k = 0; k < width; k += kGroup, b += kStep) {
      const __m128i bytes = _mm_load_si128(lanes(b));
      const __m128i sign = _mm_cmpgt_epi8(zero, bytes);
      const __m128i first = _mm_unpacklo_epi8(bytes, sign), second = _mm_unpackhi_epi8(bytes, sign);
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m128i x = _mm_unpacklo_epi8(_mm_set1_epi32(four(a + r * width + k)), zero);
        low[r] = _mm_add_epi32(low[r], _mm_madd_epi16(x, first));
        high[r] = _mm_add_epi32(high[r], _mm_madd_epi16(x, second));
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m128 l = _mm_castsi128_ps(low[r]), h = _mm_castsi128_ps(high[r]);
      const __m128i even = _mm_castps_si128(_mm_shuffle_ps(l, h, 0x88)),
                    odd = _mm_castps_si128(_mm_shuffle_ps(l, h, 0xDD));
      _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(sums + r * kPanel + column)), _mm_add_epi32(even, odd));
    }
  }
}

template <std::size_t kRows>
__attribute__((target("ssse3"))) void tile_ssse3(const std::uint8_t* a, std::size_t width, const std::int8_t* panel,
                                                 std::int32_t* sums) {
  const __m128i ones = _mm_set1_epi16(1);
  for (std::size_t column = 0; column < kPanel; column += 8) {
    __m128i low[kRows], high[kRows];
    for (std::size_t r = 0; r < kRows; ++r) low[r] = high[r] = _mm_setzero_si128();
    const std::int8_t* b = panel + column * kGroup;
    for (std::size_t k = 0; k < width; k += kGroup, b += kStep) {
      const __m128i first = _mm_load_si128(lanes(b)), second = _mm_load_si128(lanes(b) + 1);
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m128i x = _mm_set1_epi32(four(a + r * width + k));
        low[r] = _mm_add_epi32(low[r], _mm_madd_epi16(_mm_maddubs_epi16(x, first), ones));
        high[r] = _mm_add_epi32(high[r], _mm_madd_epi16(_mm_maddubs_epi16(x, second), ones));
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      auto* to = static_cast<__m128i*>(static_cast<void*>(sums + r * kPanel + column));
      _mm_storeu_si128(to, low[r]);
      _mm_storeu_si128(to + 1, high[r]);
    }
  }
}

template <std::size_t kRows>
__attribute__((target("avx2"))) void tile_avx2(const std::uint8_t* a, std::size_t width, const std::int8_t* panel,
                                               std::int32_t* sums) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::size_t column = 0; column < kPanel; column += 16) {
    __m256i low[kRows], high[kRows];
    for (std::size_t r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_si256();
    const std::int8_t* b = panel + column * kGroup;
    for (std::size_t k = 0; k < width; k += kGroup, b += kStep) {
      const auto* line = static_cast<const __m256i*>(static_cast<const void*>(b));
      const __m256i first = _mm256_load_si256(line), second = _mm256_load_si256(line + 1);
      for (std::size_t r = 0; r < kRows; ++r) {
        const __m256i x = _mm256_set1_epi32(four(a + r * width + k));
        low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(_mm256_maddubs_epi16(x, first), ones));
        high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(_mm256_maddubs_epi16(x, second), ones));
      }
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      auto* to = static_cast<__m256i*>(static_cast<void*>(sums + r * kPanel + column));
      _mm256_storeu_si256(to, low[r]);
      _mm256_storeu_si256(to + 1, high[r]);
    }
  }
}

template <std::size_t kRows>
__attribute__((target("avx512f,avx512vnni"))) void tile_vnni(const std::uint8_t* a, std::size_t width,
                                                             const std::int8_t* panel, std::int32_t* sums) {
  __m512i low[kRows], high[kRows];
  for (std::size_t r = 0; r < kRows; ++r) low[r] = high[r] = _mm512_setzero_si512();
  const std::int8_t* b = panel;
  for (std::size_t k = 0; k < width; k += kGroup, b += kStep) {
    const __m512i first = _mm512_load_si512(b), second = _mm512_load_si512(b + kStep / 2);
    _mm_prefetch(b + 16 * kStep, _MM_HINT_T0);
    _mm_prefetch(b + 16 * kStep + kStep / 2, _MM_HINT_T0);
    for (std::size_t r = 0; r < kRows; ++r) {
      const __m512i x = _mm512_set1_epi32(four(a + r * width + k));
      low[r] = _mm512_dpbusd_epi32(low[r], x, first);
      high[r] = _mm512_dpbusd_epi32(high[r], x, second);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    _mm512_storeu_si512(sums + r * kPanel, low[r]);
    _mm512_storeu_si512(sums + r * kPanel + kPanel / 2, high[r]);
  }
}

// As many rows at once as registers hold the sums of.
struct Tiles {
  std::size_t most;
  Tile of[13];  // by the number of rows
};
constexpr Tiles kTiles[] = {
    {4, {nullptr, tile_sse2<1>, tile_sse2<2>, tile_sse2<3>, tile_sse2<4>}},
    {4, {nullptr, tile_ssse3<1>, tile_ssse3<2>, tile_ssse3<3>, tile_ssse3<4>}},
    {4, {nullptr, tile_avx2<1>, tile_avx2<2>, tile_avx2<3>, tile_avx2<4>}},
    {12,
     {nullptr, tile_vnni<1>, tile_vnni<2>, tile_vnni<3>, tile_vnni<4>, tile_vnni<5>, tile_vnni<6>, tile_vnni<7>,
      tile_vnni<8>, tile_vnni<9>, tile_vnni<10>, tile_vnni<11>, tile_vnni<12>}},
};

}  // namespace

bool kernel_runs_here(Kernel kernel) {
  switch (kernel) {
    case Kernel::avx512_vnni:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
    case Kernel::avx2:
      return __builtin_cpu_supports("avx2") != 0;
    case Kernel::ssse3:
      return __builtin_cpu_supports("ssse3") != 0;
    case Kernel::sse2:
      break;
  }
  return true;
}

Kernel fastest_kernel() {
  for (const Kernel kernel : {Kernel::avx512_vnni, Kernel::avx2, Kernel::ssse3}) {
    if (kernel_runs_here(kernel)) return kernel;
  }
  return Kernel::sse2;
}

void QuantisedRows::set(Kernel kernel, const float* x, std::size_t row_count, std::size_t row_width) {
  rows = row_count;
  width = row_width;
  values.resize(rows * width);
  least.resize(rows);
  step.resize(rows);
  for (std::size_t r = 0; r < row_count; ++r) {
    const float* from = x + r * row_width;
    // Four at a time: the least and greatest of a row do not depend on the order.
    __m128 low = _mm_loadu_ps(from), high = low;
    for (std::size_t k = 4; k < row_width; k += 4) {
      const __m128 some = _mm_loadu_ps(from + k);
      low = _mm_min_ps(low, some);
      high = _mm_max_ps(high, some);
    }
    float lows[4], highs[4];
    _mm_storeu_ps(lows, low);
    _mm_storeu_ps(highs, high);
    const float lowest = *std::min_element(lows, lows + 4), highest = *std::max_element(highs, highs + 4);
    least[r] = lowest;
    step[r] = (highest - lowest) / 127;
    // A row of one value, or of values that differ by next to nothing, is its least.
    const float by = step[r] > 1e-30F ? 1 / step[r] : 0;
    std::uint8_t* to = values.data() + r * row_width;
    constexpr float kHalf = 0.5F;
    widely(kernel, [=]() TRIAGED_INLINED {
      for (std::size_t k = 0; k < row_width; ++k) {
        // 127.5 is the most that this can come to, or a hair above it; it is never negative, so that cutting it rounds.
        const int level = static_cast<int>((from[k] - lowest) * by + kHalf);
        to[k] = static_cast<std::uint8_t>(level < 127 ? level : 127);
      }
    });
  }
}

Int8Matrix::Int8Matrix(std::size_t in, std::size_t out, const std::int8_t* values, const float* scale,
                       const float* bias)
    : in_(in), packed_(in * out / sizeof(Line)), scale_(scale, scale + out), sums_(out), bias_(out) {
  if (bias != nullptr) bias_.assign(bias, bias + out);
  std::vector<std::int32_t> sums(out);
  std::int8_t* to = packed_.data()->bytes;
  for (std::size_t panel = 0; panel < out; panel += kPanel) {
    for (std::size_t k = 0; k < in; k += kGroup) {
      for (std::size_t column = panel; column < panel + kPanel; ++column) {
        for (std::size_t i = 0; i < kGroup; ++i) {
          const std::int8_t value = values[(k + i) * out + column];
          *to++ = value;
          sums[column] += value;
        }
      }
    }
  }
  for (std::size_t n = 0; n < out; ++n) sums_[n] = static_cast<float>(sums[n]) * scale_[n];
}

void Int8Matrix::multiply(const QuantisedRows& x, Then then, Kernel kernel, float* result) const {
  const Tiles& tiles = kTiles[static_cast<std::size_t>(kernel)];
  const std::size_t columns = out();
  alignas(64) std::int32_t sums[12 * kPanel];
  for (std::size_t panel = 0; panel < columns; panel += kPanel) {
    const std::int8_t* packed = packed_.data()->bytes + panel * in_;
    const float* scale = scale_.data() + panel;
    const float* column_sum = sums_.data() + panel;
    const float* bias = bias_.data() + panel;
    for (std::size_t row = 0; row < x.rows;) {
      // Tiles of about one size, rather than full ones and a thin rest.
      const std::size_t left = x.rows - row;
      const std::size_t count = left / ((left + tiles.most - 1) / tiles.most);
      tiles.of[count](x.values.data() + row * in_, in_, packed, sums);
      const float *step = x.step.data() + row, *least = x.least.data() + row;
      const std::int32_t* sum = sums;
      float* to = result + row * columns + panel;
      widely(kernel, [=]() TRIAGED_INLINED {
        for (std::size_t r = 0; r < count; ++r) {
          float products[kPanel];
          for (std::size_t n = 0; n < kPanel; ++n) {
            products[n] =
                static_cast<float>(sum[r * kPanel + n]) * step[r] * scale[n] + least[r] * column_sum[n] + bias[n];
          }
          float* out = to + r * columns;
          for (std::size_t n = 0; n < kPanel; ++n) {
            const float p = products[n];
            out[n] = then == Then::add ? out[n] + p : then == Then::relu && !(p > 0) ? 0 : p;
          }
        }
      });
      row += count;
    }
  }
}

}  // namespace triage::classify
