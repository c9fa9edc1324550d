#include "classify/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "classify/wide.h"

namespace triage::classify {
namespace {

constexpr std::size_t kLanes = 16;  // sums are kept in so many parts, whatever a machine adds at once
constexpr float kNormEpsilon = 1e-6F;

// e to the x, to about 1e-7 of its value; x is taken as at least -87 and at most 88.
TRIAGED_INLINED inline float exponential(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 · 2^23: adding it rounds to a whole number
  x = x > -87.0F ? x : -87.0F;
  x = x < 88.0F ? x : 88.0F;
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  const float p = ((((1.9875691500e-4F * r + 1.3981999507e-3F) * r + 8.3334519073e-3F) * r + 4.1665795894e-2F) * r +
                   1.6666665459e-1F) *
                      r +
                  5.0000001201e-1F;
  const float e = (p * (r * r) + r) + 1.0F;
  const auto power = (std::bit_cast<std::uint32_t>(shifted) - 0x4B400000U + 127U) << 23U;
  return e * std::bit_cast<float>(power);
}

TRIAGED_INLINED inline float tangent(float x) {
  const float least = -15.0F, most = 15.0F;
  x = x < least ? least : x;
  x = x > most ? most : x;
  return 1.0F - 2.0F / (exponential(2.0F * x) + 1.0F);
}

// The sum of `width` terms, in sixteen parts that are added at the end. `width` is a multiple of kLanes.
template <class Term>
TRIAGED_INLINED inline float sum_of(std::size_t width, const Term& term) {
  float part[kLanes] = {};
  for (std::size_t k = 0; k < width; k += kLanes) {
    for (std::size_t i = 0; i < kLanes; ++i) part[i] += term(k + i);
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
  }
  return part[0];
}

void normalise(Kernel kernel, const std::vector<float>& gains, const std::vector<float>& biases, const float* first,
               std::size_t rows, float* result) {
  const std::size_t width = gains.size();
  const float share = 1.0F / static_cast<float>(width);
  const float *gain = gains.data(), *bias = biases.data();
  widely(kernel, [=]() TRIAGED_INLINED {
    for (std::size_t r = 0; r < rows; ++r) {
      const float* x = first + r * width;
      float* out = result + r * width;
      const float mean = sum_of(width, [=](std::size_t k) TRIAGED_INLINED { return x[k]; }) * share;
      const float variance =
          sum_of(width, [=](std::size_t k) TRIAGED_INLINED { return (x[k] - mean) * (x[k] - mean); }) * share;
      const float by = 1.0F / std::sqrt(variance + kNormEpsilon);  // square roots are exact everywhere
      for (std::size_t k = 0; k < width; ++k) out[k] = (x[k] - mean) * by * gain[k] + bias[k];
    }
  });
}

// Reads tensors by name and remembers the first that is not as it should be.
class Reader {
 public:
  explicit Reader(const Tensors& tensors) : tensors_(tensors) {}

  const std::string& problem() const { return problem_; }

  Tensors::Shape shape(const std::string& name) {
    const Tensors::Shape* shape = tensors_.shape(name);
    if (shape == nullptr) return fail("it has no tensor \"" + name + "\""), Tensors::Shape{};
    return *shape;
  }

  std::vector<float> vector(const std::string& name, std::size_t size) { return floats(name, 1, size); }

  std::vector<float> floats(const std::string& name, std::size_t rows, std::size_t columns) {
    const Tensors::Shape found = shape(name);
    const float* values = tensors_.floats(name);
    if (!problem_.empty()) return {};
    if (values == nullptr) return fail("its tensor \"" + name + "\" is not of type f32"), std::vector<float>{};
    if (!check(name, found, rows, columns)) return {};
    return {values, values + rows * columns};
  }

  // `columns` 0: whatever it has, a multiple of a panel.
  Int8Matrix matrix(const std::string& name, std::size_t rows, std::size_t columns, bool with_bias = true) {
    const Tensors::Shape found = shape(name);
    const std::int8_t* values = tensors_.bytes(name);
    if (!problem_.empty()) return {};
    if (values == nullptr) return fail("its tensor \"" + name + "\" is not of type i8"), Int8Matrix{};
    if (columns == 0) columns = found.columns;
    if (!check(name, found, rows, columns)) return {};
    if (columns % Int8Matrix::kPanel != 0 || rows % kLanes != 0) {
      return fail("its tensor \"" + name + "\" is not a multiple of 16 × 32"), Int8Matrix{};
    }
    const std::vector<float> scale = vector(name + ".scale", columns);
    const std::vector<float> bias = with_bias ? vector(name + ".bias", columns) : std::vector<float>{};
    if (!problem_.empty()) return {};
    return Int8Matrix(rows, columns, values, scale.data(), bias.empty() ? nullptr : bias.data());
  }

  bool has(const std::string& name) const { return tensors_.shape(name) != nullptr; }

  void fail(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }

 private:
  bool check(const std::string& name, const Tensors::Shape& found, std::size_t rows, std::size_t columns) {
    if (found.rows == rows && found.columns == columns) return true;
    const auto written = [](std::size_t r, std::size_t c) { return std::to_string(r) + " × " + std::to_string(c); };
    fail("its tensor \"" + name + "\" is " + written(found.rows, found.columns) + ", expected " +
         written(rows, columns));
    return false;
  }

  const Tensors& tensors_;
  std::string problem_;
};

}  // namespace

Result<Encoder> Encoder::from(const Tensors& tensors, std::size_t heads, std::size_t layers, const std::string& name) {
  constexpr std::size_t kMostLayers = 12, kMostHeads = 64, kMostWidth = 4096, kMostWords = 65535;
  const auto bad = [&](const std::string& what) {
    return make_error(ErrorCode::bad_request, name + " is not a usable model file: " + what);
  };
  if (heads == 0 || heads > kMostHeads || layers == 0 || layers > kMostLayers) {
    return bad("its encoder has " + std::to_string(heads) + " heads and " + std::to_string(layers) + " layers");
  }
  Reader read(tensors);
  Encoder encoder;
  encoder.kernel_ = fastest_kernel();
  encoder.heads_ = heads;
  const Tensors::Shape embedding = read.shape("embedding");
  const std::int8_t* rows = tensors.bytes("embedding");
  if (!read.problem().empty()) return bad(read.problem());
  if (rows == nullptr) return bad("its tensor \"embedding\" is not of type i8");
  if (embedding.rows == 0 || embedding.rows > kMostWords || embedding.columns == 0 || embedding.columns % 32 != 0 ||
      embedding.columns > kMostWidth) {
    return bad("its tensor \"embedding\" is " + std::to_string(embedding.rows) + " × " +
               std::to_string(embedding.columns) + ", expected a multiple of 32 columns");
  }
  encoder.first_width_ = embedding.columns;
  encoder.embedding_.assign(rows, rows + embedding.rows * embedding.columns);
  encoder.embedding_scale_ = read.vector("embedding.scale", embedding.rows);
  const std::vector<float> frequency = read.vector("frequency", embedding.columns / 2);
  encoder.width_ = read.shape("sentence").rows;
  if (!read.problem().empty()) return bad(read.problem());
  if (encoder.width_ == 0 || encoder.width_ % 32 != 0 || encoder.width_ > kMostWidth) {
    return bad("its tensor \"sentence\" has " + std::to_string(encoder.width_) + " rows, expected a multiple of 32");
  }
  std::size_t in = encoder.first_width_;
  const std::size_t out = encoder.width_;
  for (std::size_t i = 0; i < layers; ++i) {
    const std::string at = "layer" + std::to_string(i) + ".";
    Layer layer;
    layer.norm1 = {read.vector(at + "norm1.gain", in), read.vector(at + "norm1.bias", in)};
    layer.qkv = read.matrix(at + "qkv", in, 0, read.has(at + "qkv.bias"));
    const std::size_t inner = layer.qkv.out() / 3;
    if (read.problem().empty() &&
        (layer.qkv.out() % 3 != 0 || inner == 0 || inner % (heads * kLanes) != 0 || inner > kMostWidth)) {
      read.fail("its tensor \"" + at + "qkv\" has " + std::to_string(layer.qkv.out()) +
                " columns, expected three times the heads of a multiple of 16 each");
    }
    if (!read.problem().empty()) return bad(read.problem());
    layer.out = read.matrix(at + "out", inner, out);
    if (in != out) layer.residual = read.matrix(at + "residual", in, out);
    layer.norm2 = {read.vector(at + "norm2.gain", out), read.vector(at + "norm2.bias", out)};
    layer.ffn1 = read.matrix(at + "ffn1", out, 0);
    if (!read.problem().empty()) return bad(read.problem());
    if (layer.ffn1.out() > 4 * kMostWidth) return bad("its tensor \"" + at + "ffn1\" is too wide");
    layer.ffn2 = read.matrix(at + "ffn2", layer.ffn1.out(), out);
    if (!read.problem().empty()) return bad(read.problem());
    encoder.layers_.push_back(std::move(layer));
    in = out;
  }
  encoder.sentence_ = read.matrix("sentence", out, out, false);
  encoder.sentence_bias_ = read.vector("sentence.bias", out);
  const std::vector<float> head = read.floats("head", out, kOutputs);
  const std::vector<float> head_bias = read.vector("head.bias", kOutputs);
  if (!read.problem().empty()) return bad(read.problem());
  encoder.head_.resize(out * kWidth);
  for (std::size_t k = 0; k < out; ++k) {
    for (std::size_t o = 0; o < kOutputs; ++o) encoder.head_[k * kWidth + o] = head[k * kOutputs + o];
  }
  std::copy(head_bias.begin(), head_bias.end(), encoder.head_bias_.begin());
  // Computed in double and rounded: libraries differ in a last bit that is cut.
  const std::size_t half = encoder.first_width_ / 2;
  encoder.timing_.resize(kMostPieces * encoder.first_width_);
  for (std::size_t p = 0; p < kMostPieces; ++p) {
    float* row = encoder.timing_.data() + p * encoder.first_width_;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(static_cast<float>(p) * frequency[i]);
      row[i] = static_cast<float>(std::sin(angle));
      row[half + i] = static_cast<float>(std::cos(angle));
    }
  }
  return encoder;
}

// From reading.wide (queries, keys and values of all heads, side by side) to reading.heard.
void Encoder::attend(const Layer& layer, std::size_t count, Reading& reading) const {
  const std::size_t inner = layer.qkv.out() / 3, depth = inner / heads_, stride = 3 * inner;
  const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes;
  const float by = 1.0F / std::sqrt(static_cast<float>(depth));
  reading.heard.resize(count * inner);
  reading.keys.assign(depth * padded, 0.0F);
  reading.scores.resize(padded);
  float *keys = reading.keys.data(), *scores = reading.scores.data(), *heard = reading.heard.data();
  const float* wide = reading.wide.data();
  const std::size_t heads = heads_;
  widely(kernel_, [=]() TRIAGED_INLINED {
    for (std::size_t h = 0; h < heads; ++h) {
      const float* head = wide + h * depth;
      // Keys by column, so that one query meets sixteen of them at once.
      for (std::size_t j = 0; j < count; ++j) {
        for (std::size_t d = 0; d < depth; ++d) keys[d * padded + j] = head[j * stride + inner + d];
      }
      for (std::size_t i = 0; i < count; ++i) {
        const float* query = head + i * stride;
        for (std::size_t j = 0; j < padded; j += kLanes) {
          float sum[kLanes] = {};
          for (std::size_t d = 0; d < depth; ++d) {
            const float q = query[d];
            const float* key = keys + d * padded + j;
            for (std::size_t t = 0; t < kLanes; ++t) sum[t] += q * key[t];
          }
          for (std::size_t t = 0; t < kLanes; ++t) scores[j + t] = sum[t] * by;
        }
        float most = scores[0];
        for (std::size_t j = 1; j < count; ++j) most = scores[j] > most ? scores[j] : most;
        for (std::size_t j = 0; j < padded; ++j) scores[j] = exponential(scores[j] - most);
        for (std::size_t j = count; j < padded; ++j) scores[j] = 0;
        const float share = 1.0F / sum_of(padded, [=](std::size_t j) TRIAGED_INLINED { return scores[j]; });
        float* to = heard + i * inner + h * depth;
        for (std::size_t d = 0; d < depth; d += kLanes) {
          float sum[kLanes] = {};
          const float* value = head + 2 * inner + d;
          for (std::size_t j = 0; j < count; ++j, value += stride) {
            const float p = scores[j];
            for (std::size_t t = 0; t < kLanes; ++t) sum[t] += p * value[t];
          }
          for (std::size_t t = 0; t < kLanes; ++t) to[d + t] = sum[t] * share;
        }
      }
    }
  });
}

void Encoder::read(const std::uint16_t* ids, std::size_t count, Reading& reading) const {
  reading.pieces = count;
  std::vector<float>& x = reading.x;
  x.resize(count * first_width_);
  for (std::size_t p = 0; p < count; ++p) {
    const std::int8_t* row = embedding_.data() + ids[p] * first_width_;
    const float scale = 2.0F * embedding_scale_[ids[p]];
    const float* timing = timing_.data() + p * first_width_;
    float* to = x.data() + p * first_width_;
    for (std::size_t k = 0; k < first_width_; ++k) to[k] = static_cast<float>(row[k]) * scale + timing[k];
  }
  QuantisedRows& q = reading.quantised;
  for (const Layer& layer : layers_) {
    const std::size_t in = layer.qkv.in();
    reading.normed.resize(count * std::max(in, width_));
    normalise(kernel_, layer.norm1.gain, layer.norm1.bias, x.data(), count, reading.normed.data());
    q.set(kernel_, reading.normed.data(), count, in);
    reading.wide.resize(count * std::max(layer.qkv.out(), layer.ffn1.out()));
    layer.qkv.multiply(q, Then::store, kernel_, reading.wide.data());
    attend(layer, count, reading);
    if (layer.residual.in() != 0) {
      q.set(kernel_, x.data(), count, in);
      x.resize(count * width_);
      layer.residual.multiply(q, Then::store, kernel_, x.data());
    }
    q.set(kernel_, reading.heard.data(), count, layer.out.in());
    layer.out.multiply(q, Then::add, kernel_, x.data());
    normalise(kernel_, layer.norm2.gain, layer.norm2.bias, x.data(), count, reading.normed.data());
    q.set(kernel_, reading.normed.data(), count, width_);
    layer.ffn1.multiply(q, Then::relu, kernel_, reading.wide.data());
    q.set(kernel_, reading.wide.data(), count, layer.ffn1.out());
    layer.ffn2.multiply(q, Then::add, kernel_, x.data());
  }
  // The mean over the pieces stands in front of a linear step: taken behind it, each piece's part can be left out.
  q.set(kernel_, x.data(), count, width_);
  reading.sentence.resize(count * width_);
  sentence_.multiply(q, Then::store, kernel_, reading.sentence.data());
  reading.sum.assign(width_, 0.0F);
  for (std::size_t p = 0; p < count; ++p) {
    for (std::size_t k = 0; k < width_; ++k) reading.sum[k] += reading.sentence[p * width_ + k];
  }
}

// The vector of a mean over `count` pieces, from their sum, and what the head says of it.
const float* Encoder::vector(const float* sum, std::size_t count, float* vector) const {
  const float share = count > 0 ? 1.0F / static_cast<float>(count) : 0.0F;
  const float* bias = sentence_bias_.data();
  const std::size_t width = width_;
  widely(kernel_, [=]() TRIAGED_INLINED {
    for (std::size_t k = 0; k < width; ++k) vector[k] = tangent(sum[k] * share + bias[k]);
  });
  return vector;
}

Row Encoder::head(const float* vector) const {
  Row row = head_bias_;
  const float* weights = head_.data();
  float* to = row.data();
  const std::size_t width = width_;
  widely(kernel_, [=]() TRIAGED_INLINED {
    float sums[kWidth];
    std::copy(to, to + kWidth, sums);
    for (std::size_t k = 0; k < width; ++k) {
      for (std::size_t o = 0; o < kWidth; ++o) sums[o] += vector[k] * weights[k * kWidth + o];
    }
    std::copy(sums, sums + kWidth, to);
  });
  return row;
}

const float* Encoder::vector(Reading& reading) const {
  reading.vectors.resize(width_);
  return vector(reading.sum.data(), reading.pieces, reading.vectors.data());
}

Row Encoder::outputs(Reading& reading) const {
  return head(vector(reading));
}

void Encoder::outputs_without(const std::vector<Range>& ranges, Reading& reading, std::vector<Row>& rows) const {
  rows.resize(ranges.size());
  reading.vectors.resize(2 * width_);
  float* rest = reading.vectors.data();
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    std::copy(reading.sum.begin(), reading.sum.end(), rest);
    for (std::size_t p = ranges[r].first; p < ranges[r].stop; ++p) {
      for (std::size_t k = 0; k < width_; ++k) rest[k] -= reading.sentence[p * width_ + k];
    }
    const std::size_t left = reading.pieces - (ranges[r].stop - ranges[r].first);
    rows[r] = head(vector(rest, left, rest + width_));
  }
}

std::size_t Encoder::memory_bytes() const {
  std::size_t bytes = embedding_.size() + (embedding_scale_.size() + timing_.size() + head_.size()) * sizeof(float);
  for (const Layer& layer : layers_) {
    for (const Int8Matrix* m : {&layer.qkv, &layer.out, &layer.residual, &layer.ffn1, &layer.ffn2}) bytes += m->bytes();
  }
  return bytes + sentence_.bytes();
}

}  // namespace triage::classify
