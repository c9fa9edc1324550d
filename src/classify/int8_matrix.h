// Matrices of signed bytes, and their products with rows that are quantised as they come. The sums are of whole numbers
// and the few operations on floats around them are in one order, so that every machine gets the same bits, whichever
// instructions it has. Knows nothing of encoders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace triage::classify {

// Which instructions do the sums. All give the same numbers.
enum class Kernel : std::uint8_t { sse2, ssse3, avx2, avx512_vnni };
bool kernel_runs_here(Kernel kernel);
Kernel fastest_kernel();  // of those that run here

// Rows of floats in 7 bits each: x = least + step · value, with a row's own least and step. Seven and not eight, since
// a pair of products must fit 16 bits with sign, as AVX2 adds them.
struct QuantisedRows {
  std::size_t rows = 0, width = 0;
  std::vector<std::uint8_t> values;
  std::vector<float> least, step;

  // Of finite numbers, a multiple of four in a row. Reuses its memory.
  void set(Kernel kernel, const float* x, std::size_t row_count, std::size_t row_width);
};

enum class Then : std::uint8_t { store, add, relu };  // what becomes of a product: out = p, out += p, out = max(p, 0)

class Int8Matrix {
 public:
  static constexpr std::size_t kPanel = 32;  // columns that are worked on at once; `out` is a multiple of it
  static constexpr std::size_t kGroup = 4;   // bytes of a column that are multiplied at once; `in` is a multiple of it

  Int8Matrix() = default;
  // `values`: in × out, row by row; a value is its byte times the scale of its column. `bias` may be null.
  Int8Matrix(std::size_t in, std::size_t out, const std::int8_t* values, const float* scale, const float* bias);

  std::size_t in() const { return in_; }
  std::size_t out() const { return scale_.size(); }
  std::size_t bytes() const { return packed_.size() * sizeof(Line) + scale_.size() * 3 * sizeof(float); }

  // x · matrix + bias, to `result` of x.rows × out().
  void multiply(const QuantisedRows& x, Then then, Kernel kernel, float* result) const;

 private:
  struct alignas(64) Line {
    std::int8_t bytes[64];
  };
  std::size_t in_ = 0;
  std::vector<Line> packed_;  // panel by panel, group by group: 32 columns × 4 bytes
  std::vector<float> scale_;
  std::vector<float> sums_;  // of each column, scaled: what a row's `least` is multiplied with
  std::vector<float> bias_;
};

}  // namespace triage::classify
