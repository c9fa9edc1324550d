// A judge's answers beside the labels, the scores that follow, and how sure these are. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "triage/classify/training.h"

namespace triage::classify {

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

  struct Pair {
    std::uint32_t post;  // its place among the posts that were measured
    std::uint8_t truth, answer;
  };
  std::vector<Pair> pairs;

  // With `times`, each post counts so many times instead of once.
  std::map<std::size_t, Counts> counts(const std::vector<std::uint16_t>* times = nullptr) const;
  double score(const std::vector<std::uint16_t>* times = nullptr) const;
  double accuracy() const;
  Column commonest() const;  // always the commonest value
  const char* measure() const { return positive ? "F1" : "macro-F1"; }
};

struct Measured {
  std::string judge, model;
  std::size_t posts = 0;
  std::vector<Column> columns;                    // those for which there are labels
  double moment_error = 0, actionable_error = 0;  // expected calibration errors
  std::size_t neither = 0, neither_quiet = 0;     // posts about no experience; of them not actionable, or little sure
  double mean_micros = 0, p99_micros = 0;
};

Measured measure(const Classifier& judge, const std::vector<LabelledPost>& posts);

// The 2.5th and 97.5th of a hundred.
struct Interval {
  double low = 0, high = 0;
};

// The score of each column on a thousand draws of as many posts from the posts, with putting back: draws[column][draw].
// The draws depend on nothing but the number of posts, so two judges' are of the same posts.
std::vector<std::vector<double>> resampled(const Measured& measured);
Interval interval_of(std::vector<double> scores);

}  // namespace triage::classify
