// How long the deep judge takes for a post, beside the fast one in the same run. Links triage_classify.
//
//   deep_bench POSTS.tsv [ROUNDS [DEEP_MODEL]]
//
// Every post is judged ROUNDS times on one core by each judge in turn, after one round that is not counted. Prints the
// mean of all, the p50 and p99 of single judgements, the mean of the quickest round, the time to load the model, and
// the deep judge's mean with each kind of instructions that this machine has.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "classify/deep_judge.h"
#include "triage/classify/training.h"

namespace {

using namespace triage;
using Clock = std::chrono::steady_clock;

double micros(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

int failed(const Error& error) {
  std::fprintf(stderr, "%s\n", error.detail.c_str());
  return 1;
}

struct Times {
  std::vector<double> single;
  double quickest = 1e18;

  void round(const classify::Classifier& judge, const std::vector<classify::LabelledPost>& posts, bool counts) {
    double sum = 0;
    for (const auto& post : posts) {
      const auto start = Clock::now();
      const Verdict verdict = judge.judge(post.post, Time{});
      const double took = micros(Clock::now() - start);
      sum += verdict.urgency < 0 ? 0 : took;  // the verdict is used
      if (counts) single.push_back(took);
    }
    if (counts) quickest = std::min(quickest, sum / static_cast<double>(posts.size()));
  }

  void print(const char* name) {
    std::sort(single.begin(), single.end());
    double mean = 0;
    for (const double t : single) mean += t / static_cast<double>(single.size());
    std::printf("%-22s microseconds a post: mean %.1f, p50 %.1f, p99 %.1f, mean of the quickest round %.1f\n", name,
                mean, single[single.size() / 2], single[single.size() * 99 / 100], quickest);
  }
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "deep_bench POSTS.tsv [ROUNDS [DEEP_MODEL]]\n");
    return 2;
  }
  auto posts = classify::read_labelled(arguments[1]);
  if (!posts) return failed(posts.error());
  constexpr std::size_t kMost = 1000;  // of the file, evenly: a round of the deep judge then takes a second or two
  std::vector<classify::LabelledPost> sample;
  const std::size_t every = std::max<std::size_t>(1, posts->size() / kMost);
  for (std::size_t i = 0; i < posts->size(); i += every) sample.push_back(std::move((*posts)[i]));
  if (sample.empty()) return failed(make_error(ErrorCode::bad_request, "no posts"));
  const int rounds = count > 2 ? std::max(1, std::atoi(arguments[2])) : 5;

  const auto fast = classify::shipped_model();
  if (!fast) return failed(fast.error());
  const auto load = Clock::now();
  const auto loaded = count > 3 ? classify::load_deep_model(arguments[3], *fast) : classify::shipped_deep_model(*fast);
  const double took = micros(Clock::now() - load);
  if (!loaded) return failed(loaded.error());
  auto deep =
      std::const_pointer_cast<classify::DeepJudge>(std::dynamic_pointer_cast<const classify::DeepJudge>(*loaded));

  double bytes = 0;
  for (const auto& post : sample) bytes += static_cast<double>(post.post.text.size());
  std::printf("%zu posts of %.0f bytes on average, %d rounds; deep model %s: loaded in %.1f ms, %.1f MB in memory\n",
              sample.size(), bytes / static_cast<double>(sample.size()), rounds,
              std::string(deep->model_version()).c_str(), took / 1000,
              static_cast<double>(deep->model().encoder.memory_bytes()) / 1e6);
  struct Named {
    classify::Kernel kernel;
    const char* name;
  };
  Times of_fast;
  for (const Named& named :
       {Named{classify::Kernel::avx512_vnni, "deep, AVX-512 VNNI"}, Named{classify::Kernel::avx2, "deep, AVX2"},
        Named{classify::Kernel::ssse3, "deep, SSSE3"}, Named{classify::Kernel::sse2, "deep, SSE2"}}) {
    if (!classify::kernel_runs_here(named.kernel)) continue;
    deep->use(named.kernel);
    Times of_deep;
    for (int round = -1; round < rounds; ++round) {
      of_fast.round(**fast, sample, round >= 0);
      of_deep.round(*deep, sample, round >= 0);
    }
    of_deep.print(named.name);
  }
  of_fast.print("fast");
  return 0;
}
