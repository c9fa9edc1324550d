// `triaged evaluate`: a judge against labels, beside always saying the commonest label.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "triage/classify/training.h"

namespace triage::classify {
namespace {

using nlohmann::json;

struct Counts {
  std::size_t right = 0, said = 0, there = 0;  // true positives, predictions, labels

  double precision() const { return said == 0 ? 0 : static_cast<double>(right) / static_cast<double>(said); }
  double recall() const { return there == 0 ? 0 : static_cast<double>(right) / static_cast<double>(there); }
  double f1() const {
    return said + there == 0 ? 0 : 2 * static_cast<double>(right) / static_cast<double>(said + there);
  }
};

// One label: what was so, and what the judge said.
struct Column {
  std::string name;
  std::vector<std::string> values;      // in the order of the table
  std::optional<std::string> positive;  // F1 of this value is the measure; else the mean F1 of all values
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  // truth, answer

  std::map<std::size_t, Counts> counts() const {
    std::map<std::size_t, Counts> out;
    for (const auto& [truth, answer] : pairs) {
      ++out[truth].there;
      ++out[answer].said;
      if (truth == answer) ++out[truth].right;
    }
    return out;
  }

  double measure() const {
    const std::map<std::size_t, Counts> all = counts();
    double sum = 0;
    std::size_t n = 0;
    for (const auto& [value, count] : all) {
      if (positive && values[value] == *positive) return count.f1();
      sum += count.f1();
      ++n;
    }
    return positive || n == 0 ? 0 : sum / static_cast<double>(n);
  }

  double accuracy() const {
    const auto right = std::count_if(pairs.begin(), pairs.end(), [](const auto& p) { return p.first == p.second; });
    return pairs.empty() ? 0 : static_cast<double>(right) / static_cast<double>(pairs.size());
  }

  Column commonest() const {
    std::map<std::size_t, std::size_t> count;
    for (const auto& pair : pairs) ++count[pair.first];
    std::size_t best = 0, most = 0;
    for (const auto& [value, n] : count) {
      if (n > most) best = value, most = n;
    }
    Column out = *this;
    for (auto& pair : out.pairs) pair.second = best;
    return out;
  }
};

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

template <class... Arguments>
void print(std::string& out, const char* format, Arguments... arguments) {
  char line[256];
  std::snprintf(line, sizeof line, format, arguments...);
  out += line;
}

}  // namespace

std::string evaluate(const Classifier& judge, const std::vector<LabelledPost>& posts, json* result) {
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
  std::size_t neither = 0, neither_quiet = 0;
  std::vector<double> micros;
  micros.reserve(posts.size());

  for (const LabelledPost& labelled : posts) {
    const auto start = std::chrono::steady_clock::now();
    const Verdict verdict = judge.judge(labelled.post, labelled.post.created_at);
    micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    if (labelled.moment) {
      if (*labelled.moment == "neither") {
        ++neither;
        neither_quiet += !verdict.actionable || verdict.moment_confidence <= 0.6;
      } else {
        const Moment truth = *labelled.moment == "in_the_moment" ? Moment::in_the_moment : Moment::after_the_fact;
        moment.pairs.emplace_back(static_cast<std::size_t>(truth), static_cast<std::size_t>(verdict.moment));
        moment_answers.emplace_back(verdict.moment_confidence, truth == verdict.moment);
      }
    }
    if (labelled.actionable) {
      actionable.pairs.emplace_back(*labelled.actionable, verdict.actionable);
      actionable_answers.emplace_back(verdict.actionable_confidence, *labelled.actionable == verdict.actionable);
    }
    if (labelled.urgency) {
      const auto band = static_cast<int>(priority_of(verdict.text_urgency));
      urgency.pairs.emplace_back(static_cast<std::size_t>(*labelled.urgency), static_cast<std::size_t>(band));
      urgent.pairs.emplace_back(*labelled.urgency >= 2, band >= 2);
      critical.pairs.emplace_back(*labelled.urgency == 3, band == 3);
    }
    if (labelled.intent)
      intent.pairs.emplace_back(static_cast<std::size_t>(*labelled.intent), static_cast<std::size_t>(verdict.intent));
    if (labelled.topic)
      topic.pairs.emplace_back(static_cast<std::size_t>(*labelled.topic), static_cast<std::size_t>(verdict.topic));
  }
  double mean = 0;
  for (const double m : micros) mean += m / static_cast<double>(micros.size());
  std::sort(micros.begin(), micros.end());
  const double p99 = micros.empty() ? 0 : micros[micros.size() * 99 / 100];

  std::string out;
  json tables = json::object();
  print(out, "%zu posts, judge %s, model %s\n\n", posts.size(), std::string(judge.judge_name()).c_str(),
        std::string(judge.model_version()).c_str());
  print(out, "%-14s %-9s %7s %10s %9s %7s\n", "label", "measure", "score", "commonest", "accuracy", "posts");
  const std::array<const Column*, 7> columns{&moment, &actionable, &urgent, &critical, &urgency, &intent, &topic};
  for (const Column* column : columns) {
    if (column->pairs.empty()) continue;
    const char* measure = column->positive ? "F1" : "macro-F1";
    print(out, "%-14s %-9s %7.3f %10.3f %9.3f %7zu\n", column->name.c_str(), measure, column->measure(),
          column->commonest().measure(), column->accuracy(), column->pairs.size());
    json values = json::object();
    for (const auto& [value, count] : column->counts()) {
      values[column->values[value]] = {
          {"precision", count.precision()}, {"recall", count.recall()}, {"f1", count.f1()}, {"posts", count.there}};
    }
    tables[column->name] = {{"measure", measure},
                            {"score", column->measure()},
                            {"commonest", column->commonest().measure()},
                            {"accuracy", column->accuracy()},
                            {"posts", column->pairs.size()},
                            {"values", values}};
  }
  const double moment_error = calibration_error(moment_answers),
               actionable_error = calibration_error(actionable_answers);
  print(out, "\ncalibration error: moment %.3f, actionable %.3f\n", moment_error, actionable_error);
  if (neither > 0) {
    print(out, "posts about no experience: %zu, of them not actionable or with confidence <= 0.6: %.3f\n", neither,
          static_cast<double>(neither_quiet) / static_cast<double>(neither));
  }
  print(out, "microseconds a post: mean %.1f, p99 %.1f\n", mean, p99);
  print(out, "\n%-14s %-16s %9s %7s %7s %7s\n", "label", "value", "precision", "recall", "F1", "posts");
  for (const Column* column : columns) {
    for (const auto& [value, count] : column->counts()) {
      print(out, "%-14s %-16s %9.3f %7.3f %7.3f %7zu\n", column->name.c_str(), column->values[value].c_str(),
            count.precision(), count.recall(), count.f1(), count.there);
    }
  }
  if (result != nullptr) {
    *result = {{"posts", posts.size()},
               {"judge", judge.judge_name()},
               {"model", judge.model_version()},
               {"labels", tables},
               {"calibration_error", {{"moment", moment_error}, {"actionable", actionable_error}}},
               {"microseconds", {{"mean", mean}, {"p99", p99}}}};
    if (neither > 0) {
      (*result)["about_no_experience"] = {{"posts", neither},
                                          {"quiet", static_cast<double>(neither_quiet) / static_cast<double>(neither)}};
    }
  }
  return out;
}

}  // namespace triage::classify
