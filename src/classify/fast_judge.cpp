#include "classify/fast_judge.h"

#include <algorithm>
#include <cmath>

#include "classify/features.h"
#include "classify/hash.h"
#include "classify/language.h"
#include "classify/said.h"

namespace triage::classify {
namespace {

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
constexpr float kReviewLooksBack = 1.0F;

// Mock praise beside trouble ("great job, you lost it") is a complaint in most posts that have both, and nobody praises
// trouble that has come again ("great, another two hours", "thanks for losing it again"). Linear weights add praises
// up, so these are set by hand, in units of the intent's logits.
constexpr float kMockPraise = 1.0F, kPraisedAgain = 3.0F;
constexpr std::size_t kNear = 5;  // words between the trouble and that it came again

float irony_of(const Tokens& tokens) {
  constexpr CueMask kTrouble = bit(Cue::lost) | bit(Cue::broken) | bit(Cue::failing) | bit(Cue::cancelled) |
                               bit(Cue::delay) | bit(Cue::stuck) | bit(Cue::missed) | bit(Cue::negative) |
                               bit(Cue::charged);
  constexpr CueMask kTime = bit(Cue::waiting) | bit(Cue::unit_short);
  constexpr CueMask kPraise = bit(Cue::thanks) | bit(Cue::positive) | bit(Cue::mock_praise);
  const std::vector<Token>& list = tokens.list;
  CueMask cues = 0;
  std::optional<std::size_t> trouble, again;
  bool comes_again = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    cues |= list[i].cues;
    if ((list[i].cues & (kTrouble | kTime)) != 0) trouble = i;
    const std::string_view form = std::string_view(tokens.forms).substr(list[i].form, list[i].length);
    if (form == "another" || form == "again") again = i;
    if (!trouble || !again) continue;
    comes_again = comes_again || (*trouble > *again ? *trouble - *again : *again - *trouble) <= kNear;
  }
  if (comes_again && (cues & kPraise) != 0) return kPraisedAgain;
  return (cues & bit(Cue::mock_praise)) != 0 && (cues & kTrouble) != 0 ? kMockPraise : 0;
}

double clamp01(double x) {
  return std::clamp(x, 0.0, 1.0);
}

// Memory that a thread uses again for each post.
struct Memory {
  FastJudge::Reading reading;
  Contributions contributed;
};

Memory& memory() {
  thread_local Memory memory;
  return memory;
}

}  // namespace

void look_back_at_reviews(const Post& post, Row& scores) {
  if (post.kind != PostKind::review) return;
  scores[kMoment.first] -= kReviewLooksBack;
  scores[kMoment.first + 1] += kReviewLooksBack;
}

void hear_irony(const Tokens& tokens, Row& scores) {
  const float irony = irony_of(tokens);
  scores[kIntent.first + static_cast<std::size_t>(Intent::complaint)] += irony;
  scores[kIntent.first + static_cast<std::size_t>(Intent::praise)] -= irony;
  if (irony < kPraisedAgain) return;
  // Of praise there is nothing to do; of this there is.
  scores[kActionable.first] += kPraisedAgain / 2;
  scores[kUrgency.first] += kPraisedAgain / 2;
}

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

void FastJudge::read(const Post& post, Reading& reading) const {
  extract(post, model_.vocabulary(), Fields::shown, reading.features, &model_.letter_sums());
  reading.scores = model_.scores(reading.features, reading.found);
  look_back_at_reviews(post, reading.scores);
  hear_irony(reading.features.tokens, reading.scores);
}

// N-grams share what they say among their words.
void FastJudge::contributions(const Reading& reading, const Questions& questions, Contributions& out) const {
  const Features& features = reading.features;
  out.reset(features.tokens.list.size());
  const std::size_t count = out.of_token.size();
  std::size_t next = 0;
  for (std::size_t g = 0; g < kGroups; ++g) {
    if (features.size[g] == 0) continue;
    Shares unit{};
    const float norm = Model::norm(features, g);
    const Row& scale = model_.scale(static_cast<Group>(g));
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
      const Weights* weights = reading.found[next++];
      if (weights == nullptr) continue;
      if (feature.span == 0) {
        add(shares_of(*weights, 1), out.of_fact[static_cast<std::size_t>(feature.fact)]);
        continue;
      }
      const std::size_t stop = std::min<std::size_t>(feature.token + feature.span, count);
      const Shares shares = shares_of(*weights, 1 / static_cast<float>(feature.span));
      for (std::size_t t = feature.token; t < stop; ++t) add(shares, out.of_token[t]);
    }
    if (static_cast<Group>(g) != Group::letters) continue;
    for (const KnownWord& word : features.known) {
      if (word.token < count) add(shares_of(*word.sum, 1), out.of_token[word.token]);
    }
  }
}

// What is said of a post in a language that nothing was learnt of. It is for a person to read, today, so it is
// actionable; what needs no language (emoji, stars) may make it more urgent, or less.
Verdict FastJudge::unread(const Post& post, const Features& features) const {
  constexpr double kUnknown = 0.5, kMiddleOfNormal = 37.5;
  Verdict verdict;
  verdict.language = features.language;
  verdict.judge = "fast";
  verdict.model = model_.version();
  verdict.moment = post.kind == PostKind::review ? Moment::after_the_fact : Moment::in_the_moment;
  verdict.moment_confidence = kUnknown;
  verdict.actionable = true;
  verdict.actionable_confidence = kUnknown;
  verdict.text_urgency = kMiddleOfNormal;
  verdict.reasons.push_back({"language", features.language + ": not judged, read by a person", 1});

  const auto says = [&](double points, double sentiment, std::string cue) {
    verdict.text_urgency += points;
    verdict.sentiment += sentiment;
    verdict.reasons.push_back({"urgency", std::move(cue), points / 100});
  };
  static const std::uint64_t kAlarm = hash_text("e:alarm"), kAngry = hash_text("e:angry"), kSad = hash_text("e:sad"),
                             kSick = hash_text("e:sick"), kLove = hash_text("e:love"), kThanks = hash_text("e:thanks");
  struct Emoji {
    std::uint64_t hash;
    double points, sentiment;
  };
  const Emoji kEmoji[] = {{kAlarm, 20, -0.2}, {kSick, 10, -0.3}, {kAngry, 8, -0.5},
                          {kSad, 4, -0.4},    {kLove, -8, 0.5},  {kThanks, -8, 0.5}};
  for (const Emoji& emoji : kEmoji) {
    const auto& list = features.tokens.list;
    const auto found = std::find_if(list.begin(), list.end(), [&](const Token& token) {
      return token.kind == TokenKind::emoji && token.hash == emoji.hash;
    });
    if (found == list.end()) continue;
    says(emoji.points, emoji.sentiment, post.text.substr(found->begin, found->end - found->begin));
    break;
  }
  if (post.rating) {
    if (*post.rating <= 2) says(8, -0.6, std::string(fact_text(Fact::low_rating)));
    if (*post.rating >= 4) says(-8, 0.6, std::string(fact_text(Fact::high_rating)));
    verdict.intent = *post.rating <= 2 ? Intent::complaint : *post.rating >= 4 ? Intent::praise : Intent::other;
  }
  verdict.sentiment = std::clamp(verdict.sentiment, -1.0, 1.0);
  verdict.urgency = verdict.text_urgency;
  verdict.priority = priority_of(verdict.urgency);
  return verdict;
}

const Calibration& FastJudge::calibration_for(const Features& features) const {
  return language_of(features.language) == Language::english ? model_.calibration() : model_.calibration_of_others();
}

Row FastJudge::scores(const Post& post) const {
  Reading& reading = memory().reading;
  read(post, reading);
  return reading.scores;
}

Beliefs FastJudge::beliefs(const Post& post) const {
  Reading& reading = memory().reading;
  read(post, reading);
  return beliefs_of(reading.scores, calibration_for(reading.features));
}

Verdict FastJudge::judge(const Post& post, Time) const {
  auto& [reading, contributed] = memory();
  read(post, reading);
  if (language_of(reading.features.language) == Language::other) return unread(post, reading.features);
  const Calibration& calibration = calibration_for(reading.features);
  const Beliefs beliefs = beliefs_of(reading.scores, calibration);
  Verdict verdict;
  answer(beliefs, reading.scores, calibration, verdict);
  const Tokens& tokens = reading.features.tokens;
  verdict.sentiment = sentiment_of(beliefs, verdict.intent, tokens, post);
  verdict.language = reading.features.language;
  verdict.judge = "fast";
  verdict.model = model_.version();
  verdict.said = said_in(tokens, post, verdict);
  const Questions questions = questions_of(verdict);
  contributions(reading, questions, contributed);
  verdict.reasons.reserve(8);
  explain(questions, tokens.list, post.text, contributed, verdict.reasons);
  return verdict;
}

}  // namespace triage::classify
