#include "classify/fast_judge.h"

#include <algorithm>
#include <cmath>

#include "classify/features.h"
#include "classify/language.h"

namespace triage::classify {
namespace {

using Weights = std::array<std::int8_t, kWidth>;

// Memory that a thread uses again for each post.
struct Scratch {
  Features features;
  std::vector<const Weights*> found;
  std::vector<float> of_token;
};

Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double probability(const Platt& platt, double logit) {
  return sigmoid(platt.slope * logit + platt.offset);
}

template <std::size_t N>
void softmax(const float* logits, std::array<double, N>& out) {
  double most = logits[0];
  for (std::size_t i = 1; i < N; ++i) most = std::max<double>(most, logits[i]);
  double sum = 0;
  for (std::size_t i = 0; i < N; ++i) sum += out[i] = std::exp(logits[i] - most);
  for (double& p : out) p /= sum;
}

// A platform's review looks back, whatever its text: there is no such field in the texts that the model learns from, so
// this one is set by hand, in units of the moment's logit.
constexpr double kReviewLooksBack = 1.0;

double clamp01(double x) {
  return std::clamp(x, 0.0, 1.0);
}

// -1 to 1: what the customer feels, from the intent and the words' own tone. Words of praise in a complaint are irony
// or courtesy and do not count.
double sentiment_of(const Beliefs& beliefs, Intent intent, const Tokens& tokens, const Post& post) {
  int good = 0, bad = 0;
  for (const Token& token : tokens.list) {
    if (token.kind != TokenKind::word) continue;
    const bool negated = (token.flags & kNegated) != 0;
    if ((token.cues & bit(Cue::positive)) != 0) ++(negated ? bad : good);
    if ((token.cues & bit(Cue::negative)) != 0) ++bad;
  }
  double tone = static_cast<double>(good - bad) / (good + bad + 1);
  if (intent == Intent::complaint) tone = std::min(tone, 0.0);
  if (intent == Intent::praise) tone = std::max(tone, 0.0);
  const double praise = beliefs.intent[static_cast<std::size_t>(Intent::praise)];
  const double complaint = beliefs.intent[static_cast<std::size_t>(Intent::complaint)];
  double sentiment = 0.75 * (praise - complaint) + 0.25 * tone;
  if (post.rating) sentiment = 0.4 * sentiment + 0.6 * (*post.rating - 3) / 2;
  return std::clamp(sentiment, -1.0, 1.0);
}

// What one answer rests on: the outputs that speak for it and against it.
struct Question {
  std::string_view what;
  std::array<float, kWidth> direction{};  // a feature's contribution is its weights times this
  std::size_t reasons = 0;                // how many at most
};

// Adds the runs of words, and the facts, that contributed most. N-grams share what they say among their words.
void explain(const Question& question, const Model& model, const Scratch& memory, std::vector<float>& of_token,
             std::string_view text, std::vector<Reason>& reasons) {
  const std::vector<Token>& tokens = memory.features.tokens.list;
  // Long texts are explained by their beginning: reasons are for people who look at a screen.
  const std::size_t count = std::min<std::size_t>(tokens.size(), 256);
  of_token.assign(count, 0);
  std::array<float, static_cast<std::size_t>(Fact::count_)> of_fact{};
  float total = 1e-6F;
  std::size_t next = 0;
  for (std::size_t g = 0; g < kGroups; ++g) {
    const std::vector<Feature>& group = memory.features.group[g];
    if (group.empty()) continue;
    std::array<float, kWidth> unit{};
    std::size_t used[kWidth], uses = 0;
    const float norm = 1 / std::sqrt(static_cast<float>(group.size()));
    for (std::size_t k = 0; k < kOutputs; ++k) {
      unit[k] = question.direction[k] * model.scale(static_cast<Group>(g))[k] * norm;
      if (unit[k] != 0) used[uses++] = k;
    }
    for (const Feature& feature : group) {
      const Weights* weights = memory.found[next++];
      if (weights == nullptr) continue;
      float value = 0;
      for (std::size_t i = 0; i < uses; ++i) value += unit[used[i]] * static_cast<float>((*weights)[used[i]]);
      if (feature.span == 0) {
        of_fact[static_cast<std::size_t>(feature.fact)] += value;
        continue;
      }
      const std::size_t stop = std::min<std::size_t>(feature.token + feature.span, count);
      const float share = value / static_cast<float>(feature.span);
      for (std::size_t t = feature.token; t < stop; ++t) of_token[t] += share;
    }
  }
  for (const float value : of_token) total += std::abs(value);
  for (const float value : of_fact) total += std::abs(value);

  constexpr std::size_t kLongestCue = 4;
  const std::size_t before = reasons.size();
  while (reasons.size() - before < question.reasons) {
    // The best run of neighbouring words, and the best fact.
    float best = 0;
    std::size_t best_first = 0, best_length = 0;
    for (std::size_t first = 0; first < count; ++first) {
      float sum = 0;
      for (std::size_t length = 1; length <= kLongestCue && first + length <= count; ++length) {
        const float value = of_token[first + length - 1];
        if (value <= 0) break;  // a cue is made of words that all speak for it
        sum += value;
        if (sum > best) best = sum, best_first = first, best_length = length;
      }
    }
    const auto fact = std::max_element(of_fact.begin(), of_fact.end());
    constexpr float kLeastShare = 0.04F;
    if (std::max(best, *fact) < kLeastShare * total) break;
    Reason reason;
    reason.what = question.what;
    if (*fact > best) {
      reason.cue = fact_text(static_cast<Fact>(fact - of_fact.begin()));
      reason.weight = *fact / total;
      *fact = 0;
    } else {
      const std::uint32_t begin = tokens[best_first].begin, end = tokens[best_first + best_length - 1].end;
      constexpr std::uint32_t kLongestQuote = 80;
      if (end > begin && end - begin <= kLongestQuote) reason.cue = text.substr(begin, end - begin);
      reason.weight = best / total;
      for (std::size_t t = best_first; t < best_first + best_length; ++t) of_token[t] = 0;
      if (reason.cue.empty()) continue;
    }
    reasons.push_back(std::move(reason));
  }
}

Row scores_of(const Model& model, const Post& post, Scratch& memory) {
  extract(post, model.vocabulary(), Fields::shown, memory.features);
  Row scores = model.scores(memory.features, memory.found);
  if (post.kind == PostKind::review) {
    scores[0] -= static_cast<float>(kReviewLooksBack);
    scores[1] += static_cast<float>(kReviewLooksBack);
  }
  return scores;
}

}  // namespace

Beliefs beliefs_of(const Row& scores, const Calibration& calibration) {
  Beliefs beliefs;
  std::array<float, 3> moment{};
  for (std::size_t i = 0; i < 3; ++i) {
    moment[i] =
        static_cast<float>(scores[kMoment.first + i] / calibration.moment_temperature + calibration.moment_offset[i]);
  }
  std::array<double, 3> p{};
  softmax(moment.data(), p);
  beliefs.in_the_moment = p[0];
  beliefs.after_the_fact = p[1];
  beliefs.neither = p[2];
  beliefs.actionable = probability(calibration.actionable, scores[kActionable.first]);
  for (std::size_t i = 0; i < 3; ++i) {
    beliefs.urgency[i] = probability(calibration.urgency[i], scores[kUrgency.first + i]);
    if (i > 0) beliefs.urgency[i] = std::min(beliefs.urgency[i], beliefs.urgency[i - 1]);
  }
  softmax(scores.data() + kIntent.first, beliefs.intent);
  softmax(scores.data() + kTopic.first, beliefs.topic);
  return beliefs;
}

double urgency_points(const std::array<double, 3>& at_least, const std::array<double, 3>& thresholds) {
  constexpr double kEdges[] = {0, 20, 55, 80, 100};
  std::size_t band = 0;
  while (band < 3 && at_least[band] >= thresholds[band]) ++band;
  const double within =
      band == 3 ? (at_least[2] - thresholds[2]) / (1 - thresholds[2]) : at_least[band] / thresholds[band];
  // To a tenth, downwards, so that no rounding lifts a post over an edge.
  const double points = kEdges[band] + clamp01(within) * (kEdges[band + 1] - kEdges[band]);
  const double most = band == 3 ? 100 : kEdges[band + 1] - 0.1;
  return std::min(std::floor(points * 10) / 10, most);
}

void answer(const Beliefs& beliefs, const Row& scores, const Calibration& calibration, Verdict& verdict) {
  const double contrast = scores[kMoment.first] - scores[kMoment.first + 1];
  const double in = probability(calibration.moment_confidence, contrast);
  if (beliefs.neither >= calibration.neither_threshold) {
    verdict.moment = Moment::after_the_fact;
    verdict.moment_confidence = std::clamp(1 - in, 0.5, 0.6);
  } else {
    verdict.moment = in >= 0.5 ? Moment::in_the_moment : Moment::after_the_fact;
    verdict.moment_confidence = std::max(in, 1 - in);
  }
  verdict.actionable = beliefs.actionable >= calibration.actionable_threshold;
  verdict.actionable_confidence = std::max(0.5, verdict.actionable ? beliefs.actionable : 1 - beliefs.actionable);
  verdict.intent =
      static_cast<Intent>(std::max_element(beliefs.intent.begin(), beliefs.intent.end()) - beliefs.intent.begin());
  verdict.topic =
      static_cast<Topic>(std::max_element(beliefs.topic.begin(), beliefs.topic.end()) - beliefs.topic.begin());
  verdict.text_urgency = urgency_points(beliefs.urgency, calibration.urgency_threshold);
  verdict.urgency = verdict.text_urgency;
  verdict.priority = priority_of(verdict.urgency);
}

Beliefs FastJudge::beliefs(const Post& post) const {
  return beliefs_of(scores_of(model_, post, scratch()), model_.calibration());
}

Verdict FastJudge::judge(const Post& post, Time) const {
  Scratch& memory = scratch();
  const Row scores = scores_of(model_, post, memory);
  const Calibration& calibration = model_.calibration();
  const Beliefs beliefs = beliefs_of(scores, calibration);
  Verdict verdict;
  answer(beliefs, scores, calibration, verdict);
  const Tokens& tokens = memory.features.tokens;
  verdict.sentiment = sentiment_of(beliefs, verdict.intent, tokens, post);
  verdict.language = detect_language(tokens, post.language);
  verdict.judge = "fast";
  verdict.model = model_.version();

  // Each answer is explained against its alternative.
  std::array<Question, 5> questions;
  const auto about = [&](std::size_t i, std::string_view what, std::size_t reasons) -> Question& {
    questions[i].what = what;
    questions[i].reasons = reasons;
    return questions[i];
  };
  {
    Question& q = about(0, "moment", 3);
    const float sign = verdict.moment == Moment::in_the_moment ? 1 : -1;
    q.direction[kMoment.first] = sign;
    q.direction[kMoment.first + 1] = -sign;
  }
  {
    Question& q = about(1, "urgency", 2);
    const std::size_t band = static_cast<std::size_t>(verdict.priority);
    if (band == 0) {
      q.direction[kUrgency.first] = -1;
    } else {
      q.direction[kUrgency.first + band - 1] = 1;
    }
  }
  about(2, "actionable", 1).direction[kActionable.first] = verdict.actionable ? 1 : -1;
  const auto against_mean = [&](Question& q, Head head, std::size_t chosen) {
    for (std::size_t k = 0; k < head.count; ++k) q.direction[head.first + k] = -1.0F / static_cast<float>(head.count);
    q.direction[head.first + chosen] += 1;
  };
  about(3, "intent", 1).direction[kIntent.first + static_cast<std::size_t>(verdict.intent)] = 1;
  about(4, "topic", 1).direction[kTopic.first + static_cast<std::size_t>(verdict.topic)] = 1;
  (void)against_mean;
  verdict.reasons.reserve(8);
  for (const Question& question : questions)
    explain(question, model_, memory, memory.of_token, post.text, verdict.reasons);
  std::stable_sort(verdict.reasons.begin(), verdict.reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.weight > b.weight; });
  return verdict;
}

}  // namespace triage::classify
