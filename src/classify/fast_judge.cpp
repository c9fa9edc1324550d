#include "classify/fast_judge.h"

#include <algorithm>
#include <cmath>

#include "classify/features.h"
#include "classify/language.h"
#include "classify/utf8.h"

namespace triage::classify {
namespace {

// What is explained: each answer against its alternative.
enum QuestionIndex : std::size_t {
  kAboutMoment,
  kAboutUrgency,
  kAboutActionable,
  kAboutIntent,
  kAboutTopic,
  kQuestions
};

// One number for each question, padded to what a machine adds at once.
using Shares = std::array<float, 8>;
static_assert(kQuestions <= 8);

// Memory that a thread uses again for each post.
struct Scratch {
  Features features;
  std::vector<const Weights*> found;
  std::vector<Shares> of_token;
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

// `text` without a character that was cut at its end, and with what is not UTF-8 replaced: a reason goes out as JSON.
std::string whole_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    const char* start = p;
    if (next_code_point(p, end) == kInvalid) {
      if (end - start < 4 && static_cast<unsigned char>(*start) >= 0xC0) break;  // cut
      out += "\xEF\xBF\xBD";
    } else {
      out.append(start, static_cast<std::size_t>(p - start));
    }
  }
  return out;
}

// Mock praise beside trouble ("great job, you lost it") is a complaint in most posts that have both, and linear weights
// add two praises up. Set by hand, in units of the intent's logits.
constexpr float kIrony = 1.0F;

bool sounds_ironic(const Tokens& tokens) {
  constexpr CueMask kTrouble = bit(Cue::lost) | bit(Cue::broken) | bit(Cue::failing) | bit(Cue::cancelled) |
                               bit(Cue::delay) | bit(Cue::stuck) | bit(Cue::missed) | bit(Cue::negative) |
                               bit(Cue::charged);
  CueMask cues = 0;
  for (const Token& token : tokens.list) cues |= token.cues;
  return (cues & bit(Cue::mock_praise)) != 0 && (cues & kTrouble) != 0;
}

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

// What one answer rests on: an output that speaks for it (or, with a negative sign, against), and perhaps one more.
struct Question {
  std::string_view what;
  std::size_t most_reasons;
  std::size_t output;
  float sign = 1;
  std::size_t other = kWidth - 1;  // the last column is padding, always zero
};

// Adds up what each word and each fact contributed to each answer. N-grams share what they say among their words.
void contributions(const std::array<Question, kQuestions>& questions, const Model& model, Scratch& memory,
                   std::array<Shares, static_cast<std::size_t>(Fact::count_)>& of_fact) {
  const Features& features = memory.features;
  const std::size_t count = memory.of_token.size();
  std::size_t next = 0;
  for (std::size_t g = 0; g < kGroups; ++g) {
    if (features.size[g] == 0) continue;
    Shares unit{};
    const float norm = Model::norm(features, g);
    const Row& scale = model.scale(static_cast<Group>(g));
    for (std::size_t q = 0; q < kQuestions; ++q) {
      unit[q] = questions[q].sign * scale[questions[q].output] * norm;
    }
    const float other_unit = -questions[kAboutMoment].sign * scale[questions[kAboutMoment].other] * norm;
    const auto shares_of = [&](const auto& weights, float by) {
      Shares shares{};
      for (std::size_t q = 0; q < kQuestions; ++q) {
        shares[q] = by * unit[q] * static_cast<float>(weights[questions[q].output]);
      }
      shares[kAboutMoment] += by * other_unit * static_cast<float>(weights[questions[kAboutMoment].other]);
      return shares;
    };
    const auto add = [](const Shares& shares, Shares& to) {
      for (std::size_t q = 0; q < kQuestions; ++q) to[q] += shares[q];
    };
    for (const Feature& feature : features.group[g]) {
      const Weights* weights = memory.found[next++];
      if (weights == nullptr) continue;
      if (feature.span == 0) {
        add(shares_of(*weights, 1), of_fact[static_cast<std::size_t>(feature.fact)]);
        continue;
      }
      const std::size_t stop = std::min<std::size_t>(feature.token + feature.span, count);
      const Shares shares = shares_of(*weights, 1 / static_cast<float>(feature.span));
      for (std::size_t t = feature.token; t < stop; ++t) add(shares, memory.of_token[t]);
    }
    if (static_cast<Group>(g) != Group::letters) continue;
    for (const KnownWord& word : features.known) {
      if (word.token < count) add(shares_of(*word.sum, 1), memory.of_token[word.token]);
    }
  }
}

// Where a quotation may begin and end.
bool quotable(const Token& token) {
  return token.kind != TokenKind::punctuation && token.kind != TokenKind::mention;
}

// The runs of neighbouring words, and the facts, that spoke most for the answers.
void explain(const Model& model, const std::array<Question, kQuestions>& questions, Scratch& memory,
             std::string_view text, std::vector<Reason>& reasons) {
  const std::vector<Token>& tokens = memory.features.tokens.list;
  // Long texts are explained by their beginning: reasons are for people who look at a screen.
  constexpr std::size_t kMostTokens = 256;
  const std::size_t count = std::min(tokens.size(), kMostTokens);
  memory.of_token.assign(count, Shares{});
  std::array<Shares, static_cast<std::size_t>(Fact::count_)> of_fact{};
  contributions(questions, model, memory, of_fact);
  Shares totals{};
  const auto count_in = [&](const Shares& shares) {
    for (std::size_t q = 0; q < shares.size(); ++q) totals[q] += std::abs(shares[q]);
  };
  for (const Shares& shares : memory.of_token) count_in(shares);
  for (const Shares& shares : of_fact) count_in(shares);
  for (std::size_t q = 0; q < kQuestions; ++q) {
    const float total = totals[q] + 1e-6F;
    const float least = 0.05F * total;
    for (std::size_t left = questions[q].most_reasons; left > 0; --left) {
      constexpr std::size_t kLongestCue = 4;
      float best = 0;
      std::size_t best_first = 0, best_stop = 0, best_fact = 0;
      for (std::size_t first = 0; first < count; ++first) {
        if (!quotable(tokens[first])) continue;
        float sum = 0;
        for (std::size_t i = first; i < std::min(first + kLongestCue, count); ++i) {
          const float value = memory.of_token[i][q];
          if (value <= 0) break;  // a cue is made of words that all speak for it
          sum += value;
          if (sum > best && quotable(tokens[i])) best = sum, best_first = first, best_stop = i + 1;
        }
      }
      for (std::size_t fact = 0; fact < of_fact.size(); ++fact) {
        if (of_fact[fact][q] > best && !fact_text(static_cast<Fact>(fact)).empty())
          best = of_fact[fact][q], best_fact = fact;
      }
      if (best < least) break;
      Reason& reason = reasons.emplace_back();
      reason.what = questions[q].what;
      reason.weight = best / total;
      if (best_fact != 0) {
        reason.cue = fact_text(static_cast<Fact>(best_fact));
        of_fact[best_fact][q] = 0;
        continue;
      }
      constexpr std::uint32_t kLongestQuote = 60;
      const std::uint32_t begin = tokens[best_first].begin;
      const std::uint32_t end = std::min(tokens[best_stop - 1].end, begin + kLongestQuote);
      reason.cue = whole_characters(text.substr(begin, end - begin));
      for (std::size_t i = best_first; i < best_stop; ++i) memory.of_token[i][q] = 0;
    }
  }
}

Row scores_of(const Model& model, const Post& post, Scratch& memory) {
  extract(post, model.vocabulary(), Fields::shown, memory.features, &model.letter_sums());
  Row scores = model.scores(memory.features, memory.found);
  if (post.kind == PostKind::review) {
    scores[0] -= static_cast<float>(kReviewLooksBack);
    scores[1] += static_cast<float>(kReviewLooksBack);
  }
  if (sounds_ironic(memory.features.tokens)) {
    scores[kIntent.first + static_cast<std::size_t>(Intent::complaint)] += kIrony;
    scores[kIntent.first + static_cast<std::size_t>(Intent::praise)] -= kIrony;
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
    // More likely about no experience than not, but not clearly: an answer, with little confidence.
    if (beliefs.neither >= 0.5) verdict.moment_confidence = std::min(verdict.moment_confidence, 0.6);
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

Row FastJudge::scores(const Post& post) const {
  return scores_of(model_, post, scratch());
}

Beliefs FastJudge::beliefs(const Post& post) const {
  return beliefs_of(scores(post), model_.calibration());
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

  const auto band = static_cast<std::size_t>(verdict.priority);
  const bool in = verdict.moment == Moment::in_the_moment;
  const std::array<Question, kQuestions> questions{{
      {"moment", 3, kMoment.first + (in ? 0U : 1U), 1, kMoment.first + (in ? 1U : 0U)},
      {"urgency", 2, kUrgency.first + (band == 0 ? 0 : band - 1), band == 0 ? -1.0F : 1.0F},
      {"actionable", 1, kActionable.first, verdict.actionable ? 1.0F : -1.0F},
      {"intent", 1, kIntent.first + static_cast<std::size_t>(verdict.intent)},
      {"topic", 1, kTopic.first + static_cast<std::size_t>(verdict.topic)},
  }};
  verdict.reasons.reserve(8);
  explain(model_, questions, memory, post.text, verdict.reasons);
  std::sort(verdict.reasons.begin(), verdict.reasons.end(),
            [](const Reason& a, const Reason& b) { return a.weight > b.weight; });
  return verdict;
}

}  // namespace triage::classify
