// What the deep judge's trainer reads: posts as the pieces that the judge itself will see, with what the outputs should
// say of them. A program of its own, built on request (target deep_pieces), since only training needs it.
//
//   deep_pieces --vocabulary vocab.json [--fast MODEL] [--scores] [--text] [--blob FILE] [--data FILE…] > OUT.tsv
//
// A line a post, in the order of the files: id, piece ids (spaces between; "-" for none), 22 targets (-1 where nobody
// gave the label), 22 weights, in the order of outputs.h. --scores adds the fast judge's 22 raw scores, --text the text
// as the encoder reads it. --blob writes the list of pieces as the model file holds it. --fast: the model whose
// vocabulary splits the hashtags; by default the shipped one.
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "classify/deep_text.h"
#include "classify/encoder.h"
#include "classify/fast_judge.h"
#include "classify/files.h"
#include "classify/pieces.h"
#include "classify/trainer.h"

namespace {

using namespace triage;
using namespace triage::classify;

int stop(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return 1;
}

// [["▁late", -7.1], …] as lines; a score of null stays empty.
std::string lines_of(const nlohmann::json& vocabulary) {
  std::string lines;
  for (const nlohmann::json& entry : vocabulary) {
    lines += entry.at(0).get<std::string>() + '\t' + (entry.at(1).is_null() ? "" : entry.at(1).dump()) + '\n';
  }
  return lines;
}

}  // namespace

int main(int count, char** arguments) {
  std::string vocabulary, fast, blob;
  std::vector<std::string> data;
  bool scores = false, text = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--scores") {
      scores = true;
    } else if (name == "--text") {
      text = true;
    } else if (i + 1 == count) {
      return stop(
          "deep_pieces --vocabulary vocab.json [--fast MODEL] [--scores] [--text] [--blob FILE] [--data FILE…]");
    } else if (name == "--vocabulary") {
      vocabulary = arguments[++i];
    } else if (name == "--fast") {
      fast = arguments[++i];
    } else if (name == "--blob") {
      blob = arguments[++i];
    } else if (name == "--data") {
      while (i + 1 < count && std::strncmp(arguments[i + 1], "--", 2) != 0) data.emplace_back(arguments[++i]);
    } else {
      return stop("unknown option " + std::string(name));
    }
  }
  const auto bytes = read_file(vocabulary);
  if (!bytes) return stop(bytes.error().detail);
  const nlohmann::json list = nlohmann::json::parse(*bytes, nullptr, false);
  if (!list.is_array()) return stop(vocabulary + ": expected an array of [piece, score]");
  const std::string lines = lines_of(list);
  const auto pieces = Pieces::read(lines, vocabulary);
  if (!pieces) return stop(pieces.error().detail);
  if (!blob.empty()) {
    if (const auto done = write_file(blob, lines); !done) return stop(done.error().detail);
  }
  const auto judge = fast.empty() ? shipped_model() : load_model(fast);
  if (!judge) return stop(judge.error().detail);
  const auto* fast_judge = dynamic_cast<const FastJudge*>(judge->get());
  if (fast_judge == nullptr) return stop("not a fast model");

  Tokens tokens;
  DeepText written;
  std::vector<Piece> cut;
  for (const std::string& file : data) {
    const auto posts = read_labelled(file);
    if (!posts) return stop(posts.error().detail);
    for (const LabelledPost& post : *posts) {
      tokenize(post.post.text, fast_judge->model().vocabulary(), tokens);
      write_deep_text(tokens, post.post.text, written);
      pieces->cut_ends(written.text, kFirstPieces, kLastPieces, cut);
      std::printf("%s\t", post.id.c_str());
      if (cut.empty()) std::printf("-");
      for (std::size_t i = 0; i < cut.size(); ++i) std::printf(i == 0 ? "%u" : " %u", unsigned{cut[i].id});
      Row target, weight;
      soft_targets(post, target, weight);
      for (std::size_t k = 0; k < kOutputs; ++k) std::printf("\t%g", weight[k] > 0 ? double{target[k]} : -1.0);
      for (std::size_t k = 0; k < kOutputs; ++k) std::printf("\t%g", double{weight[k]});
      if (scores) {
        const Row row = fast_judge->scores(post.post);
        for (std::size_t k = 0; k < kOutputs; ++k) std::printf("\t%.6g", double{row[k]});
      }
      if (text) std::printf("\t%s", written.text.c_str());
      std::printf("\n");
    }
  }
  return std::fflush(stdout) == 0 ? 0 : 3;
}
