// The encoder's alphabet: word pieces with their log probabilities, and the cutting of a text into the likeliest row of
// them (a unigram language model, as SentencePiece has it). Part of the deep model; knows nothing of posts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "triage/model/error.h"

namespace triage::classify {

struct Piece {
  std::uint16_t id = 0;     // 0: characters that belong to no piece
  std::uint32_t begin = 0;  // where it begins in the text
};

class Pieces {
 public:
  // Lines "piece\tscore\n" in the order of their ids; "▁" in a piece stands for a space. The first six are reserved and
  // never found in a text. A piece that comes again takes the later id. A score may be missing ("piece\t\n"): it is
  // that of the line before, since the list falls by score. `name` is for the error.
  static Result<Pieces> read(std::string_view lines, const std::string& name);

  std::size_t size() const { return size_; }

  // Cuts `text` (UTF-8; a space before each word) and replaces what `out` held. Among equal sums the later candidate
  // wins; neighbouring characters that no piece begins with are one piece 0. Linear in the length.
  void cut(std::string_view text, std::vector<Piece>& out) const;

  // The same for an encoder that reads no more than `first` + `last` pieces: of a longer text those of its beginning
  // and its end. Takes the same time for any text that is longer than some kilobytes.
  void cut_ends(std::string_view text, std::size_t first, std::size_t last, std::vector<Piece>& out) const;

 private:
  struct Node {
    float score = 0;
    std::int32_t id = -1;  // -1: no piece ends here
  };
  struct Edge {
    std::uint32_t key = 0;  // node and byte; 0: free
    std::uint32_t to = 0;
  };
  std::uint32_t step(std::uint32_t node, unsigned char byte) const {  // 0: nowhere
    const std::uint32_t key = key_of(node, byte);
    for (std::size_t i = slot_of(key);; i = (i + 1) & (edges_.size() - 1)) {
      if (edges_[i].key == key) return edges_[i].to;
      if (edges_[i].key == 0) return 0;
    }
  }
  static std::uint32_t key_of(std::uint32_t node, unsigned char byte) { return (node << 8U | byte) + 1; }
  std::size_t slot_of(std::uint32_t key) const { return (key * 0x9E3779B1U) >> shift_; }

  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::size_t size_ = 0;
  unsigned shift_ = 0;
  std::size_t longest_ = 0;  // piece, in bytes
  float unknown_ = 0;        // the score of a character that is no piece: worse than any piece
};

}  // namespace triage::classify
