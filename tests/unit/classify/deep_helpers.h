// A small deep model with weights drawn by a seed, and its file, for the tests of the deep judge.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "classify/deep_judge.h"
#include "classify/model_bytes.h"
#include "helpers.h"

namespace triage::classify {

// Whole numbers by a linear congruence: the same on every machine.
class Drawn {
 public:
  explicit Drawn(std::uint64_t seed) : state_(seed * 2654435761U + 12345) {}
  std::uint32_t below(std::uint32_t n) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>((state_ >> 33U) % n);
  }
  float between(float least, float most) {
    return least + (most - least) * static_cast<float>(below(1U << 20U)) / static_cast<float>(1U << 20U);
  }

 private:
  std::uint64_t state_;
};

struct Tensor {
  std::vector<std::size_t> shape;
  std::vector<std::int8_t> bytes;
  std::vector<float> floats;
  std::string text;

  std::string_view data() const {
    if (!bytes.empty()) return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (!floats.empty()) return {reinterpret_cast<const char*>(floats.data()), floats.size() * 4};
    return text;
  }
  std::string type() const { return !bytes.empty() ? "i8" : !floats.empty() ? "f32" : "text"; }
  float at(std::size_t i) const { return bytes.empty() ? floats[i] : static_cast<float>(bytes[i]); }
};

struct SmallModel : Tensors {
  std::map<std::string, Tensor> tensors;
  nlohmann::json header;
  std::size_t heads = 2, layers = 2;

  // Widths 32 and 64, two heads, a hundred-odd pieces.
  explicit SmallModel(std::uint64_t seed = 1) {
    Drawn drawn(seed);
    std::string lines = "<unk>\t0\n<s>\t0\n</s>\t0\nx1\t0\nx2\t0\nx3\t0\n";
    std::size_t count = 6;
    const auto piece = [&](const std::string& text, double score) {
      lines += text + '\t' + std::to_string(score) + '\n';
      ++count;
    };
    for (const char* word : {"the",  "to",     "I",     "am",  "at", "on",  "gate", "flight", "stuck", "late",
                             "hour", "refund", "thank", "you", "my", "not", "help", "please", "where", "is"}) {
      piece("\xE2\x96\x81" + std::string(word), -4 - 0.1 * static_cast<double>(count));
    }
    piece("\xE2\x96\x81", -6.5);
    for (const char* end : {"s", "ed", "ing", "er", "n't", "'"}) piece(end, -7);
    for (char c = 'a'; c <= 'z'; ++c) {
      if (c != 's') piece(std::string(1, c), -9);
    }
    for (char c = '0'; c <= '9'; ++c) piece(std::string(1, c), -9.5);
    for (const char* mark : {".", ",", "!", "?", ":", "(", ")", "-", "/", "$", "%"}) piece(mark, -8);
    tensors["pieces"] = {{lines.size()}, {}, {}, lines};

    constexpr std::size_t kFirst = 32, kWidthHere = 64, kInner = 96;
    const auto vector = [&](const std::string& name, std::size_t size, float least, float most) {
      Tensor& tensor = tensors[name];
      tensor.shape = {size};
      for (std::size_t i = 0; i < size; ++i) tensor.floats.push_back(drawn.between(least, most));
    };
    const auto matrix = [&](const std::string& name, std::size_t in, std::size_t out, std::size_t scales) {
      Tensor& tensor = tensors[name];
      tensor.shape = {in, out};
      for (std::size_t i = 0; i < in * out; ++i) {
        tensor.bytes.push_back(static_cast<std::int8_t>(static_cast<int>(drawn.below(255)) - 127));
      }
      const float size = 1.7F / 127 / std::sqrt(static_cast<float>(in));
      vector(name + ".scale", scales, 0.5F * size, 1.5F * size);
    };
    matrix("embedding", count, kFirst, count);
    vector("frequency", kFirst / 2, 0.001F, 1);
    std::size_t in = kFirst;
    for (const std::string at : {"layer0.", "layer1."}) {
      vector(at + "norm1.gain", in, 0.5F, 1.5F);
      vector(at + "norm1.bias", in, -0.2F, 0.2F);
      matrix(at + "qkv", in, 3 * in, 3 * in);
      vector(at + "qkv.bias", 3 * in, -0.2F, 0.2F);
      matrix(at + "out", in, kWidthHere, kWidthHere);
      vector(at + "out.bias", kWidthHere, -0.2F, 0.2F);
      if (in != kWidthHere) {
        matrix(at + "residual", in, kWidthHere, kWidthHere);
        vector(at + "residual.bias", kWidthHere, -0.2F, 0.2F);
      }
      vector(at + "norm2.gain", kWidthHere, 0.5F, 1.5F);
      vector(at + "norm2.bias", kWidthHere, -0.2F, 0.2F);
      matrix(at + "ffn1", kWidthHere, kInner, kInner);
      vector(at + "ffn1.bias", kInner, -0.2F, 0.2F);
      matrix(at + "ffn2", kInner, kWidthHere, kWidthHere);
      vector(at + "ffn2.bias", kWidthHere, -0.2F, 0.2F);
      in = kWidthHere;
    }
    matrix("sentence", kWidthHere, kWidthHere, kWidthHere);
    vector("sentence.bias", kWidthHere, -0.2F, 0.2F);
    vector("head", kWidthHere * kOutputs, -0.6F, 0.6F);
    tensors["head"].shape = {kWidthHere, kOutputs};
    vector("head.bias", kOutputs, -0.5F, 0.5F);

    const auto& fast = dynamic_cast<const FastJudge&>(shipped());
    header = {{"version", "small.1"},
              {"trained_on", "nothing"},
              {"encoder", {{"heads", heads}, {"layers", layers}}},
              {"blend", 0.5},
              {"calibration", calibration_json(fast.model().calibration())},
              {"fast", fast.model_version()}};
  }

  // The file; `change` may spoil the header before the checksum is made.
  std::string file(const std::function<void(nlohmann::json&)>& change = {}) const {
    nlohmann::json all = header;
    std::string data;
    all["tensors"] = nlohmann::json::array();
    for (const auto& [name, tensor] : tensors) {
      data.resize((data.size() + 63) / 64 * 64);
      all["tensors"].push_back(
          {{"name", name}, {"type", tensor.type()}, {"shape", tensor.shape}, {"offset", data.size()}});
      data += tensor.data();
    }
    if (change) change(all);
    const std::string text = all.dump();
    std::string out = "TRIAGEDM";
    put(out, std::uint32_t{1});
    put(out, static_cast<std::uint32_t>(text.size()));
    out += text + data;
    put(out, fnv1a(out));
    return out;
  }

  std::shared_ptr<DeepJudge> judge() const {
    auto model = DeepModel::read(file(), "small.model");
    if (!model) throw std::runtime_error(model.error().detail);
    return std::make_shared<DeepJudge>(std::move(*model), std::dynamic_pointer_cast<const FastJudge>(*shipped_model()));
  }

  // Tensors.
  const Shape* shape(const std::string& name) const override {
    const auto it = tensors.find(name);
    if (it == tensors.end()) return nullptr;
    const std::vector<std::size_t>& dims = it->second.shape;
    return &(shapes_[name] = {dims.size() == 2 ? dims[0] : 1, dims.back()});
  }
  const std::int8_t* bytes(const std::string& name) const override { return tensors.at(name).bytes.data(); }
  const float* floats(const std::string& name) const override { return tensors.at(name).floats.data(); }

 private:
  mutable std::map<std::string, Shape> shapes_;
};

}  // namespace triage::classify
