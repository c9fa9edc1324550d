#include "route/alias_finder.h"

#include "triage/route/router.h"

namespace triage::route {

bool is_usable_alias(std::string_view alias) {
  std::vector<Word> words;
  split_words(alias, words);
  return !words.empty();
}

std::uint64_t AliasFinder::key(std::uint32_t node, std::uint64_t hash, char marker) {
  std::uint64_t mixed = hash ^ (std::uint64_t{node} * 0x9e3779b97f4a7c15ULL) ^
                        (static_cast<std::uint64_t>(static_cast<unsigned char>(marker)) << 56U);
  mixed ^= mixed >> 32U;
  return mixed * 0xd6e8feb86659fd93ULL;
}

std::uint32_t AliasFinder::child(std::uint32_t node, std::uint64_t hash, char marker) {
  if (node == 0) first_words_[hash % kFirstWords] = true;
  const auto next = static_cast<std::uint32_t>(nodes_.size());
  const auto [it, added] = children_.try_emplace(key(node, hash, marker), next);
  if (added) nodes_.emplace_back();
  return it->second;
}

void AliasFinder::end_at(std::uint32_t node, Hit hit) {
  if (!nodes_[node].hit) nodes_[node].hit = hit;
}

void AliasFinder::add(std::string_view alias, std::uint32_t value) {
  std::vector<Word> words;
  split_words(alias, words);
  if (words.empty()) return;

  Hit hit{value, 0};
  for (const Word& word : words) hit.letters += word.letters;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    node = child(node, words[i].hash, i == 0 ? words[i].marker : '\0');
  }
  end_at(node, hit);

  if (words.size() > 1 && words.front().marker == 0) {
    std::uint64_t joined = kNoLetters;
    for (const char32_t letter : folded_letters(alias)) joined = hash_letter(joined, letter);
    end_at(child(0, joined, '#'), hit);
  }
}

void AliasFinder::walk(const std::vector<Word>& words, std::size_t from, char marker, std::optional<Hit>& best) const {
  std::uint32_t node = 0;
  for (std::size_t i = from; i < words.size(); ++i) {
    const auto it = children_.find(key(node, words[i].hash, marker));
    if (it == children_.end()) return;
    node = it->second;
    marker = 0;
    const auto& hit = nodes_[node].hit;
    if (hit && (!best || hit->letters > best->letters)) best = hit;
  }
}

std::optional<AliasFinder::Hit> AliasFinder::find(std::string_view text) const {
  if (children_.empty() || text.empty()) return std::nullopt;
  thread_local std::vector<Word> words;  // kept for its memory only
  words.clear();
  split_words(text, words);

  std::optional<Hit> best;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!first_words_[words[i].hash % kFirstWords]) continue;
    walk(words, i, '\0', best);
    if (words[i].marker != 0) walk(words, i, words[i].marker, best);
  }
  return best;
}

}  // namespace triage::route
