#include "app/judges.h"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "triage/net/signal.h"

namespace triage::app {

namespace {

// Of the thread that judges again (setpriority(2); on Linux it is a thread's own): everything else goes before it.
constexpr int kNice = 19;

// After having been late the deep judge is left alone for so many times its wait.
constexpr int kRest = 8;

}  // namespace

Result<Bench> load_bench(const ClassifierConfig& config, std::string* pointer) {
  std::string ignored;
  std::string& at = pointer ? *pointer : ignored;
  Bench bench;
  bench.wait = config.deep_wait;
  at = "/classifier/model";
  auto fast = config.model.empty() ? classify::shipped_model() : classify::load_model(config.model);
  if (!fast) return fast.error();
  bench.fast = *fast;
  if (!config.deep || (config.deep_model.empty() && !config.model.empty())) return bench;
  at = "/classifier/deep_model";
  auto deep = config.deep_model.empty() ? classify::shipped_deep_model(bench.fast)
                                        : classify::load_deep_model(config.deep_model, bench.fast);
  if (deep) {
    bench.deep = *deep;
  } else if (deep.error().code != ErrorCode::not_found || !config.deep_model.empty()) {
    return deep.error();
  }
  return bench;
}

// Posts that were handed over together. The deep judge's threads hold it too: whoever asked may have stopped waiting.
struct Judges::Batch {
  struct Slot {
    Verdict verdict;
    std::atomic<bool> ready{false};
  };

  Batch(std::shared_ptr<const classify::Classifier> by, std::vector<Post> what, Time when)
      : judge(std::move(by)), posts(std::move(what)), now(when), slots(posts.size()), left(posts.size()) {}

  const std::shared_ptr<const classify::Classifier> judge;
  const std::vector<Post> posts;
  const Time now;
  std::vector<Slot> slots;
  std::atomic<std::size_t> left;
  std::atomic<bool> abandoned{false};
  net::Signal done;
};

Judges::Judges(Bench bench, unsigned threads) : bench_(std::move(bench)), fresh_threads_(std::max(threads, 1U)) {
  const auto name = [this](const std::string& text) {
    pthread_setname_np(threads_.back().native_handle(), text.c_str());
  };
  for (unsigned i = 0; i < fresh_threads_; ++i) {
    threads_.emplace_back([this] { run(fresh_, fresh_wanted_); });
    name("deep-" + std::to_string(i));
  }
  threads_.emplace_back([this] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
    run(again_, again_wanted_);
  });
  name("deep-again");
}

Judges::~Judges() {
  stop();
}

void Judges::stop() {
  std::deque<Job> dropped;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    dropped.swap(again_);
    dropped.insert(dropped.end(), fresh_.begin(), fresh_.end());
    fresh_.clear();
    stats_.queue = 0;
  }
  fresh_wanted_.notify_all();
  again_wanted_.notify_all();
  for (const Job& job : dropped) job.batch->done.close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Judges::set(Bench bench) {
  const std::scoped_lock lock(mutex_);
  bench_ = std::move(bench);
}

Bench Judges::bench() const {
  const std::scoped_lock lock(mutex_);
  return bench_;
}

void Judges::run(std::deque<Job>& queue, std::condition_variable& wanted) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wanted.wait(lock, [&] { return stopping_ || !queue.empty(); });
      if (stopping_) return;
      job = std::move(queue.front());
      queue.pop_front();
      stats_.queue = static_cast<std::int64_t>(fresh_.size());
    }
    if (!job.batch->abandoned) carry_out(job, &queue == &fresh_);
  }
}

void Judges::carry_out(const Job& job, bool fresh) {
  Batch& batch = *job.batch;
  const auto from = Clock::now();
  try {
    batch.slots[job.index].verdict = batch.judge->judge(batch.posts[job.index], batch.now);
    batch.slots[job.index].ready = true;
  } catch (const std::exception& error) {
    spdlog::error("the {} judge failed on a post: {}", batch.judge->judge_name(), error.what());
  }
  const auto nanos = std::chrono::nanoseconds(Clock::now() - from).count();
  ++stats_.deep_posts;
  stats_.deep_nanos += nanos;
  if (fresh) {
    const std::scoped_lock lock(mutex_);
    mean_nanos_ += (static_cast<double>(nanos) - mean_nanos_) / 16;
  }
  if (--batch.left == 0) batch.done.raise();
}

std::size_t Judges::room(const Bench& bench) const {
  if (!bench.deep || stopping_ || Clock::now() < behind_until_) return 0;
  const double in_time = std::chrono::duration<double, std::nano>(bench.wait).count() / mean_nanos_;
  const auto most = static_cast<std::size_t>(in_time * fresh_threads_);
  // One may always try: the mean is of the past.
  if (fresh_.empty()) return std::max<std::size_t>(most, 1);
  return most > fresh_.size() ? most - fresh_.size() : 0;
}

bool Judges::has_time() const {
  const std::scoped_lock lock(mutex_);
  return !stopping_ && fresh_.empty() && Clock::now() >= behind_until_;
}

boost::asio::awaitable<std::vector<Judgement>> Judges::judge(std::vector<const Post*> posts, Time now) {
  const Bench bench = this->bench();
  std::vector<Judgement> out(posts.size());
  const auto from = Clock::now();
  for (std::size_t i = 0; i < posts.size(); ++i) out[i].verdict = bench.fast->judge(*posts[i], now);
  stats_.fast_posts += static_cast<std::int64_t>(posts.size());
  stats_.fast_nanos += std::chrono::nanoseconds(Clock::now() - from).count();
  std::vector<std::size_t> wanted;  // the deep judge has something to say of these
  for (std::size_t i = 0; i < posts.size(); ++i) {
    if (bench.deep && classify::deep_may_differ(out[i].verdict)) wanted.push_back(i);
  }
  if (wanted.empty()) co_return out;

  std::shared_ptr<Batch> batch;
  std::size_t taken = 0;
  {
    const std::scoped_lock lock(mutex_);
    taken = std::min(room(bench), wanted.size());
    if (taken > 0) {
      std::vector<Post> copies;
      copies.reserve(taken);
      for (std::size_t i = 0; i < taken; ++i) copies.push_back(*posts[wanted[i]]);
      batch = std::make_shared<Batch>(bench.deep, std::move(copies), now);
      for (std::size_t i = 0; i < taken; ++i) fresh_.push_back({batch, i});
      stats_.queue = static_cast<std::int64_t>(fresh_.size());
    }
  }
  stats_.skipped += static_cast<std::int64_t>(wanted.size() - taken);
  if (batch) {
    if (taken == 1) {
      fresh_wanted_.notify_one();
    } else {
      fresh_wanted_.notify_all();
    }
    auto waiting = batch->done.wait(0, bench.wait);
    co_await std::move(waiting);
    batch->abandoned = true;
  }
  std::int64_t late = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i < taken && batch->slots[i].ready) {
      out[wanted[i]].verdict = std::move(batch->slots[i].verdict);
    } else {
      out[wanted[i]].second_look = true;
      if (i < taken) ++late;
    }
  }
  if (late > 0) {
    stats_.late += late;
    const std::scoped_lock lock(mutex_);
    behind_until_ = Clock::now() + kRest * bench.wait;
  }
  co_return out;
}

boost::asio::awaitable<std::vector<Verdict>> Judges::judge_again(std::vector<Post> posts, Time now) {
  const Bench bench = this->bench();
  const std::size_t count = posts.size();
  auto batch = std::make_shared<Batch>(bench.deep ? bench.deep : bench.fast, std::move(posts), now);
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || count == 0) co_return std::vector<Verdict>();
    for (std::size_t i = 0; i < count; ++i) again_.push_back({batch, i});
  }
  again_wanted_.notify_one();
  auto waiting = batch->done.wait(0, std::chrono::hours(1));
  co_await std::move(waiting);
  batch->abandoned = true;
  std::vector<Verdict> out;
  if (batch->left > 0) co_return out;
  for (Batch::Slot& slot : batch->slots) {
    if (!slot.ready) co_return std::vector<Verdict>();
    out.push_back(std::move(slot.verdict));
  }
  co_return out;
}

}  // namespace triage::app
