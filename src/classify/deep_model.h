// A trained deep model in memory, and its file.
//
// The file, all numbers little-endian:
//
//   bytes  what
//   8      magic "TRIAGEDM"
//   4      format version, 1
//   4      H, length of the header
//   H      header: JSON (version, trained_on, encoder: {heads, layers}, tensors: [{name, type, shape, offset}], blend,
//          calibration as in a fast model, fast: the version of the fast model that it was blended with,
//          corrections: which of a desk's corrections it has seen, where it has)
//   data   the tensors, each at its offset from the beginning of the data, a multiple of 64. Types: "i8", "f32", "text"
//   8      FNV-1a (64 bit) of everything before it
//
// A matrix is stored input × output, row by row. Every i8 matrix X has an f32 vector X.scale, one number a column (of
// "embedding": one a row): a value is its byte times its scale. The tensors are those that encoder.cpp reads, and
// "pieces", the text that Pieces::read takes. No f32 is larger than 10,000, so that no sum can overflow.
#pragma once

#include <string>
#include <string_view>

#include "classify/encoder.h"
#include "classify/model.h"
#include "classify/pieces.h"

namespace triage::classify {

struct DeepModel {
  std::string version;
  std::string trained_on;    // a sentence for people
  std::string fast_version;  // what it was blended with
  Row blend{};               // of each output: the share of the deep judge's score, the rest is the fast judge's
  Calibration calibration;   // of the blended scores
  Pieces pieces;
  Encoder encoder;

  CorrectionsSeen corrections;

  static Result<DeepModel> read(std::string_view bytes, const std::string& name);  // `name` is for the error

  // The same model's file with another last layer. `bytes` are of a file that read() took.
  struct NewHead {
    std::vector<float> weights;  // width × kOutputs, row by row
    std::vector<float> bias;     // kOutputs
    std::string version, trained_on, fast_version;
    CorrectionsSeen corrections;
  };
  static std::string with_head(std::string_view bytes, const NewHead& head);
};

// The file that is built into the binary; empty where this build has none.
std::string_view shipped_deep_bytes();

}  // namespace triage::classify
