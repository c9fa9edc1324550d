// links: triage_classify
// seeds: tests/fixtures/generic/*.json tests/fixtures/x/*.json tests/fixtures/*.txt
//
// Any bytes are judged by both judges, always the same way, and what the verdict promises of its numbers and texts
// holds. So does what the facts beside the text may change.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "check.h"
#include "triage/classify/classifier.h"
#include "triage/model/json.h"

namespace {

using namespace triage;

const classify::Classifier& judge() {
  static const auto model = classify::shipped_model();
  CHECK(model.has_value());
  return **model;
}

// The deep judge, or null where this build has none.
const classify::Classifier* deep_judge() {
  static const auto model = classify::shipped_deep_model(*classify::shipped_model());
  CHECK(model.has_value() || model.error().code == ErrorCode::not_found);
  return model ? model->get() : nullptr;
}

bool within(double value, double least, double most) {
  return value >= least && value <= most;
}

void check_verdict(const Verdict& verdict) {
  CHECK(within(verdict.moment_confidence, 0.5, 1));
  CHECK(within(verdict.actionable_confidence, 0.5, 1));
  CHECK(within(verdict.sentiment, -1, 1));
  CHECK(within(verdict.text_urgency, 0, 100));
  CHECK(within(verdict.urgency, 0, 100));
  CHECK(verdict.priority == priority_of(verdict.urgency));
  for (const auto& reason : verdict.reasons) CHECK(std::isfinite(reason.weight));
}

Verdict judge_twice(const classify::Classifier& judge, const Post& post, Time now) {
  const Verdict verdict = judge.judge(post, now);
  check_verdict(verdict);
  CHECK(verdict.urgency == verdict.text_urgency);
  // The deep judge leaves other languages to the fast one, and says so.
  CHECK(verdict.judge == judge.judge_name() || (verdict.judge == "fast" && verdict.language != "en"));
  std::map<std::string, int> reasons;
  for (const auto& reason : verdict.reasons) CHECK(++reasons[reason.what] <= 6);
  const std::string written = nlohmann::json(verdict).dump();  // throws on what is not UTF-8
  CHECK(nlohmann::json(judge.judge(post, now)).dump() == written);
  return verdict;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte chooses the facts beside the text, the rest is the text.
  const unsigned facts = size > 0 ? data[0] : 0;
  Post post;
  if (size > 1) post.text.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (facts & 1) post.language = post.text.substr(0, 8);
  if (facts & 2) post.rating = 1;
  if (facts & 4) post.author = Author{"1", post.text.substr(0, 16), "", std::int64_t{1} << (facts >> 3), std::nullopt};
  if (facts & 8) post.platform = "x";
  const Time now = from_millis(1'760'000'000'000);
  post.created_at = now;
  post.received_at = now;

  const Verdict verdict = judge_twice(judge(), post, now);
  if (const classify::Classifier* deep = deep_judge()) judge_twice(*deep, post, now);

  Context context;
  context.earlier_cases = facts & 1 ? 3 : 0;
  context.earlier_posts_in_case = static_cast<int>(facts >> 5);
  context.reopened = (facts & 16) != 0;
  if (facts & 32) context.waiting_hours = static_cast<double>(facts);
  const Verdict weighed = classify::weigh(verdict, post, context, {});
  check_verdict(weighed);
  CHECK(weighed.text_urgency == verdict.text_urgency);
  CHECK(weighed.urgency >= verdict.urgency);
  CHECK(verdict.actionable || weighed.urgency == verdict.urgency);
  CHECK(static_cast<int>(weighed.priority) - static_cast<int>(verdict.priority) <= 1);
  CHECK(!nlohmann::json(weighed).dump().empty());
  return 0;
}
