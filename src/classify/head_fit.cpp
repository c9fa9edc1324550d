#include "classify/head_fit.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <thread>

namespace triage::classify {
namespace {

constexpr std::size_t kChunks = 32;  // sums of so many parts are added in one order, whoever made them
constexpr std::size_t kMemory = 10;  // of steps, for the curvature
constexpr int kMostSteps = 200;
constexpr double kWorthwhile = 1e-4;  // of all that was gained: a step that gains less is the last
constexpr double kEnough = 1e-4;      // of the gradient at the start

double log_of(float p) {
  return std::log(std::max(static_cast<double>(p), 1e-12));
}

// The log loss of one output or softmax, weighted.
double loss_of(const Row& p, const HeadExample& example) {
  double loss = 0;
  const auto softmax_head = [&](Head head) {
    if (example.weight[head.first] == 0) return;
    double sum = 0;
    for (std::size_t k = 0; k < head.count; ++k) sum -= example.target[head.first + k] * log_of(p[head.first + k]);
    loss += sum * example.weight[head.first];
  };
  softmax_head(kMoment);
  softmax_head(kIntent);
  softmax_head(kTopic);
  for (std::size_t k = kActionable.first; k < kUrgency.first + kUrgency.count; ++k) {
    if (example.weight[k] == 0) continue;
    const double t = example.target[k];
    loss -= (t * log_of(p[k]) + (1 - t) * log_of(1 - p[k])) * example.weight[k];
  }
  return loss;
}

// All numbers of a layer, the bias last.
using Point = std::vector<Row>;

double dot(const Point& a, const Point& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < kWidth; ++k) sum += static_cast<double>(a[i][k]) * b[i][k];
  }
  return sum;
}

// to += by · what
void add(Point& to, double by, const Point& what) {
  const auto factor = static_cast<float>(by);
  for (std::size_t i = 0; i < to.size(); ++i) {
    for (std::size_t k = 0; k < kWidth; ++k) to[i][k] += factor * what[i][k];
  }
}

class Objective {
 public:
  Objective(const Point& start, const std::vector<float>& vectors, const std::vector<HeadExample>& examples,
            double hold)
      : start_(start), vectors_(vectors), examples_(examples), hold_(hold), parts_(kChunks) {}

  double at(const Point& point, Point& gradient) {
    std::atomic<std::size_t> next{0};
    {
      std::vector<std::jthread> threads;
      const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
      for (unsigned t = 0; t < count; ++t) {
        threads.emplace_back([&] {
          for (std::size_t c = next++; c < kChunks; c = next++) sum_chunk(c, point);
        });
      }
    }
    double loss = 0;
    gradient.assign(point.size(), Row{});
    for (const Part& part : parts_) {
      loss += part.loss;
      add(gradient, 1, part.gradient);
    }
    Point away = point;
    add(away, -1, start_);
    add(gradient, hold_, away);
    return loss + hold_ / 2 * dot(away, away);
  }

 private:
  struct Part {
    double loss = 0;
    Point gradient;
  };

  void sum_chunk(std::size_t chunk, const Point& point) {
    Part& part = parts_[chunk];
    part.loss = 0;
    part.gradient.assign(point.size(), Row{});
    const std::size_t width = point.size() - 1;
    const std::size_t stop = examples_.size() * (chunk + 1) / kChunks;
    for (std::size_t i = examples_.size() * chunk / kChunks; i < stop; ++i) {
      const HeadExample& example = examples_[i];
      const float* vector = vectors_.data() + i * width;
      Row p = point[width];
      for (std::size_t j = 0; j < width; ++j) {
        for (std::size_t k = 0; k < kWidth; ++k) p[k] += vector[j] * point[j][k];
      }
      for (std::size_t k = 0; k < kWidth; ++k) p[k] += example.offset[k];
      to_probabilities(p);
      part.loss += loss_of(p, example);
      Row slope{};
      for (std::size_t k = 0; k < kOutputs; ++k) slope[k] = (p[k] - example.target[k]) * example.weight[k];
      for (std::size_t j = 0; j < width; ++j) {
        for (std::size_t k = 0; k < kWidth; ++k) part.gradient[j][k] += vector[j] * slope[k];
      }
      for (std::size_t k = 0; k < kWidth; ++k) part.gradient[width][k] += slope[k];
    }
  }

  const Point& start_;
  const std::vector<float>& vectors_;
  const std::vector<HeadExample>& examples_;
  double hold_;
  std::vector<Part> parts_;
};

// Where L-BFGS would go from a gradient: the two-loop recursion over the latest steps.
struct Curvature {
  struct Pair {
    Point step, change;  // of the point, of the gradient
    double product = 0;
  };
  std::vector<Pair> pairs;

  Point direction(const Point& gradient) const {
    Point d = gradient;
    std::vector<double> alpha(pairs.size());
    for (std::size_t i = pairs.size(); i-- > 0;) {
      alpha[i] = dot(pairs[i].step, d) / pairs[i].product;
      add(d, -alpha[i], pairs[i].change);
    }
    if (!pairs.empty()) {
      const Pair& last = pairs.back();
      const auto scale = static_cast<float>(last.product / dot(last.change, last.change));
      for (Row& row : d) {
        for (float& value : row) value *= scale;
      }
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double beta = dot(pairs[i].change, d) / pairs[i].product;
      add(d, alpha[i] - beta, pairs[i].step);
    }
    for (Row& row : d) {
      for (float& value : row) value = -value;
    }
    return d;
  }

  void learn(Point step, Point change) {
    const double product = dot(step, change);
    if (!(product > 1e-12)) return;
    if (pairs.size() == kMemory) pairs.erase(pairs.begin());
    pairs.push_back({std::move(step), std::move(change), product});
  }
};

}  // namespace

Row outputs_of(const HeadLayer& layer, const float* vector) {
  Row row = layer.bias;
  for (std::size_t j = 0; j < layer.weights.size(); ++j) {
    for (std::size_t k = 0; k < kWidth; ++k) row[k] += vector[j] * layer.weights[j][k];
  }
  return row;
}

void to_probabilities(Row& z) {
  const auto softmax_head = [&](Head head) {
    float most = z[head.first];
    for (std::size_t k = 1; k < head.count; ++k) most = std::max(most, z[head.first + k]);
    float sum = 0;
    for (std::size_t k = 0; k < head.count; ++k) sum += z[head.first + k] = std::exp(z[head.first + k] - most);
    for (std::size_t k = 0; k < head.count; ++k) z[head.first + k] /= sum;
  };
  softmax_head(kMoment);
  softmax_head(kIntent);
  softmax_head(kTopic);
  for (std::size_t k = kActionable.first; k < kUrgency.first + kUrgency.count; ++k) z[k] = 1 / (1 + std::exp(-z[k]));
  z[22] = z[23] = 0;
}

HeadLayer fit_head(const HeadLayer& start, const std::vector<float>& vectors, const std::vector<HeadExample>& examples,
                   double hold, const std::function<void(std::string_view)>& progress) {
  Point first = start.weights;
  first.push_back(start.bias);
  Objective objective(first, vectors, examples, hold);
  Point point = first, gradient;
  double value = objective.at(point, gradient);
  const double first_value = value;
  const double least = kEnough * std::sqrt(dot(gradient, gradient));
  Curvature curvature;
  int step = 0;
  for (; step < kMostSteps && std::sqrt(dot(gradient, gradient)) > least; ++step) {
    const Point direction = curvature.direction(gradient);
    const double slope = dot(direction, gradient);
    if (!(slope < 0)) break;
    // The first direction is the bare gradient, of no known scale.
    double length = curvature.pairs.empty() ? std::min(1.0, 1 / std::sqrt(dot(gradient, gradient))) : 1;
    Point next, next_gradient;
    double next_value = value;
    bool lower = false;
    for (int half = 0; half < 30 && !lower; ++half, length /= 2) {
      next = point;
      add(next, length, direction);
      next_value = objective.at(next, next_gradient);
      lower = next_value <= value + 1e-4 * length * slope;
    }
    if (!lower) break;  // as exact as floats are
    Point moved = next, change = next_gradient;
    add(moved, -1, point);
    add(change, -1, gradient);
    curvature.learn(std::move(moved), std::move(change));
    point = std::move(next);
    gradient = std::move(next_gradient);
    const double gained = value - next_value;
    value = next_value;
    if (gained < kWorthwhile * (first_value - value)) break;
  }
  if (progress) progress("fitted in " + std::to_string(step) + " steps");
  HeadLayer layer;
  layer.bias = point.back();
  point.pop_back();
  layer.weights = std::move(point);
  return layer;
}

}  // namespace triage::classify
