// `triaged evaluate`: a judge against labels, beside always saying the commonest label; or two judges side by side.
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "classify/measure.h"

namespace triage::classify {
namespace {

using nlohmann::json;

template <class... Arguments>
void print(std::string& out, const char* format, Arguments... arguments) {
  std::array<char, 256> line;
  std::snprintf(line.data(), line.size(), format, arguments...);
  out += line.data();
}

json interval_json(const Interval& interval) {
  return {interval.low, interval.high};
}

std::string shown(const Interval& interval, const char* format) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, interval.low, interval.high);
  return text.data();
}

json facts(const Measured& m) {
  return {{"judge", m.judge},
          {"model", m.model},
          {"calibration_error", {{"moment", m.moment_error}, {"actionable", m.actionable_error}}},
          {"microseconds", {{"mean", m.mean_micros}, {"p99", m.p99_micros}}}};
}

// What the difference says, given where 95 % of the resamples have it.
const char* verdict_of(const Interval& difference) {
  if (difference.low > 0) return "better";
  if (difference.high < 0) return "worse";
  return "no difference seen";
}

}  // namespace

std::string evaluate(const Classifier& judge, const std::vector<LabelledPost>& posts, json* result) {
  const Measured m = measure(judge, posts);
  const auto draws = resampled(m);
  std::string out;
  json tables = json::object();
  print(out, "%zu posts, judge %s, model %s\n\n", m.posts, m.judge.c_str(), m.model.c_str());
  print(out, "%-14s %-9s %7s %15s %10s %9s %7s\n", "label", "measure", "score", "95 % interval", "commonest",
        "accuracy", "posts");
  for (std::size_t c = 0; c < m.columns.size(); ++c) {
    const Column& column = m.columns[c];
    const Interval interval = interval_of(draws[c]);
    const double commonest = column.commonest().score();
    print(out, "%-14s %-9s %7.3f %15s %10.3f %9.3f %7zu\n", column.name.c_str(), column.measure(), column.score(),
          shown(interval, "%.3f to %.3f").c_str(), commonest, column.accuracy(), column.pairs.size());
    json values = json::object();
    for (const auto& [value, count] : column.counts()) {
      values[column.values[value]] = {
          {"precision", count.precision()}, {"recall", count.recall()}, {"f1", count.f1()}, {"posts", count.there}};
    }
    tables[column.name] = {{"measure", column.measure()},
                           {"score", column.score()},
                           {"interval", interval_json(interval)},
                           {"commonest", commonest},
                           {"accuracy", column.accuracy()},
                           {"posts", column.pairs.size()},
                           {"values", values}};
  }
  print(out, "\ncalibration error: moment %.3f, actionable %.3f\n", m.moment_error, m.actionable_error);
  const double quiet = m.neither == 0 ? 0 : static_cast<double>(m.neither_quiet) / static_cast<double>(m.neither);
  if (m.neither > 0) {
    print(out, "posts about no experience: %zu, of them not actionable or with confidence <= 0.6: %.3f\n", m.neither,
          quiet);
  }
  print(out, "microseconds a post: mean %.1f, p99 %.1f\n", m.mean_micros, m.p99_micros);
  print(out, "\n%-14s %-16s %9s %7s %7s %7s\n", "label", "value", "precision", "recall", "F1", "posts");
  for (const Column& column : m.columns) {
    for (const auto& [value, count] : column.counts()) {
      print(out, "%-14s %-16s %9.3f %7.3f %7.3f %7zu\n", column.name.c_str(), column.values[value].c_str(),
            count.precision(), count.recall(), count.f1(), count.there);
    }
  }
  if (result != nullptr) {
    *result = facts(m);
    (*result)["posts"] = m.posts;
    (*result)["labels"] = tables;
    if (m.neither > 0) (*result)["about_no_experience"] = {{"posts", m.neither}, {"quiet", quiet}};
  }
  return out;
}

std::string compare(const Classifier& a, const Classifier& b, const std::vector<LabelledPost>& posts, json* result) {
  const Measured first = measure(a, posts), second = measure(b, posts);
  const auto first_draws = resampled(first), second_draws = resampled(second);
  std::string out;
  json tables = json::object();
  print(out, "%zu posts\n", posts.size());
  print(out, "A: judge %s, model %s\n", first.judge.c_str(), first.model.c_str());
  print(out, "B: judge %s, model %s\n\n", second.judge.c_str(), second.model.c_str());
  print(out, "%-14s %-9s %7s %15s %7s %15s %7s %17s  %s\n", "label", "measure", "A", "95 % interval", "B",
        "95 % interval", "B - A", "95 % interval", "B is");
  for (std::size_t c = 0; c < first.columns.size(); ++c) {
    const Column& column = first.columns[c];
    std::vector<double> gains(first_draws[c].size());
    for (std::size_t i = 0; i < gains.size(); ++i) gains[i] = second_draws[c][i] - first_draws[c][i];
    const Interval of_a = interval_of(first_draws[c]), of_b = interval_of(second_draws[c]), gain = interval_of(gains);
    const double score_a = column.score(), score_b = second.columns[c].score();
    print(out, "%-14s %-9s %7.3f %15s %7.3f %15s %+7.3f %17s  %s\n", column.name.c_str(), column.measure(), score_a,
          shown(of_a, "%.3f to %.3f").c_str(), score_b, shown(of_b, "%.3f to %.3f").c_str(), score_b - score_a,
          shown(gain, "%+.3f to %+.3f").c_str(), verdict_of(gain));
    tables[column.name] = {{"measure", column.measure()},
                           {"posts", column.pairs.size()},
                           {"a", {{"score", score_a}, {"interval", interval_json(of_a)}}},
                           {"b", {{"score", score_b}, {"interval", interval_json(of_b)}}},
                           {"difference", {{"score", score_b - score_a}, {"interval", interval_json(gain)}}},
                           {"b_is", verdict_of(gain)}};
  }
  print(out, "\ncalibration error: moment A %.3f, B %.3f; actionable A %.3f, B %.3f\n", first.moment_error,
        second.moment_error, first.actionable_error, second.actionable_error);
  print(out, "microseconds a post, mean: A %.1f, B %.1f\n", first.mean_micros, second.mean_micros);
  if (result != nullptr) {
    *result = {{"posts", posts.size()}, {"a", facts(first)}, {"b", facts(second)}, {"labels", tables}};
  }
  return out;
}

}  // namespace triage::classify
