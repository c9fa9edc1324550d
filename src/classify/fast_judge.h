// The fast judge: features, one pass over the weights, calibrated answers, and the words that spoke for them.
#pragma once

#include "classify/model.h"
#include "classify/reasons.h"
#include "triage/classify/classifier.h"

namespace triage::classify {

// What the model believes, before it is put into the words of a verdict. All are probabilities.
struct Beliefs {
  double in_the_moment = 0, after_the_fact = 0, neither = 1;  // sum to 1
  double actionable = 0;
  std::array<double, 3> urgency{};  // at least 1, at least 2, 3; never rising
  std::array<double, 5> intent{};
  std::array<double, 10> topic{};
};

Beliefs beliefs_of(const Row& scores, const Calibration& calibration);

// 0 to 100 in the bands of priority_of: crossing a threshold crosses its band's edge, and within a band the post stands
// higher the nearer it is to the next.
double urgency_points(const std::array<double, 3>& at_least, const std::array<double, 3>& thresholds);

// The answers of a verdict, without its reasons, language and sentiment.
void answer(const Beliefs& beliefs, const Row& scores, const Calibration& calibration, Verdict& verdict);

// A platform's review looks back, whatever its text.
void look_back_at_reviews(const Post& post, Row& scores);

// Praise of trouble is a complaint.
void hear_irony(const Tokens& tokens, Row& scores);

// -1 to 1: what the customer feels, from the intent and the words' own tone. Words of praise in a complaint are irony
// or courtesy and do not count.
double sentiment_of(const Beliefs& beliefs, Intent intent, const Tokens& tokens, const Post& post);

class FastJudge : public Classifier {
 public:
  explicit FastJudge(Model model) : model_(std::move(model)) {}

  Verdict judge(const Post& post, Time now) const override;
  std::string_view judge_name() const override { return "fast"; }
  std::string_view model_version() const override { return model_.version(); }

  Beliefs beliefs(const Post& post) const;
  Row scores(const Post& post) const;  // before calibration

  // The same step by step, for a judge that builds on this one. A reading is memory to be used again.
  struct Reading {
    Features features;
    std::vector<const Weights*> found;  // of this judge's model
    Row scores{};
  };
  void read(const Post& post, Reading& reading) const;
  void contributions(const Reading& reading, const Questions& questions, Contributions& out) const;

  const Model& model() const { return model_; }

 private:
  const Calibration& calibration_for(const Features& features) const;
  Verdict unread(const Post& post, const Features& features) const;
  Model model_;
};

}  // namespace triage::classify
