// A small transformer that reads a post's pieces and says what each adds to the deep judge's outputs: the forward pass
// of Universal Sentence Encoder Lite with a head on top. Weights are bytes (int8_matrix.h); everything else is floats,
// added and multiplied in one order with functions of its own (no libm, no fused operations), so that every x86-64
// machine gets the same bits. Knows nothing of posts or files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "classify/int8_matrix.h"
#include "classify/outputs.h"
#include "triage/model/error.h"

namespace triage::classify {

// How much of a post the encoder reads: all of it up to their sum, else its beginning and its end.
inline constexpr std::size_t kFirstPieces = 96;
inline constexpr std::size_t kLastPieces = 32;
inline constexpr std::size_t kMostPieces = kFirstPieces + kLastPieces;

// A tensor by its name, as the model file holds it: rows × columns (a vector has one row).
class Tensors {
 public:
  virtual ~Tensors() = default;
  struct Shape {
    std::size_t rows = 0, columns = 0;
  };
  virtual const Shape* shape(const std::string& name) const = 0;  // null where there is none of this name
  // Null where there is none of this name and type.
  virtual const std::int8_t* bytes(const std::string& name) const = 0;
  virtual const float* floats(const std::string& name) const = 0;
};

class Encoder {
 public:
  // `heads` and `layers` are the header's, all else follows from the shapes. The error says which tensor is missing or
  // of the wrong shape. `name` is for the error.
  static Result<Encoder> from(const Tensors& tensors, std::size_t heads, std::size_t layers, const std::string& name);

  // What a post's pieces came to. A thread's memory, used again for each post.
  struct Reading {
    std::size_t pieces = 0;
    std::vector<float> sentence;  // pieces × width: each piece's part of the sentence vector, before the mean
    std::vector<float> sum;       // of them, width

    // The rest is scratch.
    std::vector<float> x, normed, wide, heard, keys, scores, vectors;
    QuantisedRows quantised;
  };

  // Reads 1 to kMostPieces ids, each below pieces().
  void read(const std::uint16_t* ids, std::size_t count, Reading& reading) const;

  // The outputs of the mean over all pieces that were read.
  Row outputs(Reading& reading) const;

  // The sentence vector of the mean, which the head reads: width() numbers between -1 and 1. It stays in `reading`
  // until the next call.
  const float* vector(Reading& reading) const;

  // The head: width() × kWidth weights, the last of each row zero, and the bias.
  const std::vector<float>& head_weights() const { return head_; }
  const Row& head_bias() const { return head_bias_; }

  // The outputs had the pieces [first, stop) of each range not been counted in the mean; a range that is all gives the
  // outputs of a mean of zero.
  struct Range {
    std::uint32_t first = 0, stop = 0;
  };
  void outputs_without(const std::vector<Range>& ranges, Reading& reading, std::vector<Row>& rows) const;

  std::size_t pieces() const { return embedding_scale_.size(); }
  std::size_t width() const { return width_; }
  std::size_t memory_bytes() const;

  // For tests and measurements: all kernels give the same numbers.
  void use(Kernel kernel) { kernel_ = kernel; }

 private:
  struct Norm {
    std::vector<float> gain, bias;
  };
  struct Layer {
    Norm norm1, norm2;
    Int8Matrix qkv, out, residual, ffn1, ffn2;  // residual: empty where the width stays
  };
  void attend(const Layer& layer, std::size_t count, Reading& reading) const;
  const float* vector(const float* sum, std::size_t count, float* vector) const;
  Row head(const float* vector) const;

  Kernel kernel_ = Kernel::sse2;
  std::size_t heads_ = 0, width_ = 0, first_width_ = 0;
  std::vector<std::int8_t> embedding_;
  std::vector<float> embedding_scale_;
  std::vector<float> timing_;  // kMostPieces × first_width_
  std::vector<Layer> layers_;
  Int8Matrix sentence_;
  std::vector<float> sentence_bias_;
  std::vector<float> head_;  // width × kWidth, padded
  Row head_bias_{};
};

}  // namespace triage::classify
