// How long the fast judge takes for a post. Links triage_classify. judge_bench POSTS.tsv [ROUNDS]
//
// Every post is judged ROUNDS times on one core, after one round that is not counted. Prints the mean of all, the p50
// and p99 of single judgements, the mean of the quickest round, and the time to load the model.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "triage/classify/training.h"

int main(int count, char** arguments) {
  using namespace triage;
  using Clock = std::chrono::steady_clock;
  const auto micros = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
  if (count < 2) {
    std::fprintf(stderr, "judge_bench POSTS.tsv [ROUNDS]\n");
    return 2;
  }
  const auto posts = classify::read_labelled(arguments[1]);
  if (!posts || posts->empty()) {
    std::fprintf(stderr, "%s\n", posts ? "no posts" : posts.error().detail.c_str());
    return 1;
  }
  const int rounds = count > 2 ? std::max(1, std::atoi(arguments[2])) : 20;
  const auto load = Clock::now();
  const auto judge = classify::shipped_model();
  const double loaded = micros(Clock::now() - load);
  if (!judge) {
    std::fprintf(stderr, "%s\n", judge.error().detail.c_str());
    return 1;
  }

  std::vector<double> single;
  double quickest = 1e18, all = 0, kept = 0, bytes = 0;
  for (int round = -1; round < rounds; ++round) {
    double sum = 0;
    for (const auto& post : *posts) {
      const auto start = Clock::now();
      const Verdict verdict = (*judge)->judge(post.post, Time{});
      const double took = micros(Clock::now() - start);
      kept += verdict.urgency;
      bytes += static_cast<double>(post.post.text.size());
      sum += took;
      if (round >= 0) single.push_back(took);
    }
    if (round < 0) continue;
    all += sum;
    quickest = std::min(quickest, sum);
  }
  std::sort(single.begin(), single.end());
  const double n = static_cast<double>(posts->size());
  std::printf("%zu posts of %.0f bytes on average, %d rounds, model %s loaded in %.1f ms\n", posts->size(),
              bytes / n / (rounds + 1), rounds, std::string((*judge)->model_version()).c_str(), loaded / 1000);
  std::printf("microseconds a post: mean %.2f, p50 %.2f, p99 %.2f, mean of the quickest round %.2f  (sum %.0f)\n",
              all / n / rounds, single[single.size() / 2], single[single.size() * 99 / 100], quickest / n, kept);
  return 0;
}
