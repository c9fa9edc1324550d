#include "classify/trainer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <thread>
#include <unordered_map>

#include "classify/head_fit.h"
#include "classify/language.h"
#include "classify/random.h"

namespace triage::classify {
namespace {

// One post as the fit sees it.
struct Example {
  std::vector<std::uint32_t> group[kGroups];  // indices of features
  std::array<float, kGroups> norm{};
  Row target{};
  Row weight{};  // of each output: 0 where the label is missing
};

// English is learnt first, from English posts alone; then, with all of that as it is, what other languages need beside
// it. So no verdict of an English post depends on the posts of another language.
struct Prepared {
  std::vector<bool> english;       // of each post: it is read as English
  std::vector<bool> learnt_first;  // of each feature: English posts have it
  std::vector<Example> shown;      // with the fields beside the text
  std::vector<Example> hidden;     // without; empty where no post has any
  std::vector<std::uint32_t> keys;
  std::vector<std::uint8_t> group_of;
  std::vector<std::uint32_t> posts_with;
  std::vector<std::string> words;
};

bool is_english(const Features& features) {
  const Language language = language_of(features.language);
  return language == Language::english || language == Language::other;
}

bool has_fields(const Post& post) {
  return post.kind != PostKind::post || post.rating || !post.media.empty() || !post.in_reply_to.empty();
}

std::vector<std::string> vocabulary_of(const std::vector<LabelledPost>& posts, std::size_t most) {
  std::unordered_map<std::string, std::uint32_t> counts;
  Tokens tokens;
  const Vocabulary none;
  for (const LabelledPost& post : posts) {
    tokenize(post.post.text, none, tokens);
    if (language_of(detect_language(tokens, post.post.text, post.post.language)) != Language::english) continue;
    for (const Token& token : tokens.list) {
      if (token.kind != TokenKind::word || (token.flags & kHashtag) != 0) continue;
      const std::string_view form = tokens.form(token);
      if (form.size() < 2 || form.size() > Vocabulary::kLongestWord || form[0] == '#') continue;
      if (!std::all_of(form.begin(), form.end(), [](char c) { return c >= 'a' && c <= 'z'; })) continue;
      ++counts[std::string(form)];
    }
  }
  std::vector<std::pair<std::uint32_t, std::string>> ranked;
  for (auto& [word, count] : counts) {
    if (count >= 3) ranked.emplace_back(count, word);
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  ranked.resize(std::min(ranked.size(), most));
  std::vector<std::string> words;
  for (auto& [count, word] : ranked) words.push_back(std::move(word));
  return words;
}

Prepared prepare(const std::vector<LabelledPost>& posts, const Settings& settings) {
  Prepared data;
  data.words = vocabulary_of(posts, settings.most_words);
  const Vocabulary vocabulary(data.words);
  const bool any_fields =
      std::any_of(posts.begin(), posts.end(), [](const LabelledPost& p) { return has_fields(p.post); });

  // First which features there are, and in how many posts.
  struct Seen {
    std::array<std::uint32_t, 2> posts{};  // in other languages, in English
    std::uint32_t last = 0xFFFFFFFF;
    std::uint8_t group = 0;
  };
  std::unordered_map<std::uint32_t, Seen> seen;
  seen.reserve(posts.size() * 60);
  Features features;
  for (std::uint32_t i = 0; i < posts.size(); ++i) {
    extract(posts[i].post, vocabulary, Fields::shown, features);
    const bool english = is_english(features);
    data.english.push_back(english);
    for (std::uint8_t g = 0; g < kGroups; ++g) {
      for (const Feature& feature : features.group[g]) {
        if (feature.key == 0) continue;
        Seen& entry = seen[feature.key];
        if (entry.last == i) continue;
        entry.last = i;
        entry.group = g;
        ++entry.posts[english ? 1 : 0];
      }
    }
  }
  for (const auto& [key, entry] : seen) {
    if (std::max(entry.posts[0], entry.posts[1]) >= settings.least_posts) data.keys.push_back(key);
  }
  std::sort(data.keys.begin(), data.keys.end());
  std::unordered_map<std::uint32_t, std::uint32_t> index;
  index.reserve(data.keys.size());
  for (std::uint32_t i = 0; i < data.keys.size(); ++i) {
    index.emplace(data.keys[i], i);
    const Seen& entry = seen[data.keys[i]];
    data.group_of.push_back(entry.group);
    data.learnt_first.push_back(entry.posts[1] >= settings.least_posts);
    data.posts_with.push_back(entry.posts[data.learnt_first.back() ? 1 : 0]);
  }

  const auto examples = [&](Fields fields) {
    std::vector<Example> out(posts.size());
    for (std::size_t i = 0; i < posts.size(); ++i) {
      extract(posts[i].post, vocabulary, fields, features);
      for (std::size_t g = 0; g < kGroups; ++g) {
        for (const Feature& feature : features.group[g]) {
          const auto it = index.find(feature.key);
          if (it == index.end() || (data.english[i] && !data.learnt_first[it->second])) continue;
          out[i].group[g].push_back(it->second);
        }
        const std::size_t all = features.size[g];
        out[i].norm[g] =
            all == 0 ? 0.0F : static_cast<float>(settings.group_weight[g] / std::sqrt(static_cast<double>(all)));
      }
      soft_targets(posts[i], out[i].target, out[i].weight);
    }
    return out;
  };
  data.shown = examples(Fields::shown);
  if (any_fields) data.hidden = examples(Fields::hidden);
  return data;
}

// Class weights, frequency to the minus power, with a mean of one over the posts.
void weigh_classes(const std::vector<Example>& examples, const std::vector<std::uint32_t>& use, double power,
                   std::vector<Row>& weights) {
  weights.assign(examples.size(), Row{});
  const auto softmax_head = [&](Head head) {
    std::array<double, 16> count{};
    double all = 0;
    for (const std::uint32_t i : use) {
      for (std::size_t k = 0; k < head.count; ++k) count[k] += examples[i].target[head.first + k];
    }
    for (std::size_t k = 0; k < head.count; ++k) all += count[k];
    if (all <= 0) return;  // nobody gave this label
    std::array<double, 16> of_class{};
    double mean = 0;
    for (std::size_t k = 0; k < head.count; ++k) {
      of_class[k] = count[k] > 0 ? std::pow(count[k] / all, -power) : 0;
      mean += of_class[k] * count[k] / all;
    }
    for (const std::uint32_t i : use) {
      double w = 0;
      for (std::size_t k = 0; k < head.count; ++k) w += examples[i].target[head.first + k] * of_class[k] / mean;
      for (std::size_t k = 0; k < head.count; ++k)
        weights[i][head.first + k] = static_cast<float>(w) * examples[i].weight[head.first + k];
    }
  };
  const auto logistic = [&](std::size_t k) {
    double yes = 0, all = 0;
    for (const std::uint32_t i : use) {
      yes += examples[i].target[k];
      all += examples[i].weight[k];
    }
    const double share = all > 0 ? std::clamp(yes / all, 1e-6, 1 - 1e-6) : 0.5;
    const double of_yes = std::pow(share, -power), of_no = std::pow(1 - share, -power);
    const double mean = share * of_yes + (1 - share) * of_no;
    for (const std::uint32_t i : use) {
      const double t = examples[i].target[k];
      weights[i][k] = static_cast<float>((t * of_yes + (1 - t) * of_no) / mean) * examples[i].weight[k];
    }
  };
  softmax_head(kMoment);
  softmax_head(kIntent);
  softmax_head(kTopic);
  logistic(kActionable.first);
  for (std::size_t k = 0; k < kUrgency.count; ++k) logistic(kUrgency.first + k);
}

struct Fitted {
  std::vector<Row> weights;
  Row bias{};

  Row score(const Example& example) const {
    Row z = bias;
    for (std::size_t g = 0; g < kGroups; ++g) {
      Row sum{};
      for (const std::uint32_t f : example.group[g]) {
        for (std::size_t k = 0; k < kWidth; ++k) sum[k] += weights[f][k];
      }
      for (std::size_t k = 0; k < kWidth; ++k) z[k] += sum[k] * example.norm[g];
    }
    return z;
  }
};

// AdaGrad over single posts, features dropped at random, the weights averaged over the later half. From `fitted`, the
// weights of features that are learnt first are only used.
void fit_on(const Prepared& data, const std::vector<std::uint32_t>& use, bool english, const Settings& settings,
            std::uint64_t stream, Fitted& fitted) {
  const std::size_t count = data.keys.size();
  std::vector<Row> squares(count);
  for (Row& row : squares) row.fill(1e-4F);
  Row bias_squares{};
  bias_squares.fill(1);
  std::vector<Row> weights_of;
  weigh_classes(data.shown, use, settings.class_weight_power, weights_of);
  Random random(settings.seed * 1000003ULL + stream);
  std::vector<std::uint32_t> order = use;
  std::vector<std::uint32_t> kept[kGroups];
  const auto drop_below = static_cast<std::uint32_t>(settings.drop * 4294967295.0);
  const float keep_scale = static_cast<float>(1 / (1 - settings.drop));
  std::vector<Row> sum_of_weights(count);
  Row sum_of_bias{};
  int averaged = 0;
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    const auto rate = static_cast<float>(settings.rate * (1 - 0.9 * epoch / settings.epochs));
    const auto decay = static_cast<float>(settings.decay);
    for (const std::uint32_t i : order) {
      const bool hide = !data.hidden.empty() && random.unit() < settings.hide_fields;
      const Example& example = hide ? data.hidden[i] : data.shown[i];
      Row z = fitted.bias;
      for (std::size_t g = 0; g < kGroups; ++g) {
        kept[g].clear();
        Row sum{};
        for (std::size_t j = 0; j < example.group[g].size(); ++j) {
          if (settings.drop > 0 && static_cast<std::uint32_t>(random.next() >> 32U) < drop_below) continue;
          const std::uint32_t f = example.group[g][j];
          kept[g].push_back(f);
          const Row& w = fitted.weights[f];
          for (std::size_t k = 0; k < kWidth; ++k) sum[k] += w[k];
        }
        const float norm = example.norm[g] * keep_scale;
        for (std::size_t k = 0; k < kWidth; ++k) z[k] += sum[k] * norm;
      }
      to_probabilities(z);
      Row gradient{};
      for (std::size_t k = 0; k < kOutputs; ++k) gradient[k] = (z[k] - example.target[k]) * weights_of[i][k];
      for (std::size_t k = 0; english && k < kOutputs; ++k) {
        bias_squares[k] += gradient[k] * gradient[k];
        fitted.bias[k] -= rate * gradient[k] / std::sqrt(bias_squares[k]);
      }
      for (std::size_t g = 0; g < kGroups; ++g) {
        const float norm = example.norm[g] * keep_scale;
        Row step{};
        for (std::size_t k = 0; k < kOutputs; ++k) step[k] = gradient[k] * norm;
        for (const std::uint32_t f : kept[g]) {
          if (data.learnt_first[f] != english) continue;
          Row& w = fitted.weights[f];
          Row& s = squares[f];
          for (std::size_t k = 0; k < kWidth; ++k) {
            const float d = step[k] + decay * w[k];
            s[k] += d * d;
            w[k] -= rate * d / std::sqrt(s[k]);
          }
        }
      }
    }
    if (epoch * 2 >= settings.epochs) {
      ++averaged;
      for (std::size_t f = 0; f < count; ++f) {
        for (std::size_t k = 0; k < kWidth; ++k) sum_of_weights[f][k] += fitted.weights[f][k];
      }
      for (std::size_t k = 0; k < kWidth; ++k) sum_of_bias[k] += fitted.bias[k];
    }
  }
  const float n = static_cast<float>(std::max(averaged, 1));
  for (std::size_t f = 0; f < count; ++f) {
    if (data.learnt_first[f] != english) continue;
    for (std::size_t k = 0; k < kWidth; ++k) fitted.weights[f][k] = k < kOutputs ? sum_of_weights[f][k] / n : 0;
  }
  if (!english) return;
  for (std::size_t k = 0; k < kWidth; ++k) fitted.bias[k] = k < kOutputs ? sum_of_bias[k] / n : 0;
}

Fitted fit_on(const Prepared& data, const std::vector<std::uint32_t>& use, const Settings& settings,
              std::uint64_t stream) {
  std::vector<std::uint32_t> of[2];  // other languages, English
  for (const std::uint32_t i : use) of[data.english[i] ? 1 : 0].push_back(i);
  Fitted fitted;
  fitted.weights.assign(data.keys.size(), Row{});
  fit_on(data, of[1], true, settings, stream, fitted);
  if (!of[0].empty()) fit_on(data, of[0], false, settings, stream, fitted);
  return fitted;
}

// Whole parts of the corpus are held out together, since posts of one part resemble each other more than real posts
// resemble any. The part is what stands before the last '-' of an id.
std::vector<std::size_t> folds_of(const std::vector<LabelledPost>& posts, std::size_t folds) {
  std::map<std::string, std::size_t> parts;
  for (const LabelledPost& post : posts) {
    const std::size_t dash = post.id.rfind('-');
    if (dash != std::string::npos) parts[post.id.substr(0, dash)]++;
  }
  std::vector<std::size_t> fold(posts.size());
  if (parts.size() < folds || parts.size() > posts.size() / 10) {
    for (std::size_t i = 0; i < posts.size(); ++i) fold[i] = i % folds;
    return fold;
  }
  std::size_t next = 0;
  for (auto& [name, number] : parts) number = next++ % folds;
  for (std::size_t i = 0; i < posts.size(); ++i) {
    const std::size_t dash = posts[i].id.rfind('-');
    fold[i] = dash == std::string::npos ? i % folds : parts[posts[i].id.substr(0, dash)];
  }
  return fold;
}

// Minimises the mean log loss of sigmoid(slope · logit + offset).
Platt fit_platt(const std::vector<double>& logits, const std::vector<double>& targets) {
  Platt platt;
  for (int step = 0; step < 60; ++step) {  // Newton
    double ga = 0, gb = 0, haa = 1e-6, hab = 0, hbb = 1e-6;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double p = 1 / (1 + std::exp(-(platt.slope * logits[i] + platt.offset)));
      const double d = p - targets[i], h = p * (1 - p);
      ga += d * logits[i];
      gb += d;
      haa += h * logits[i] * logits[i];
      hab += h * logits[i];
      hbb += h;
    }
    const double det = haa * hbb - hab * hab;
    if (!(std::abs(det) > 1e-12)) break;
    platt.slope -= std::clamp((hbb * ga - hab * gb) / det, -0.5, 0.5);
    platt.offset -= std::clamp((haa * gb - hab * ga) / det, -0.5, 0.5);
  }
  platt.slope = std::max(platt.slope, 0.05);
  return platt;
}

void fit_moment(const std::vector<Row>& scores, const std::vector<Example>& examples, Calibration& calibration) {
  double inverse = 1;
  std::array<double, 3> offset{};
  for (int step = 0; step < 400; ++step) {
    double g_inverse = 0;
    std::array<double, 3> g_offset{};
    double n = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (examples[i].weight[kMoment.first] == 0) continue;
      n += 1;
      std::array<double, 3> z{}, p{};
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) z[k] = scores[i][k];
      for (std::size_t k = 0; k < 3; ++k) sum += p[k] = std::exp(z[k] * inverse + offset[k]);
      for (std::size_t k = 0; k < 3; ++k) {
        const double d = p[k] / sum - examples[i].target[k];
        g_inverse += d * z[k];
        g_offset[k] += d;
      }
    }
    if (n == 0) return;
    inverse = std::max(0.05, inverse - 0.3 * g_inverse / n);
    for (std::size_t k = 0; k < 3; ++k) offset[k] -= 1.0 * g_offset[k] / n;
  }
  calibration.moment_temperature = 1 / inverse;
  calibration.moment_offset = offset;
}

Calibration calibrate(const std::vector<Row>& scores, const std::vector<Example>& examples) {
  Calibration calibration;
  fit_moment(scores, examples, calibration);
  const auto platt_of = [&](auto logit, auto target, auto counts) {
    std::vector<double> logits, targets;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (!counts(examples[i])) continue;
      logits.push_back(logit(scores[i]));
      targets.push_back(target(examples[i]));
    }
    return logits.size() < 20 ? Platt{} : fit_platt(logits, targets);
  };
  calibration.moment_confidence = platt_of([](const Row& z) { return z[0] - z[1]; },
                                           [](const Example& e) { return e.target[0] / (e.target[0] + e.target[1]); },
                                           [](const Example& e) { return e.weight[0] > 0 && e.target[2] < 0.5F; });
  calibration.actionable = platt_of([](const Row& z) { return z[kActionable.first]; },
                                    [](const Example& e) { return e.target[kActionable.first]; },
                                    [](const Example& e) { return e.weight[kActionable.first] > 0; });
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t out = kUrgency.first + k;
    calibration.urgency[k] =
        platt_of([out](const Row& z) { return z[out]; }, [out](const Example& e) { return e.target[out]; },
                 [out](const Example& e) { return e.weight[out] > 0; });
  }
  return calibration;
}

void quantise(const Prepared& data, const Fitted& fitted, const Settings& settings, Model::Parts& parts) {
  // What a feature can change: its largest weight, as its group's norm lets it through, more often is more.
  std::vector<double> effect(data.keys.size());
  std::vector<std::uint32_t> chosen, of_other_languages;
  for (std::uint32_t f = 0; f < data.keys.size(); ++f) {
    double sum = 0;
    for (std::size_t k = 0; k < kOutputs; ++k) sum += static_cast<double>(fitted.weights[f][k]) * fitted.weights[f][k];
    effect[f] = std::sqrt(sum * data.posts_with[f]);
    (data.learnt_first[f] ? chosen : of_other_languages).push_back(f);
  }
  const auto keep = [&](std::vector<std::uint32_t>& rows, std::size_t most) {
    std::sort(rows.begin(), rows.end(),
              [&](std::uint32_t x, std::uint32_t y) { return effect[x] != effect[y] ? effect[x] > effect[y] : x < y; });
    rows.resize(std::min(rows.size(), most));
  };
  keep(chosen, settings.most_rows);
  keep(of_other_languages, settings.most_foreign_rows);
  if (chosen.empty()) chosen.swap(of_other_languages);
  // The scale of an output: its largest weight but a few, which are cut.
  for (std::size_t g = 0; g < kGroups; ++g) {
    for (std::size_t k = 0; k < kOutputs; ++k) {
      std::vector<float> sizes;
      for (const std::uint32_t f : chosen) {
        if (data.group_of[f] == g) sizes.push_back(std::abs(fitted.weights[f][k]));
      }
      if (sizes.empty()) continue;
      const std::size_t nth = sizes.size() - 1 - sizes.size() / 5000;
      std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(nth), sizes.end());
      parts.scale[g][k] = std::max(sizes[nth], 1e-9F) / 127;
    }
  }
  chosen.insert(chosen.end(), of_other_languages.begin(), of_other_languages.end());
  std::sort(chosen.begin(), chosen.end());
  for (const std::uint32_t f : chosen) {
    StoredRow row;
    row.key = data.keys[f];
    bool any = false;
    for (std::size_t k = 0; k < kOutputs; ++k) {
      const float step = parts.scale[data.group_of[f]][k];
      const float level = step > 0 ? std::round(fitted.weights[f][k] / step) : 0;
      row.weights[k] = static_cast<std::int8_t>(std::clamp(level, -127.0F, 127.0F));
      any = any || row.weights[k] != 0;
    }
    if (any) parts.rows.push_back(row);
  }
  for (std::size_t g = 0; g < kGroups; ++g) {
    for (float& scale : parts.scale[g]) scale *= static_cast<float>(settings.group_weight[g]);
  }
  parts.bias = fitted.bias;
}

// Of the target, where a post has an author's label and a reader's. An author knows what was meant; a reader sees what
// is there, as the judge will. From two thirds upwards it hardly matters.
constexpr float kReaderShare = 0.75F;

}  // namespace

void soft_targets(const LabelledPost& post, Row& target, Row& weight) {
  target = weight = Row{};
  const auto blend = [&](Head head, auto value_of, auto spread) {
    const auto author = value_of(post), reader = value_of(post.reader);
    if (!author && !reader) return;
    for (std::size_t k = 0; k < head.count; ++k) weight[head.first + k] = 1;
    const float share = !author ? 1 : reader ? kReaderShare : 0;
    if (author) spread(*author, 1 - share);
    if (reader) spread(*reader, share);
  };
  const auto one_of = [&](Head head) {
    return [&target, head](std::size_t index, float share) { target[head.first + index] += share; };
  };
  blend(
      kMoment,
      [](const Labels& labels) -> std::optional<std::size_t> {
        if (!labels.moment) return std::nullopt;
        return *labels.moment == "in_the_moment" ? 0 : *labels.moment == "after_the_fact" ? 1 : 2;
      },
      one_of(kMoment));
  blend(
      kIntent,
      [](const Labels& labels) -> std::optional<std::size_t> {
        if (!labels.intent) return std::nullopt;
        return static_cast<std::size_t>(*labels.intent);
      },
      one_of(kIntent));
  blend(
      kTopic,
      [](const Labels& labels) -> std::optional<std::size_t> {
        if (!labels.topic) return std::nullopt;
        return static_cast<std::size_t>(*labels.topic);
      },
      one_of(kTopic));
  blend(
      kActionable, [](const Labels& labels) { return labels.actionable; },
      [&](bool yes, float share) { target[kActionable.first] += yes ? share : 0; });
  blend(
      kUrgency, [](const Labels& labels) { return labels.urgency; },
      [&](int level, float share) {
        for (int k = 0; k < level; ++k) target[kUrgency.first + static_cast<std::size_t>(k)] += share;
      });
}

Result<Model::Parts> fit(const std::vector<LabelledPost>& posts, const Settings& settings,
                         const std::function<void(std::string_view)>& progress) {
  if (posts.size() < 20) {
    return make_error(ErrorCode::unprocessable,
                      "training needs at least 20 labelled posts, found " + std::to_string(posts.size()));
  }
  const auto say = [&](const std::string& line) {
    if (progress) progress(line);
  };
  Prepared data = prepare(posts, settings);
  say(std::to_string(posts.size()) + " posts, " + std::to_string(data.keys.size()) + " features");

  // The models of the folds and the final one do not depend on each other: each has a thread of its own.
  const std::size_t folds = std::min(settings.folds, posts.size() / 10);
  const std::vector<std::size_t> fold = folds_of(posts, std::max<std::size_t>(folds, 1));
  std::vector<Row> held_out(posts.size());
  Fitted final_fit;
  {
    std::vector<Fitted> fits(folds + 1);
    std::vector<std::jthread> threads;
    for (std::size_t f = 0; f <= folds; ++f) {
      threads.emplace_back([&, f] {
        std::vector<std::uint32_t> use;
        for (std::uint32_t i = 0; i < posts.size(); ++i) {
          if (f == folds || fold[i] != f) use.insert(use.end(), posts[i].weight, i);
        }
        Fitted& fitted = fits[f];
        fitted = fit_on(data, use, settings, f);
        if (f == folds) return;
        for (std::size_t i = 0; i < posts.size(); ++i) {
          if (fold[i] == f) held_out[i] = fitted.score(data.shown[i]);
        }
      });
    }
    threads.clear();  // joins
    final_fit = std::move(fits[folds]);
  }
  Model::Parts parts;
  parts.trained_on = std::to_string(posts.size()) + " labelled posts";
  parts.words = data.words;
  const auto calibrate_on = [&](bool english, Calibration& calibration) {
    std::vector<Row> scores;
    std::vector<Example> examples;
    for (std::size_t i = 0; i < posts.size(); ++i) {
      if (data.english[i] != english) continue;
      scores.push_back(held_out[i]);
      examples.push_back(data.shown[i]);
    }
    if (folds > 0 && examples.size() >= 20) calibration = calibrate(scores, examples);
    calibration.actionable_threshold = settings.actionable_threshold;
    calibration.neither_threshold = settings.neither_threshold;
    calibration.urgency_threshold = settings.urgency_threshold;
  };
  calibrate_on(true, parts.calibration);
  parts.calibration_of_others = parts.calibration;
  calibrate_on(false, parts.calibration_of_others);
  quantise(data, final_fit, settings, parts);
  say("kept " + std::to_string(parts.rows.size()) + " rows of weights");
  return parts;
}

}  // namespace triage::classify
