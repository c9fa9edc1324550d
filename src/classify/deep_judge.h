// The deep judge: an encoder's reading of the post, averaged with the fast judge's, answered by the same rules. Its
// reasons are its own: each word's part of the sentence is left out in turn and what the answers lose is measured, and
// what the fast judge's features added counts with its share of the average.
#pragma once

#include <memory>

#include "classify/deep_model.h"
#include "classify/fast_judge.h"

namespace triage::classify {

class DeepJudge : public Classifier {
 public:
  DeepJudge(DeepModel model, std::shared_ptr<const FastJudge> fast);

  // About a millisecond for a post of usual length, a few for the longest. A post in which there is nothing to read (no
  // text, links only) gets the fast judge's answers; a post in another language than English is the fast judge's.
  Verdict judge(const Post& post, Time now) const override;
  std::string_view judge_name() const override { return "deep"; }
  // The model's; where the fast judge is not the one that it was blended with, with that one's behind a '+'.
  std::string_view model_version() const override { return version_; }

  const DeepModel& model() const { return model_; }

  // The encoder's scores alone, before blending and calibration; false where there is nothing to read, or
  // nothing in English. For tests.
  bool scores(const Post& post, Row& row) const;

  // What the head reads of a post, model().encoder.width() numbers, and what is added to its outputs by hand; false
  // where there is nothing to read. For training.
  bool sentence(const Post& post, float* vector, Row& by_hand) const;

  // Which instructions do the sums; all give the same verdicts. For tests and measurements, before any judging.
  void use(Kernel kernel) { model_.encoder.use(kernel); }

 private:
  struct Memory;
  static Memory& memory();
  bool read(const Post& post, Memory& memory) const;
  void add_contributions(const Questions& questions, Memory& memory) const;

  DeepModel model_;
  std::shared_ptr<const FastJudge> fast_;
  std::string version_;
};

}  // namespace triage::classify
