// Two judges for each post: the fast one always answers, at once; the deep one answers where it keeps up. No post waits
// for it longer than `wait`, and none is given to it once its queue is longer than that: such posts keep the fast
// verdict and are to be looked at again. It judges on threads of its own, and again on one more, of
// the lowest priority.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "triage/app/config.h"
#include "triage/classify/classifier.h"

namespace triage::app {

// The judges in force. They change together, on a reload.
struct Bench {
  std::shared_ptr<const classify::Classifier> fast;
  std::shared_ptr<const classify::Classifier> deep;  // null: there is none
  std::chrono::milliseconds wait{25};

  const classify::Classifier& best() const { return deep ? *deep : *fast; }
};

// Loads what the configuration names. An error says which file is at fault; `pointer`, where given, gets its place in
// the configuration.
Result<Bench> load_bench(const ClassifierConfig& config, std::string* pointer = nullptr);

struct Judgement {
  Verdict verdict;
  bool second_look = false;  // the deep judge did not keep up
};

class Judges {
 public:
  struct Stats {
    std::atomic<std::int64_t> fast_posts{0}, fast_nanos{0}, deep_posts{0}, deep_nanos{0};
    std::atomic<std::int64_t> late{0};     // given to the deep judge, and not judged in time
    std::atomic<std::int64_t> skipped{0};  // not given to it: its queue was too long
    std::atomic<std::int64_t> queue{0};    // waiting for it now
  };

  // `threads` of the deep judge for new posts, at least 1.
  Judges(Bench bench, unsigned threads);
  ~Judges();

  void set(Bench bench);
  Bench bench() const;

  // The verdicts of new posts, in order, within bench().wait and what the fast judge takes.
  boost::asio::awaitable<std::vector<Judgement>> judge(std::vector<const Post*> posts, Time now);

  // Judges posts again by the best judge there is, however long it takes. Empty when it was stopped.
  boost::asio::awaitable<std::vector<Verdict>> judge_again(std::vector<Post> posts, Time now);

  // Whether there is time to judge again: new posts keep the deep judge from nothing.
  bool has_time() const;

  // Ends the threads; what was not judged stays so. Not from an io thread.
  void stop();

  const Stats& stats() const { return stats_; }

 private:
  struct Batch;
  struct Job {
    std::shared_ptr<Batch> batch;
    std::size_t index;
  };
  using Clock = std::chrono::steady_clock;

  // A thread's work: the jobs of one queue, as they come.
  void run(std::deque<Job>& queue, std::condition_variable& wanted);
  void carry_out(const Job& job, bool fresh);
  // How many more posts the deep judge can take and still be done in time.
  std::size_t room(const Bench& bench) const;

  mutable std::mutex mutex_;
  Bench bench_;
  std::condition_variable fresh_wanted_, again_wanted_;
  std::deque<Job> fresh_, again_;
  bool stopping_ = false;
  double mean_nanos_ = 2e6;           // of a new post, the latest counting most
  Clock::time_point behind_until_{};  // it was late: new posts leave it alone until then
  const unsigned fresh_threads_;
  std::vector<std::thread> threads_;
  Stats stats_;
};

}  // namespace triage::app
