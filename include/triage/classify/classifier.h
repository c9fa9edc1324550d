// The judge: what a post says about its moment, urgency and the rest. Pure: no clock, no I/O, no SQL after loading.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "triage/model/error.h"
#include "triage/model/post.h"
#include "triage/model/verdict.h"

namespace triage::classify {

class Classifier {
 public:
  virtual ~Classifier() = default;

  // Judges the post by itself: every field of the verdict is set, urgency equals text_urgency, at most six reasons for
  // each label. Any bytes are judged, in time linear to at most the first 16 KiB of text. Same post, same `now`, same
  // model: same verdict. Thread-safe, allocates little.
  virtual Verdict judge(const Post& post, Time now) const = 0;

  // "fast" or "deep". A verdict names the judge that gave it: of a post in another language than English that is the
  // fast one, also where the deep one was asked.
  virtual std::string_view judge_name() const = 0;
  virtual std::string_view model_version() const = 0;  // "2026.11.1"
};

// A trained model from its file, or from the bytes built into the binary. The error says what of the file is wrong.
Result<std::shared_ptr<const Classifier>> load_model(const std::filesystem::path& file);
Result<std::shared_ptr<const Classifier>> shipped_model();

// The deep judge: better, and about a hundred times slower than `fast`, whose scores it averages its own with. `fast`
// is a judge of the two functions above. One thread at a time works on a post; many threads may judge.
Result<std::shared_ptr<const Classifier>> load_deep_model(const std::filesystem::path& file,
                                                          const std::shared_ptr<const Classifier>& fast);
// Whether a deep judge may say more of a post than the fast one did in `verdict`: it reads English, and text that is in
// no known language.
bool deep_may_differ(const Verdict& verdict);

// not_found where this build has none.
Result<std::shared_ptr<const Classifier>> shipped_deep_model(const std::shared_ptr<const Classifier>& fast);

// How much each fact beside the text may add to urgency, in points of 100. 0 switches it off.
struct FactorWeights {
  double reach = 10;         // a hundred thousand followers or more; half of it from ten thousand
  double failed_before = 8;  // earlier cases, or came back after a resolution
  double repeated = 6;       // further posts in the same case that nobody answered
  double waiting = 6;        // unanswered for hours, full after four
  double low_rating = 4;     // one star of five
  double crowd = 8;          // five other customers at the same site; each is a fifth of it

  // What the text itself says. The judge has learnt from such words already what they are worth, so these are small:
  // for a brand to raise.
  double how_long = 3;    // it goes on for so long, by the text or since the case began; full after eight hours
  double vulnerable = 4;  // a child, an old or ill person
  double danger = 4;
};

// Adds the facts beside the text to `verdict`: urgency, priority, and a reason for each fact that counted. Facts raise
// only posts that are actionable, and never by more than one band above the text's; by two where the customer is in the
// moment and danger or a vulnerable person counts. Pure.
Verdict weigh(Verdict verdict, const Post& post, const Context& context, const FactorWeights& weights);

}  // namespace triage::classify
