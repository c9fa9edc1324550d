// How many posts a second the store takes: the statements that the pipeline runs for a post, in commits of 32 with
// synchronous=FULL, against the same number of posts as bare one-row inserts in the same run.
//
//   store_bench [DIRECTORY] [POSTS] [AUTHORS] [random]
//
// One thread submits in rounds of 32 and waits for the commit, as 32 connections would. It prints posts a second, the
// writer thread's CPU time a post, and the disk's fdatasync rate, without which the first number says little. "random"
// draws native ids at random rather than ascending, which scatters the index pages that a commit must log.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "triage/store/store.h"

namespace {

using namespace triage;
using namespace triage::store;
using Clock = std::chrono::steady_clock;

constexpr int kBatch = 32;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double thread_cpu() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Input {
  PostRecord post;
  CaseRecord c;
  Author author;
  bool escalates = false;
};

class Posts {
 public:
  Posts(std::int64_t authors, bool random) : authors_(authors), random_(random) {}

  Input next() {
    ++count_;
    const Time now = wall_clock_now();
    Input in;
    in.author = {std::to_string(10'000'000 + rng_() % static_cast<std::uint64_t>(authors_)), "traveller",
                 "Ann Traveller", 1200, false};
    Post& p = in.post.post;
    p.id = PostId::make(now);
    p.source = "x-main";
    p.platform = "x";
    p.kind = PostKind::mention;
    p.native_id = std::to_string(random_ ? 1'000'000'000'000'000'000U + rng_() % 900'000'000'000'000'000U
                                         : 1'803'000'000'000'000'000U + static_cast<std::uint64_t>(count_) * 4096U);
    p.text =
        "@acme still stuck in the queue at security in Terminal 5, two desks open and we will miss our flight at 09:40."
        " Nobody here to ask. Please help #LHR";
    p.created_at = now - std::chrono::seconds(3);
    p.received_at = now;
    p.author = in.author;
    p.url = "https://x.com/traveller/status/" + p.native_id;
    p.language = "en";
    p.conversation_id = p.native_id;
    p.brand_account = "acme";
    Verdict v;
    v.moment = Moment::in_the_moment;
    v.moment_confidence = 0.9312345;
    v.actionable = true;
    v.actionable_confidence = 0.9712345;
    v.intent = Intent::complaint;
    v.topic = Topic::queue;
    v.sentiment = -0.7123;
    v.language = "en";
    v.text_urgency = 83.21;
    v.urgency = 88.11;
    v.priority = Priority::critical;
    v.reasons = {{"moment", "stuck in", 0.4123},
                 {"moment", "still", 0.2123},
                 {"urgency", "miss our flight", 0.3712},
                 {"urgency", "nobody", 0.1234},
                 {"actionable", "please help", 0.31}};
    v.model = "2026.11.1";
    in.post.verdict = v;

    CaseRecord& c = in.c;
    c.id = CaseId::make(now);
    c.team = "care";
    c.platform = p.platform;
    c.brand_account = p.brand_account;
    c.moment = v.moment;
    c.priority = v.priority;
    c.urgency = v.urgency;
    c.intent = v.intent;
    c.topic = v.topic;
    c.language = v.language;
    c.site = "LHR-T5";
    c.actionable = true;
    c.opened_at = c.updated_at = c.last_post_at = p.created_at;
    c.newest_post = p.id;
    c.posts_since_reply = 1;
    c.waiting_since = p.created_at;
    c.first_response_due = p.created_at + std::chrono::minutes(15);
    c.decision.path = {"routes/0"};
    c.decision.team = "care";
    c.decision.ladder = "ops";
    c.decision.rungs = {{std::chrono::seconds(0), "airport-ops"}, {std::chrono::minutes(10), "duty-manager"}};
    c.decision.site = SiteMatch{"LHR-T5", "alias \"Terminal 5\""};
    c.decision.why = "airport-ops is called: in the moment, urgency 88, topic queue, site LHR-T5";
    c.decision.first_response = std::chrono::minutes(15);
    c.decision.first_response_rule = "in_the_moment";
    in.escalates = count_ % 50 == 0;
    return in;
  }

 private:
  std::int64_t authors_, count_ = 0;
  bool random_;
  std::mt19937_64 rng_{42};
};

// What the pipeline does with an accepted post.
void accept(Writer& w, Input& in) {
  Post& p = in.post.post;
  const Time now = p.received_at;
  if (w.find_post(p.source, p.platform, p.kind, p.native_id)) return;
  const AuthorRecord author = w.upsert_author(p.platform, in.author, now);
  std::vector<CaseRecord> cases;
  if (!author.is_new) cases = w.cases_of_author(author.id, p.platform, p.brand_account, 4);
  const auto same = w.case_of_conversation(p.platform, p.brand_account, p.conversation_id, p.in_reply_to, author.id);
  in.post.author = author.id;
  CaseRecord c = in.c;
  if (!same && cases.empty()) {
    c.author = author.id;
    in.post.case_id = c.id;
    w.insert_post(in.post);
    w.insert_case(c);
    w.count_case_of_author(author.id);
    w.set_due({DueKind::first_response, c.id.str(), *c.first_response_due});
  } else {
    c = cases.front();
    in.post.case_id = c.id;
    w.insert_post(in.post);
    c.last_post_at = p.created_at;
    c.newest_post = p.id;
    ++c.posts_since_reply;
    w.update_case(c);
  }
  if (!in.escalates) return;
  EscalationRecord e;
  e.id = EscalationId::make(now);
  e.case_id = c.id;
  e.ladder = "ops";
  e.rungs = c.decision.rungs;
  e.raised_at = now;
  e.ack_by = now + std::chrono::minutes(10);
  w.insert_escalation(e);
  DeliveryRecord d;
  d.id = DeliveryId::make(now);
  d.team = "airport-ops";
  d.type = "escalation.raised";
  d.case_id = c.id;
  d.escalation = e.id;
  d.body.assign(1800, 'x');
  d.created_at = d.next_attempt_at = now;
  w.insert_delivery(d);
  w.set_due({DueKind::rung, e.id.str(), *e.ack_by});
}

double fdatasync_rate(const std::filesystem::path& directory) {
  const auto file = directory / "fdatasync.probe";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::string block(64 * 1024, 'x');
  for (int i = 0; i < 64; ++i) {
    if (::pwrite(fd, block.data(), block.size(), i * 65536) < 0) return 0;
  }
  ::fsync(fd);
  const auto start = Clock::now();
  constexpr int kRounds = 500;
  for (int i = 0; i < kRounds; ++i) {
    if (::pwrite(fd, block.data(), block.size(), (i % 64) * 65536) < 0 || ::fdatasync(fd) != 0) return 0;
  }
  const double rate = kRounds / seconds_since(start);
  ::close(fd);
  std::filesystem::remove(file);
  return rate;
}

// The floor: the post's JSON in one table without any index, in the same commits.
double bare_inserts(const std::filesystem::path& directory, int posts) {
  const auto file = directory / "bare.db";
  std::filesystem::remove(file);
  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  sqlite3_exec(
      db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE posts (seq INTEGER PRIMARY KEY, post TEXT)",
      nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO posts (post) VALUES (?)", -1, &insert, nullptr);
  const std::string post(700, 'p');
  const auto start = Clock::now();
  for (int i = 0; i < posts; i += kBatch) {
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    for (int k = 0; k < kBatch; ++k) {
      sqlite3_bind_text(insert, 1, post.data(), static_cast<int>(post.size()), SQLITE_STATIC);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  const double rate = posts / seconds_since(start);
  sqlite3_finalize(insert);
  sqlite3_close(db);
  std::filesystem::remove(file);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "./store-bench";
  const int posts = argc > 2 ? std::atoi(argv[2]) : 500'000;
  const std::int64_t authors = argc > 3 ? std::atoll(argv[3]) : 1'000'000;
  const bool random = argc > 4 && std::string(argv[4]) == "random";
  std::filesystem::remove_all(directory);
  Options options;
  options.directory = directory;
  auto opened = store::open(options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().detail.c_str());
    return 3;
  }
  auto store = std::move(*opened);

  Posts source(authors, random);
  std::mutex mutex;
  std::condition_variable done;
  int waiting = 0, failures = 0;
  double cpu_start = 0, cpu_end = 0, worst = 0;
  double busy = 0;
  for (int made = 0; made < posts; made += kBatch) {
    std::vector<Input> round;
    for (int i = 0; i < kBatch; ++i) round.push_back(source.next());
    waiting = kBatch;
    const auto start = Clock::now();
    // The first wakes the writer and is mostly committed alone; the others queue up behind it.
    for (Input& in : round) {
      store->write(
          [&in, &cpu_start](Writer& w) {
            if (cpu_start == 0) cpu_start = thread_cpu();
            accept(w, in);
          },
          [&](Committed outcome, const std::string& detail) {
            const std::lock_guard lock(mutex);
            if (outcome != Committed::yes && ++failures == 1) std::fprintf(stderr, "%s\n", detail.c_str());
            if (--waiting > 0) return;
            cpu_end = thread_cpu();
            done.notify_one();
          });
    }
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return waiting == 0; });
    const double took = seconds_since(start);
    busy += took;
    worst = std::max(worst, took);
  }
  const auto stats = store->stats();
  const auto timed = [&](const char* what, const std::function<void(Reader&)>& read) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      double took = 0;
      std::promise<void> finished;
      store->read(
          [&](Reader& r) {
            const auto start = Clock::now();
            read(r);
            took = seconds_since(start);
          },
          [&](bool, const std::string&) { finished.set_value(); });
      finished.get_future().wait();
      best = std::min(best, took);
    }
    std::printf("%-28s %.2f ms\n", what, best * 1e3);
  };
  std::int64_t open_cases = 0;
  QueueFilter rare;
  rare.teams = {"nobody"};
  timed("figures()", [&](Reader& r) { open_cases = r.figures().open_cases; });
  timed("queue(), first 50", [&](Reader& r) { r.queue({}, 50); });
  timed("queue_items(), those 50", [&](Reader& r) { r.queue_items(r.queue({}, 50)); });
  timed("queue(), no case matches", [&](Reader& r) { r.queue(rare, 50); });
  std::printf("open cases                   %lld\n", static_cast<long long>(open_cases));
  store.reset();

  const double bare = bare_inserts(directory, std::min(posts, 200'000));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double rate = posts / busy;
  std::printf("posts                        %d (%d failed), %lld authors, native ids %s\n", posts, failures,
              static_cast<long long>(authors), random ? "random" : "ascending");
  std::printf("posts a second               %.0f\n", rate);
  std::printf("writer CPU a post            %.2f us (to the end of the last commit)\n",
              (cpu_end - cpu_start) * 1e6 / posts);
  std::printf("in COMMIT a post             %.2f us, wall\n", static_cast<double>(stats.commit_nanos) / 1e3 / posts);
  std::printf("in checkpoints a post        %.2f us, wall (%llu checkpoints)\n",
              static_cast<double>(stats.checkpoint_nanos) / 1e3 / posts,
              static_cast<unsigned long long>(stats.checkpoints));
  std::printf("posts a commit               %.1f\n", static_cast<double>(posts) / static_cast<double>(stats.commits));
  std::printf("longest round of %d          %.1f ms\n", kBatch, worst * 1e3);
  std::printf("bytes a post on disk         %.0f\n",
              static_cast<double>(std::filesystem::file_size(directory / "triaged.db")) / posts);
  std::printf("bare one-row inserts         %.0f/s; the store reaches %.2f of that\n", bare, rate / bare);
  std::printf("fdatasync of 64 KiB          %.0f/s\n", fdatasync_rate(directory));
  std::printf("peak resident memory         %ld MiB\n", usage.ru_maxrss / 1024);
  std::filesystem::remove_all(directory);
  return failures == 0 ? 0 : 1;
}
