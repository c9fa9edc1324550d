#include "classify/measure.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "classify/random.h"

namespace triage::classify {
namespace {

constexpr std::size_t kDraws = 1000;
constexpr std::uint64_t kSeed = 1;

// Expected calibration error over ten equal bins of confidence.
double calibration_error(const std::vector<std::pair<double, bool>>& answers) {
  std::array<double, 10> confidence{}, right{}, n{};
  for (const auto& [p, correct] : answers) {
    const auto bin = static_cast<std::size_t>(std::clamp(std::floor(p * 10), 0.0, 9.0));
    confidence[bin] += p;
    right[bin] += correct;
    ++n[bin];
  }
  double error = 0;
  for (std::size_t i = 0; i < 10; ++i) error += std::abs(confidence[i] - right[i]);
  return answers.empty() ? 0 : error / static_cast<double>(answers.size());
}

}  // namespace

std::map<std::size_t, Counts> Column::counts(const std::vector<std::uint16_t>* times) const {
  std::array<Counts, 16> all{};
  for (const Pair& pair : pairs) {
    const std::size_t n = times == nullptr ? 1 : (*times)[pair.post];
    all[pair.truth].there += n;
    all[pair.answer].said += n;
    if (pair.truth == pair.answer) all[pair.truth].right += n;
  }
  std::map<std::size_t, Counts> out;
  for (std::size_t value = 0; value < all.size(); ++value) {
    if (all[value].there + all[value].said > 0) out[value] = all[value];
  }
  return out;
}

double Column::score(const std::vector<std::uint16_t>* times) const {
  double sum = 0;
  std::size_t n = 0;
  for (const auto& [value, count] : counts(times)) {
    if (positive && values[value] == *positive) return count.f1();
    sum += count.f1();
    ++n;
  }
  return positive || n == 0 ? 0 : sum / static_cast<double>(n);
}

double Column::accuracy() const {
  const auto right = std::count_if(pairs.begin(), pairs.end(), [](const Pair& p) { return p.truth == p.answer; });
  return pairs.empty() ? 0 : static_cast<double>(right) / static_cast<double>(pairs.size());
}

Column Column::commonest() const {
  std::array<std::size_t, 16> count{};
  for (const Pair& pair : pairs) ++count[pair.truth];
  const auto best = static_cast<std::uint8_t>(std::max_element(count.begin(), count.end()) - count.begin());
  Column out = *this;
  for (Pair& pair : out.pairs) pair.answer = best;
  return out;
}

Measured measure(const Classifier& judge, const std::vector<LabelledPost>& posts) {
  Column moment{"moment", {"in_the_moment", "after_the_fact"}, std::nullopt, {}};
  Column actionable{"actionable", {"0", "1"}, "1", {}};
  Column urgent{"urgency >= 2", {"0", "1"}, "1", {}};
  Column critical{"urgency = 3", {"0", "1"}, "1", {}};
  Column urgency{"urgency", {"0", "1", "2", "3"}, std::nullopt, {}};
  Column intent{"intent", {"complaint", "request", "question", "praise", "other"}, std::nullopt, {}};
  Column topic{"topic",
               {"delay", "queue", "staff", "product", "outage", "delivery", "billing", "booking", "safety", "other"},
               std::nullopt,
               {}};
  std::vector<std::pair<double, bool>> moment_answers, actionable_answers;
  Measured out;
  out.judge = judge.judge_name();
  out.model = judge.model_version();
  out.posts = posts.size();
  std::vector<double> micros;
  micros.reserve(posts.size());

  for (std::size_t i = 0; i < posts.size(); ++i) {
    const LabelledPost& labelled = posts[i];
    const auto start = std::chrono::steady_clock::now();
    const Verdict verdict = judge.judge(labelled.post, labelled.post.created_at);
    micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    const auto add = [&](Column& column, auto truth, auto answer) {
      column.pairs.push_back(
          {static_cast<std::uint32_t>(i), static_cast<std::uint8_t>(truth), static_cast<std::uint8_t>(answer)});
    };
    if (labelled.moment) {
      if (*labelled.moment == "neither") {
        ++out.neither;
        out.neither_quiet += !verdict.actionable || verdict.moment_confidence <= 0.6;
      } else {
        const Moment truth = *labelled.moment == "in_the_moment" ? Moment::in_the_moment : Moment::after_the_fact;
        add(moment, truth, verdict.moment);
        moment_answers.emplace_back(verdict.moment_confidence, truth == verdict.moment);
      }
    }
    if (labelled.actionable) {
      add(actionable, *labelled.actionable, verdict.actionable);
      actionable_answers.emplace_back(verdict.actionable_confidence, *labelled.actionable == verdict.actionable);
    }
    if (labelled.urgency) {
      const auto band = static_cast<int>(priority_of(verdict.text_urgency));
      add(urgency, *labelled.urgency, band);
      add(urgent, *labelled.urgency >= 2, band >= 2);
      add(critical, *labelled.urgency == 3, band == 3);
    }
    if (labelled.intent) add(intent, *labelled.intent, verdict.intent);
    if (labelled.topic) add(topic, *labelled.topic, verdict.topic);
  }
  for (Column* column : {&moment, &actionable, &urgent, &critical, &urgency, &intent, &topic}) {
    if (!column->pairs.empty()) out.columns.push_back(std::move(*column));
  }
  out.moment_error = calibration_error(moment_answers);
  out.actionable_error = calibration_error(actionable_answers);
  for (const double m : micros) out.mean_micros += m / static_cast<double>(micros.size());
  std::sort(micros.begin(), micros.end());
  if (!micros.empty()) out.p99_micros = micros[micros.size() * 99 / 100];
  return out;
}

std::vector<std::vector<double>> resampled(const Measured& measured) {
  std::vector<std::vector<double>> scores(measured.columns.size(), std::vector<double>(kDraws));
  Random random(kSeed);
  std::vector<std::uint16_t> times(measured.posts);
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    std::fill(times.begin(), times.end(), std::uint16_t{0});
    for (std::size_t i = 0; i < times.size(); ++i) ++times[random.below(times.size())];
    for (std::size_t c = 0; c < scores.size(); ++c) scores[c][draw] = measured.columns[c].score(&times);
  }
  return scores;
}

Interval interval_of(std::vector<double> scores) {
  if (scores.empty()) return {};
  std::sort(scores.begin(), scores.end());
  const auto at = [&](double share) {
    return scores[static_cast<std::size_t>(std::lround(share * static_cast<double>(scores.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

}  // namespace triage::classify
