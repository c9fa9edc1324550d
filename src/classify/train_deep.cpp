// `triaged train`, the deep half: the last layer anew, the encoder as it is.
#include <algorithm>
#include <atomic>
#include <thread>

#include "classify/deep_judge.h"
#include "classify/files.h"
#include "classify/head_fit.h"
#include "classify/trainer.h"

namespace triage::classify {
namespace {

// The vectors of those posts in which there is something to read.
struct Read {
  std::vector<float> vectors;
  std::vector<const LabelledPost*> posts;
  std::vector<Row> by_hand;  // what of a post's scores no layer gives
};

void read_posts(const DeepJudge& judge, const std::vector<LabelledPost>& posts, Read& out) {
  const std::size_t width = judge.model().encoder.width();
  std::vector<float> vectors(posts.size() * width);
  std::vector<char> found(posts.size());
  std::vector<Row> by_hand(posts.size());
  {
    std::atomic<std::size_t> next{0};
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::clamp(std::thread::hardware_concurrency(), 1U, 8U); ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < posts.size(); i = next++) {
          found[i] = judge.sentence(posts[i].post, vectors.data() + i * width, by_hand[i]);
        }
      });
    }
  }
  for (std::size_t i = 0; i < posts.size(); ++i) {
    if (!found[i]) continue;
    out.posts.push_back(&posts[i]);
    out.by_hand.push_back(by_hand[i]);
    const auto first = vectors.begin() + static_cast<std::ptrdiff_t>(i * width);
    out.vectors.insert(out.vectors.end(), first, first + static_cast<std::ptrdiff_t>(width));
  }
}

HeadLayer layer_of(const Encoder& encoder) {
  HeadLayer layer;
  layer.bias = encoder.head_bias();
  layer.weights.resize(encoder.width());
  for (std::size_t j = 0; j < encoder.width(); ++j) {
    for (std::size_t k = 0; k < kOutputs; ++k) layer.weights[j][k] = encoder.head_weights()[j * kWidth + k];
  }
  return layer;
}

}  // namespace

Result<void> train_deep(const std::filesystem::path& base, const std::shared_ptr<const Classifier>& fast,
                        const std::vector<LabelledPost>& corpus, const std::vector<LabelledPost>& lessons,
                        const TrainOptions& options, const std::filesystem::path& out,
                        const std::function<void(std::string_view)>& progress) {
  constexpr double kHold = 10;  // from 1 to 100 it makes hardly a difference, see docs/classifier.md
  const auto fast_judge = std::dynamic_pointer_cast<const FastJudge>(fast);
  if (!fast_judge) return make_error(ErrorCode::bad_request, "a deep judge needs a fast judge beside it");
  std::string from_file;
  std::string_view bytes = shipped_deep_bytes();
  if (!base.empty()) {
    Result<std::string> read = read_file(base);
    if (!read) return read.error();
    from_file = std::move(*read);
    bytes = from_file;
  } else if (bytes.empty()) {
    return make_error(ErrorCode::not_found, "this build has no deep model in it: name a file with --deep-model");
  }
  Result<DeepModel> model = DeepModel::read(bytes, base.empty() ? "the shipped deep model" : base.string());
  if (!model) return model.error();
  const CorrectionsSeen before = model->corrections;
  const DeepJudge judge(std::move(*model), fast_judge);

  Read read;
  read_posts(judge, corpus, read);
  const std::size_t anchors = read.posts.size();
  read_posts(judge, lessons, read);
  if (progress) progress(std::to_string(read.posts.size()) + " posts read by the encoder");

  const HeadLayer start = layer_of(judge.model().encoder);
  std::vector<HeadExample> examples(read.posts.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    HeadExample& example = examples[i];
    example.offset = read.by_hand[i];
    if (i < anchors) {
      example.target = outputs_of(start, read.vectors.data() + i * start.weights.size());
      for (std::size_t k = 0; k < kWidth; ++k) example.target[k] += example.offset[k];
      to_probabilities(example.target);
      example.weight.fill(1);
    } else {
      soft_targets(*read.posts[i], example.target, example.weight);
      for (float& weight : example.weight) weight *= static_cast<float>(read.posts[i]->weight);
    }
  }
  const HeadLayer layer = fit_head(start, read.vectors, examples, kHold, progress);

  DeepModel::NewHead head;
  for (const Row& row : layer.weights) head.weights.insert(head.weights.end(), row.begin(), row.begin() + kOutputs);
  head.bias.assign(layer.bias.begin(), layer.bias.begin() + kOutputs);
  head.version = version_of(options);
  head.fast_version = fast_judge->model_version();
  head.trained_on = judge.model().trained_on + "; its last layer: " + sentence_of(lessons.size(), options.corrections);
  head.corrections = options.corrections;
  head.corrections.to = std::max(head.corrections.to, before.to);
  const std::string written = DeepModel::with_head(bytes, head);
  if (progress) progress("writing " + std::to_string(written.size()) + " bytes to " + out.string());
  return write_file(out, written);
}

}  // namespace triage::classify
