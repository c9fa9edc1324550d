#include "classify/pieces.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "classify/utf8.h"

namespace triage::classify {
namespace {

constexpr std::size_t kReserved = 6;
constexpr std::size_t kMostPieces = 65535;
constexpr std::size_t kLongestPiece = 64;  // bytes

Error bad(const std::string& name, std::size_t line, const std::string& what) {
  return make_error(ErrorCode::bad_request,
                    name + " has a damaged list of pieces: line " + std::to_string(line) + " " + what);
}

// "▁late" as " late".
std::string with_spaces(std::string_view piece) {
  constexpr std::string_view kMark = "\xE2\x96\x81";
  std::string out;
  while (!piece.empty()) {
    if (piece.starts_with(kMark)) {
      out.push_back(' ');
      piece.remove_prefix(kMark.size());
    } else {
      out.push_back(piece.front());
      piece.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

Result<Pieces> Pieces::read(std::string_view lines, const std::string& name) {
  struct Entry {
    std::string piece;
    float score = 0;
  };
  std::vector<Entry> entries;
  std::size_t bytes = 0;
  float score = 0;
  while (!lines.empty()) {
    const std::size_t number = entries.size() + 1;
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return bad(name, number, "does not end");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const std::size_t tab = line.rfind('\t');
    if (tab == std::string_view::npos || tab == 0 || tab > kLongestPiece) {
      return bad(name, number, "is not a piece of 1 to 64 bytes, a tab and a score");
    }
    const std::string_view written = line.substr(tab + 1);
    if (!written.empty()) {
      const auto [stop, problem] = std::from_chars(written.data(), written.data() + written.size(), score);
      if (problem != std::errc() || stop != written.data() + written.size() || !std::isfinite(score)) {
        return bad(name, number, "has a score that is not a number");
      }
    }
    if (entries.size() == kMostPieces) return bad(name, number, "is one too many");
    entries.push_back({with_spaces(line.substr(0, tab)), score});
    bytes += entries.back().piece.size();
  }
  if (entries.size() <= kReserved) return bad(name, entries.size() + 1, "is missing: there is no piece");

  Pieces pieces;
  pieces.size_ = entries.size();
  // At most one edge for each byte of a piece; half of the slots stay free.
  pieces.edges_.resize(std::bit_ceil(bytes * 2 + 16));
  pieces.shift_ = 32 - static_cast<unsigned>(std::countr_zero(pieces.edges_.size()));
  pieces.nodes_.resize(1);
  float least = 0;
  for (std::size_t id = kReserved; id < entries.size(); ++id) {
    std::uint32_t node = 0;
    for (const char c : entries[id].piece) {
      const auto byte = static_cast<unsigned char>(c);
      std::uint32_t next = pieces.step(node, byte);
      if (next == 0) {
        next = static_cast<std::uint32_t>(pieces.nodes_.size());
        if (next >= (1U << 23U)) return bad(name, id + 1, "is more than can be held");
        pieces.nodes_.emplace_back();
        const std::uint32_t key = key_of(node, byte);
        std::size_t i = pieces.slot_of(key);
        while (pieces.edges_[i].key != 0) i = (i + 1) & (pieces.edges_.size() - 1);
        pieces.edges_[i] = {key, next};
      }
      node = next;
    }
    pieces.nodes_[node] = {entries[id].score, static_cast<std::int32_t>(id)};
    least = std::min(least, entries[id].score);
    pieces.longest_ = std::max(pieces.longest_, entries[id].piece.size());
  }
  pieces.unknown_ = least - 10;
  return pieces;
}

void Pieces::cut(std::string_view text, std::vector<Piece>& out) const {
  out.clear();
  // The best way to each place: its score, and the piece that ends there.
  struct Way {
    float score = 0;
    std::uint32_t begin = 0;
    std::uint16_t id = 0;
    bool reached = false;
  };
  thread_local std::vector<Way> ways;
  ways.assign(text.size() + 1, Way{});
  ways[0].reached = true;
  const auto offer = [&](std::size_t begin, std::size_t end, std::uint16_t id, float score) {
    Way& way = ways[end];
    if (way.reached && score < way.score) return;
    way = {score, static_cast<std::uint32_t>(begin), id, true};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const char* p = text.data() + begin;
    next_code_point(p, text.data() + text.size());
    const auto next = static_cast<std::size_t>(p - text.data());
    const float so_far = ways[begin].score;
    bool known = false;
    std::uint32_t node = 0;
    for (std::size_t end = begin; end < text.size();) {
      node = step(node, static_cast<unsigned char>(text[end++]));
      if (node == 0) break;
      if (nodes_[node].id < 0) continue;
      known = known || end == next;
      offer(begin, end, static_cast<std::uint16_t>(nodes_[node].id), so_far + nodes_[node].score);
    }
    if (!known) offer(begin, next, 0, so_far + unknown_);
    begin = next;
  }
  for (std::size_t end = text.size(); end > 0; end = ways[end].begin) {
    const Way& way = ways[end];
    if (way.id == 0 && !out.empty() && out.back().id == 0) {
      out.back().begin = way.begin;
    } else {
      out.push_back({way.id, way.begin});
    }
  }
  std::reverse(out.begin(), out.end());
}

void Pieces::cut_ends(std::string_view text, std::size_t first, std::size_t last, std::vector<Piece>& out) const {
  // A part is cut as the whole would be, but near its open end: so it is taken longer than what its pieces can fill,
  // and from a word's beginning where there is one.
  const std::size_t longest = std::max<std::size_t>(longest_, 4);
  const std::size_t head = (first + 8) * longest, tail = (last + 8) * longest;
  if (text.size() <= head + tail) {
    cut(text, out);
    if (out.size() > first + last) {
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(first), out.end() - static_cast<std::ptrdiff_t>(last));
    }
    return;
  }
  const auto whole = [&](std::size_t at) {  // a character's beginning at or before `at`
    for (int i = 0; i < 3 && at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; ++i) --at;
    return at;
  };
  std::size_t from = whole(text.size() - tail);
  if (const std::size_t space = text.find(' ', from); space < from + longest) from = space;
  thread_local std::vector<Piece> end;
  cut(text.substr(from), end);
  cut(text.substr(0, whole(head)), out);
  out.resize(std::min(out.size(), first));
  for (std::size_t i = end.size() - std::min(end.size(), last); i < end.size(); ++i) {
    out.push_back({end[i].id, end[i].begin + static_cast<std::uint32_t>(from)});
  }
}

}  // namespace triage::classify
