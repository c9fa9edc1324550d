#include "classify/deep_judge.h"

#include <algorithm>

#include "classify/deep_text.h"
#include "classify/language.h"
#include "classify/said.h"

namespace triage::classify {
namespace {

// The scores of a softmax mean something only beside each other.
void centre(Head head, Row& row) {
  float sum = 0;
  for (std::size_t k = 0; k < head.count; ++k) sum += row[head.first + k];
  const float mean = sum / static_cast<float>(head.count);
  for (std::size_t k = 0; k < head.count; ++k) row[head.first + k] -= mean;
}

}  // namespace

bool deep_may_differ(const Verdict& verdict) {
  return language_of(verdict.language) == Language::english;
}

// Memory that a thread uses again for each post.
struct DeepJudge::Memory {
  FastJudge::Reading fast;
  DeepText text;
  std::vector<Piece> pieces;
  std::vector<std::uint16_t> ids;
  Encoder::Reading reading;
  Row row{};      // of the encoder alone
  Row by_hand{};  // what of it no layer gave

  Contributions contributed;
  std::vector<Encoder::Range> ranges;  // the pieces of each word
  std::vector<std::uint32_t> tokens;   // and the token it came from
  std::vector<Row> without;
};

DeepJudge::Memory& DeepJudge::memory() {
  thread_local Memory memory;
  return memory;
}

DeepJudge::DeepJudge(DeepModel model, std::shared_ptr<const FastJudge> fast)
    : model_(std::move(model)), fast_(std::move(fast)), version_(model_.version) {
  if (fast_->model_version() != model_.fast_version) version_.append("+").append(fast_->model_version());
}

bool DeepJudge::read(const Post& post, Memory& memory) const {
  fast_->read(post, memory.fast);
  if (language_of(memory.fast.features.language) != Language::english) return false;
  write_deep_text(memory.fast.features.tokens, post.text, memory.text);
  model_.pieces.cut_ends(memory.text.text, kFirstPieces, kLastPieces, memory.pieces);
  if (memory.pieces.empty()) return false;
  memory.ids.clear();
  for (const Piece& piece : memory.pieces) memory.ids.push_back(piece.id);
  model_.encoder.read(memory.ids.data(), memory.ids.size(), memory.reading);
  memory.row = model_.encoder.outputs(memory.reading);
  memory.by_hand = Row{};
  look_back_at_reviews(post, memory.by_hand);
  hear_irony(memory.fast.features.tokens, memory.by_hand);
  for (std::size_t k = 0; k < memory.row.size(); ++k) memory.row[k] += memory.by_hand[k];
  return true;
}

bool DeepJudge::scores(const Post& post, Row& row) const {
  Memory& own = memory();
  if (!read(post, own)) return false;
  row = own.row;
  return true;
}

bool DeepJudge::sentence(const Post& post, float* vector, Row& by_hand) const {
  Memory& own = memory();
  if (!read(post, own)) return false;
  const float* found = model_.encoder.vector(own.reading);
  std::copy(found, found + model_.encoder.width(), vector);
  by_hand = own.by_hand;
  return true;
}

void DeepJudge::add_contributions(const Questions& questions, Memory& memory) const {
  memory.ranges.clear();
  memory.tokens.clear();
  std::uint32_t piece = 0;
  for (const DeepWord& word : memory.text.words) {
    const auto begins_in_word = [&](std::uint32_t at) {
      return at < memory.pieces.size() && memory.pieces[at].begin < word.end;
    };
    if (word.token >= memory.contributed.of_token.size()) break;
    const std::uint32_t first = piece;
    while (begins_in_word(piece)) ++piece;
    if (piece == first) continue;  // between the beginning and the end of a long post
    memory.ranges.push_back({first, piece});
    memory.tokens.push_back(word.token);
  }
  model_.encoder.outputs_without(memory.ranges, memory.reading, memory.without);
  const auto scores = [&](Row row) {
    centre(kIntent, row);
    centre(kTopic, row);
    Shares shares{};
    for (std::size_t q = 0; q < kQuestions; ++q) shares[q] = questions[q].score(row);
    return shares;
  };
  Shares share{};  // of the deep judge in each answer
  for (std::size_t q = 0; q < kQuestions; ++q) share[q] = model_.blend[questions[q].output];
  const auto keep_rest = [&](Shares& of_fast) {
    for (std::size_t q = 0; q < kQuestions; ++q) of_fast[q] *= 1 - share[q];
  };
  for (Shares& of_token : memory.contributed.of_token) keep_rest(of_token);
  for (Shares& of_fact : memory.contributed.of_fact) keep_rest(of_fact);
  const Shares all = scores(model_.encoder.outputs(memory.reading));
  for (std::size_t w = 0; w < memory.ranges.size(); ++w) {
    const Shares rest = scores(memory.without[w]);
    Shares& of_token = memory.contributed.of_token[memory.tokens[w]];
    for (std::size_t q = 0; q < kQuestions; ++q) of_token[q] += share[q] * (all[q] - rest[q]);
  }
}

Verdict DeepJudge::judge(const Post& post, Time now) const {
  Memory& own = memory();
  if (!read(post, own)) {
    Verdict verdict = fast_->judge(post, now);
    // The encoder knows English only, and would know no more of another language at a second look.
    if (language_of(verdict.language) != Language::english) return verdict;
    verdict.judge = "deep";
    verdict.model = version_;
    return verdict;
  }
  Row scores{};
  for (std::size_t k = 0; k < kOutputs; ++k) {
    scores[k] = model_.blend[k] * own.row[k] + (1 - model_.blend[k]) * own.fast.scores[k];
  }
  const Beliefs beliefs = beliefs_of(scores, model_.calibration);
  Verdict verdict;
  answer(beliefs, scores, model_.calibration, verdict);
  const Tokens& tokens = own.fast.features.tokens;
  verdict.sentiment = sentiment_of(beliefs, verdict.intent, tokens, post);
  verdict.language = own.fast.features.language;
  verdict.judge = "deep";
  verdict.model = version_;
  verdict.said = said_in(tokens, post, verdict);
  const Questions questions = questions_of(verdict);
  fast_->contributions(own.fast, questions, own.contributed);
  add_contributions(questions, own);
  verdict.reasons.reserve(8);
  explain(questions, tokens.list, post.text, own.contributed, verdict.reasons);
  return verdict;
}

}  // namespace triage::classify
