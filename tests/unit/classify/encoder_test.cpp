// The encoder's sums against plain loops.
#include "classify/encoder.h"

#include <cmath>

#include "deep_helpers.h"

namespace triage::classify {
namespace {

constexpr Kernel kKernels[] = {Kernel::sse2, Kernel::ssse3, Kernel::avx2, Kernel::avx512_vnni};

TEST(Int8Matrix, EveryKindOfInstructionsGivesTheSumsOfPlainLoops) {
  Drawn drawn(3);
  constexpr std::size_t kIn = 48, kOut = 96;
  for (const bool extreme : {false, true}) {
    std::vector<std::int8_t> values(kIn * kOut);
    std::vector<float> scale(kOut), bias(kOut);
    // The largest bytes with one sign are what an instruction of too few bits would cut.
    for (auto& v : values)
      v = static_cast<std::int8_t>(extreme ? (drawn.below(8) == 0 ? 127 : -128)
                                           : static_cast<int>(drawn.below(256)) - 128);
    for (auto& v : scale) v = drawn.between(0.001F, 0.02F);
    for (auto& v : bias) v = drawn.between(-1, 1);
    const Int8Matrix matrix(kIn, kOut, values.data(), scale.data(), bias.data());
    for (std::size_t rows = 1; rows <= 30; ++rows) {
      std::vector<float> x(rows * kIn);
      for (auto& v : x) v = extreme ? (drawn.below(10) == 0 ? -1.0F : 2.0F) : drawn.between(-1, 2);
      QuantisedRows quantised;
      quantised.set(fastest_kernel(), x.data(), rows, kIn);
      std::vector<float> expected(rows * kOut);
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t k = 0; k < kIn; ++k) {
          const double back = static_cast<double>(quantised.least[r]) +
                              static_cast<double>(quantised.step[r]) * quantised.values[r * kIn + k];
          EXPECT_NEAR(back, x[r * kIn + k], quantised.step[r] * 0.501) << "to half a step";
          EXPECT_LE(quantised.values[r * kIn + k], 127);
        }
        for (std::size_t n = 0; n < kOut; ++n) {
          std::int32_t sum = 0, column = 0;
          for (std::size_t k = 0; k < kIn; ++k) {
            sum += quantised.values[r * kIn + k] * values[k * kOut + n];
            column += values[k * kOut + n];
          }
          expected[r * kOut + n] = static_cast<float>(sum) * quantised.step[r] * scale[n] +
                                   quantised.least[r] * (static_cast<float>(column) * scale[n]) + bias[n];
        }
      }
      for (const Kernel kernel : kKernels) {
        if (!kernel_runs_here(kernel)) continue;
        std::vector<float> stored(rows * kOut), added(rows * kOut, 1.0F), cut(rows * kOut);
        matrix.multiply(quantised, Then::store, kernel, stored.data());
        matrix.multiply(quantised, Then::add, kernel, added.data());
        matrix.multiply(quantised, Then::relu, kernel, cut.data());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_EQ(stored[i], expected[i])
              << "kernel " << static_cast<int>(kernel) << ", rows " << rows << ", at " << i;
          ASSERT_EQ(added[i], 1.0F + expected[i]);
          ASSERT_EQ(cut[i], std::max(expected[i], 0.0F));
        }
      }
    }
  }
}

TEST(QuantisedRows, ARowOfOneValueIsKept) {
  std::vector<float> x(32, 3.5F);
  x.resize(64, 0.0F);
  QuantisedRows quantised;
  quantised.set(fastest_kernel(), x.data(), 2, 32);
  EXPECT_EQ(quantised.least[0], 3.5F);
  EXPECT_EQ(quantised.step[0], 0);
  EXPECT_EQ(quantised.least[1], 0);
  for (const std::uint8_t value : quantised.values) EXPECT_EQ(value, 0);
}

// The forward pass as the papers write it, in doubles. With `rounded`, every matrix's input is rounded as the encoder
// rounds it.
class Reference {
 public:
  Reference(const SmallModel& model, bool rounded) : model_(model), rounded_(rounded) {}

  using Rows = std::vector<std::vector<double>>;

  // Each piece's part of the sentence vector.
  Rows sentence(const std::vector<std::uint16_t>& ids) const {
    const Tensor& embedding = model_.tensors.at("embedding");
    const std::size_t first = embedding.shape[1];
    Rows x;
    for (std::size_t p = 0; p < ids.size(); ++p) {
      std::vector<double> row(first);
      for (std::size_t k = 0; k < first; ++k) {
        const double value = embedding.at(ids[p] * first + k) * model_.tensors.at("embedding.scale").floats[ids[p]];
        const double angle = static_cast<double>(p) * model_.tensors.at("frequency").floats[k % (first / 2)];
        row[k] = 2 * value + (k < first / 2 ? std::sin(angle) : std::cos(angle));
      }
      x.push_back(row);
    }
    for (const std::string at : {"layer0.", "layer1."}) {
      const Rows qkv = times(normed(x, at + "norm1"), at + "qkv", true);
      const std::size_t inner = qkv[0].size() / 3, depth = inner / model_.heads;
      Rows heard(x.size(), std::vector<double>(inner));
      for (std::size_t h = 0; h < model_.heads; ++h) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          std::vector<double> weight(x.size());
          double sum = 0;
          for (std::size_t j = 0; j < x.size(); ++j) {
            double dot = 0;
            for (std::size_t d = 0; d < depth; ++d) dot += qkv[i][h * depth + d] * qkv[j][inner + h * depth + d];
            sum += weight[j] = std::exp(dot / std::sqrt(static_cast<double>(depth)));
          }
          for (std::size_t j = 0; j < x.size(); ++j) {
            for (std::size_t d = 0; d < depth; ++d)
              heard[i][h * depth + d] += weight[j] / sum * qkv[j][2 * inner + h * depth + d];
          }
        }
      }
      if (at == "layer0.") x = times(x, at + "residual", true);
      add(times(heard, at + "out", true), x);
      Rows wide = times(normed(x, at + "norm2"), at + "ffn1", true);
      for (auto& row : wide) {
        for (double& v : row) v = std::max(v, 0.0);
      }
      add(times(wide, at + "ffn2", true), x);
    }
    return times(x, "sentence", false);
  }

  // The outputs of the mean over the pieces outside [first, stop).
  std::vector<double> outputs(const Rows& parts, std::size_t first = 0, std::size_t stop = 0) const {
    std::vector<double> out(kOutputs);
    for (std::size_t o = 0; o < kOutputs; ++o) out[o] = model_.tensors.at("head.bias").floats[o];
    for (std::size_t k = 0; k < parts[0].size(); ++k) {
      double sum = 0, count = 0;
      for (std::size_t p = 0; p < parts.size(); ++p) {
        if (p >= first && p < stop) continue;
        sum += parts[p][k];
        ++count;
      }
      const double v = std::tanh((count > 0 ? sum / count : 0) + model_.tensors.at("sentence.bias").floats[k]);
      for (std::size_t o = 0; o < kOutputs; ++o) out[o] += v * model_.tensors.at("head").floats[k * kOutputs + o];
    }
    return out;
  }

 private:
  static void add(const Rows& what, Rows& to) {
    for (std::size_t r = 0; r < to.size(); ++r) {
      for (std::size_t k = 0; k < to[r].size(); ++k) to[r][k] += what[r][k];
    }
  }

  Rows normed(const Rows& x, const std::string& name) const {
    Rows out = x;
    for (auto& row : out) {
      double mean = 0, variance = 0;
      const auto n = static_cast<double>(row.size());
      for (const double v : row) mean += v / n;
      for (const double v : row) variance += (v - mean) * (v - mean) / n;
      for (std::size_t k = 0; k < row.size(); ++k) {
        row[k] = (row[k] - mean) / std::sqrt(variance + 1e-6) * model_.tensors.at(name + ".gain").floats[k] +
                 model_.tensors.at(name + ".bias").floats[k];
      }
    }
    return out;
  }

  Rows times(Rows x, const std::string& name, bool with_bias) const {
    const Tensor& matrix = model_.tensors.at(name);
    const std::size_t out = matrix.shape[1];
    Rows result;
    for (auto& row : x) {
      if (rounded_) {
        const double least = *std::min_element(row.begin(), row.end());
        const double step = (*std::max_element(row.begin(), row.end()) - least) / 127;
        for (double& v : row) v = least + step * std::floor((v - least) / step + 0.5);
      }
      std::vector<double> sums(out);
      for (std::size_t n = 0; n < out; ++n) {
        for (std::size_t k = 0; k < row.size(); ++k) sums[n] += row[k] * matrix.at(k * out + n);
        sums[n] *= model_.tensors.at(name + ".scale").floats[n];
        if (with_bias) sums[n] += model_.tensors.at(name + ".bias").floats[n];
      }
      result.push_back(sums);
    }
    return result;
  }

  const SmallModel& model_;
  bool rounded_;
};

Encoder encoder_of(const SmallModel& model) {
  auto encoder = Encoder::from(model, model.heads, model.layers, "small");
  if (!encoder) throw std::runtime_error(encoder.error().detail);
  return std::move(*encoder);
}

std::vector<std::uint16_t> drawn_ids(Drawn& drawn, std::size_t count, std::size_t below) {
  std::vector<std::uint16_t> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(static_cast<std::uint16_t>(drawn.below(static_cast<std::uint32_t>(below))));
  return ids;
}

TEST(Encoder, AgreesWithAForwardPassInPlainLoops) {
  const SmallModel model;
  const Encoder encoder = encoder_of(model);
  Drawn drawn(7);
  Encoder::Reading reading;
  double error = 0, size = 0;
  for (const std::size_t count : {1U, 2U, 5U, 16U, 17U, 25U, 64U, 128U}) {
    const auto ids = drawn_ids(drawn, count, encoder.pieces());
    encoder.read(ids.data(), ids.size(), reading);
    const Row row = encoder.outputs(reading);
    const Reference rounded(model, true), exact(model, false);
    const auto near = rounded.outputs(rounded.sentence(ids));
    const auto far = exact.outputs(exact.sentence(ids));
    for (std::size_t k = 0; k < kOutputs; ++k) {
      // A float that falls on the other side of a half is rounded by a whole step: seldom, and worth little.
      EXPECT_NEAR(row[k], near[k], 0.02) << count << " pieces, output " << k;
      error += (row[k] - far[k]) * (row[k] - far[k]);
      size += far[k] * far[k];
    }
  }
  EXPECT_LT(std::sqrt(error / size), 0.03) << "what the rounding of activations costs";
}

TEST(Encoder, LeavingPiecesOutOfTheMeanAgreesWithPlainLoops) {
  const SmallModel model;
  const Encoder encoder = encoder_of(model);
  Drawn drawn(9);
  const auto ids = drawn_ids(drawn, 12, encoder.pieces());
  Encoder::Reading reading;
  encoder.read(ids.data(), ids.size(), reading);
  const std::vector<Encoder::Range> ranges{{0, 1}, {3, 6}, {11, 12}, {0, 12}, {5, 5}};
  std::vector<Row> rows;
  encoder.outputs_without(ranges, reading, rows);
  ASSERT_EQ(rows.size(), ranges.size());
  const Reference reference(model, true);
  const auto parts = reference.sentence(ids);
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    const auto expected = reference.outputs(parts, ranges[r].first, ranges[r].stop);
    for (std::size_t k = 0; k < kOutputs; ++k) EXPECT_NEAR(rows[r][k], expected[k], 0.02) << r << " " << k;
  }
  const Row whole = encoder.outputs(reading);
  for (std::size_t k = 0; k < kOutputs; ++k) EXPECT_EQ(rows[4][k], whole[k]) << "nothing left out changes nothing";
}

TEST(Encoder, EveryKindOfInstructionsGivesTheSameBits) {
  const SmallModel model(2);
  Encoder encoder = encoder_of(model);
  Drawn drawn(11);
  for (const std::size_t count : {1U, 3U, 8U, 13U, 26U, 128U}) {
    const auto ids = drawn_ids(drawn, count, encoder.pieces());
    Encoder::Reading reading;
    encoder.use(Kernel::sse2);
    encoder.read(ids.data(), ids.size(), reading);
    const Row expected = encoder.outputs(reading);
    for (const Kernel kernel : kKernels) {
      if (!kernel_runs_here(kernel)) continue;
      encoder.use(kernel);
      encoder.read(ids.data(), ids.size(), reading);
      const Row row = encoder.outputs(reading);
      EXPECT_EQ(row, expected) << static_cast<int>(kernel);
    }
  }
}

TEST(Encoder, AReadingIsTheSameWhateverItsMemoryHeldBefore) {
  const SmallModel model;
  const Encoder encoder = encoder_of(model);
  Drawn drawn(13);
  const auto small = drawn_ids(drawn, 7, encoder.pieces()), large = drawn_ids(drawn, 100, encoder.pieces());
  Encoder::Reading fresh, used;
  encoder.read(small.data(), small.size(), fresh);
  encoder.read(large.data(), large.size(), used);
  encoder.read(small.data(), small.size(), used);
  const Row a = encoder.outputs(fresh), b = encoder.outputs(used);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace triage::classify
