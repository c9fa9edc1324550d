// The words and facts that a verdict quotes: from what each word of a post contributed to each answer, the runs of
// neighbouring words that spoke most for it. Both judges fill in the contributions, each in its own way.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "classify/features.h"
#include "classify/outputs.h"
#include "triage/model/verdict.h"

namespace triage::classify {

// What is explained: each answer against its alternative.
enum QuestionIndex : std::size_t {
  kAboutMoment,
  kAboutUrgency,
  kAboutActionable,
  kAboutIntent,
  kAboutTopic,
  kQuestions
};

// What one answer rests on: an output that speaks for it (or, with a negative sign, against), and perhaps one more.
struct Question {
  std::string_view what;
  std::size_t most_reasons;
  std::size_t output;
  float sign = 1;
  std::size_t other = kWidth - 1;  // the last column is padding, always zero

  float score(const Row& row) const { return sign * (row[output] - row[other]); }
};
using Questions = std::array<Question, kQuestions>;

// Of a verdict whose answers are there.
Questions questions_of(const Verdict& verdict);

// One number for each question, padded to what a machine adds at once.
using Shares = std::array<float, 8>;
static_assert(kQuestions <= 8);

// How much each word and each fact raised the score of each answer.
struct Contributions {
  // Long texts are explained by their beginning: reasons are for people who look at a screen.
  static constexpr std::size_t kMostTokens = 256;

  std::vector<Shares> of_token;
  std::array<Shares, static_cast<std::size_t>(Fact::count_)> of_fact{};

  void reset(std::size_t tokens);  // all to zero, for at most kMostTokens
};

// Adds reasons, strongest first, to `reasons`. What is quoted is taken out of the contributions.
void explain(const Questions& questions, const std::vector<Token>& tokens, std::string_view text,
             Contributions& contributions, std::vector<Reason>& reasons);

}  // namespace triage::classify
