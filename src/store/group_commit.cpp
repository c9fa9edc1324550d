// The writer's thread: batches, failures, recovery and checkpoints.
#include "store/group_commit.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

namespace triage::store {
namespace {

const Sql kBegin("BEGIN IMMEDIATE");
const Sql kCommit("COMMIT");
const Sql kSavepoint("SAVEPOINT work");
const Sql kRelease("RELEASE work");
const Sql kUndo("ROLLBACK TO work");
const Sql kProbe("INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', zeroblob(131072))");
const Sql kProbeEnd("DELETE FROM meta WHERE key = 'probe'");

constexpr std::chrono::milliseconds kGiveWay{250};  // to a command beside the server
constexpr std::chrono::milliseconds kProbeBusyTimeout{100};
constexpr std::chrono::milliseconds kReadersPause{100};  // for the log to start anew
constexpr int kMostLogs = 4;  // times wal_pages: how long the log becomes before works wait for it to be written back

int count_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

GroupCommit::GroupCommit(const Place& place, const Options& options, std::unique_ptr<Connection> connection,
                         ReaderPool& readers)
    : place_(place),
      options_(options),
      readers_(readers),
      turnstile_(place.turnstile()),
      checkpointer_(place.database(), writer_settings(options.busy_timeout)) {
  use(std::move(connection));
  thread_ = std::thread([this] { run(); });
}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

void GroupCommit::submit(Store::Work work, Store::WorkDone done) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.queue_depth) {
      queue_.push_back({std::move(work), std::move(done), Committed::yes, {}});
      done = nullptr;
      wake = idle_;
    }
  }
  if (wake) work_.notify_one();
  if (!done) return;
  overloaded_.fetch_add(1, std::memory_order_relaxed);
  done(Committed::overloaded, "the writer is behind");
}

std::string GroupCommit::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

Store::Stats GroupCommit::stats() const {
  Store::Stats stats;
  stats.commits = commits_;
  stats.works = works_;
  stats.failed = failed_;
  stats.overloaded = overloaded_;
  stats.unavailable = unavailable_;
  stats.commit_nanos = commit_nanos_;
  stats.checkpoints = checkpoints_;
  stats.checkpoint_nanos = checkpoint_nanos_;
  const std::lock_guard lock(mutex_);
  stats.queued = queue_.size();
  return stats;
}

void GroupCommit::run() {
  pthread_setname_np(pthread_self(), "store-writer");
  std::vector<Entry> batch;
  while (take(batch)) {
    if (!healthy() && Clock::now() >= next_probe_) probe();
    if (!batch.empty()) serve(batch);
    batch.clear();
  }
}

// Waits for works, or for the time of the next probe. False at the end.
bool GroupCommit::take(std::vector<Entry>& batch) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return !queue_.empty() || stopping_; };
  idle_ = true;
  if (healthy()) {
    work_.wait(lock, ready);
  } else {
    work_.wait_until(lock, next_probe_, ready);
  }
  idle_ = false;
  if (queue_.empty()) return !stopping_;
  const std::size_t count = std::min(queue_.size(), std::max<std::size_t>(1, options_.batch));
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return true;
}

// Gives each work of the batch its outcome and tells those who wait.
void GroupCommit::serve(std::vector<Entry>& batch) {
  try {
    if (!healthy()) throw Unavailable(trouble());
    attempt(batch);
    works_.fetch_add(batch.size(), std::memory_order_relaxed);
  } catch (const std::exception& failure) {
    abandon();
    if (healthy()) fall_ill(failure.what());
    for (Entry& entry : batch) {
      entry.outcome = Committed::unavailable;
      entry.detail = failure.what();
    }
    unavailable_.fetch_add(batch.size(), std::memory_order_relaxed);
  }
  for (Entry& entry : batch) {
    try {
      if (entry.done) entry.done(entry.outcome, entry.detail);
    } catch (const std::exception& defect) {
      spdlog::error("store: what followed a write threw: {}", defect.what());
    }
  }
  if (healthy()) tend_log();
}

void GroupCommit::attempt(std::vector<Entry>& batch) {
  turnstile_.give_way(kGiveWay);
  if (run_all(batch)) return;
  abandon();
  if (batch.size() == 1) return;
  run_each(batch);
}

bool GroupCommit::run_all(std::vector<Entry>& batch) {
  begin();
  for (Entry& entry : batch) {
    if (run_one(entry, &entry == &batch.back())) continue;
    if (batch.size() == 1) refuse(entry);
    return false;
  }
  end();
  return true;
}

void GroupCommit::run_each(std::vector<Entry>& batch) {
  begin();
  for (Entry& entry : batch) {
    connection_->use(kSavepoint).exec();
    if (!run_one(entry, true)) {
      refuse(entry);
      database_->forget();
      connection_->use(kUndo).exec();
    }
    connection_->use(kRelease).exec();
  }
  end();
}

// False when the work threw, or what it left to be written did. A work may have caught what it should have let pass:
// when the database failed under it, nothing it did is to be committed, whatever it says itself.
bool GroupCommit::run_one(Entry& entry, bool flush) {
  bool done = false;
  try {
    entry.work(*database_);
    if (flush) database_->flush();
    done = true;
  } catch (const Unavailable&) {
    throw;
  } catch (const std::exception& defect) {
    entry.detail = defect.what();
  } catch (...) {
    entry.detail = "an exception of an unknown type";
  }
  if (connection_->failed() || !connection_->in_transaction()) throw Unavailable("the database failed during a write");
  return done;
}

void GroupCommit::refuse(Entry& entry) {
  entry.outcome = Committed::failed;
  failed_.fetch_add(1, std::memory_order_relaxed);
  spdlog::error("store: a write failed: {}", entry.detail);
}

void GroupCommit::begin() {
  connection_->clear_failed();
  connection_->use(kBegin).exec();
}

void GroupCommit::end() {
  const int pages_before = wal_pages_;
  const auto start = Clock::now();
  connection_->use(kCommit).exec();
  commit_nanos_.fetch_add(static_cast<std::uint64_t>((Clock::now() - start).count()), std::memory_order_relaxed);
  commits_.fetch_add(1, std::memory_order_relaxed);
  if (wal_pages_ < pages_before) pass_began_at_ = 0;  // the log has started anew
}

void GroupCommit::abandon() noexcept {
  if (!connection_) return;
  database_->forget();
  connection_->rollback();
}

void GroupCommit::use(std::unique_ptr<Connection> connection) {
  connection_ = std::move(connection);
  database_ = std::make_unique<Database>(*connection_);
  wal_pages_ = pass_began_at_ = 0;
  sqlite3_wal_hook(connection_->raw(), count_wal_pages, &wal_pages_);
}

void GroupCommit::fall_ill(const std::string& why) {
  spdlog::error("store: writes fail, and are tried again until they succeed: {}", why);
  {
    const std::lock_guard lock(mutex_);
    trouble_ = why;
  }
  next_probe_ = Clock::now() + options_.probe_every;
  healthy_ = false;
}

// Commits something of a size that a full disk cannot swallow, on a new connection: after an I/O error the old one may
// know things of the files that are no longer so.
void GroupCommit::probe() {
  try {
    database_.reset();
    connection_.reset();
    auto connection = connect_for_writing(place_, writer_settings(kProbeBusyTimeout), true);
    if (!connection) throw Unavailable(connection.error().detail);
    use(std::move(*connection));
    connection_->use(kProbe).exec();
    connection_->use(kProbeEnd).exec();
    sqlite3_busy_timeout(connection_->raw(), static_cast<int>(options_.busy_timeout.count()));
    spdlog::info("store: writes succeed again");
    {
      const std::lock_guard lock(mutex_);
      trouble_.clear();
    }
    healthy_ = true;
  } catch (const std::exception& failure) {
    {
      const std::lock_guard lock(mutex_);
      trouble_ = failure.what();
    }
    next_probe_ = Clock::now() + options_.probe_every;
  }
}

// Keeps the log bounded. The checkpointer writes it back while commits go on; when it has come close to the end, the
// writer does the rest, and with nothing left in it the log starts anew. A reader that still needs its pages prevents
// that: where one always does, or where commits come faster than pages can be written back, the readers pause for a
// moment and works wait.
void GroupCommit::tend_log() {
  const int limit = options_.wal_pages;
  if (wal_pages_ < limit) return;
  const int fresh = wal_pages_ - pass_began_at_;  // pages that came since the last pass began
  if (wal_pages_ >= kMostLogs * limit) {
    if (fresh < limit / 8) return;  // just tried, and something outside, a backup perhaps, still reads the log
    checkpointer_.wait();
    checkpoint(true);
  } else if (!checkpointer_.busy()) {
    if (pass_began_at_ == 0 || fresh > limit / 8) {
      pass_began_at_ = wal_pages_;
      rest_done_ = false;
      checkpointer_.start();
    } else if (!rest_done_) {
      checkpoint(false);
    }
  }
}

void GroupCommit::checkpoint(bool restart) {
  const auto start = Clock::now();
  sqlite3* db = connection_->raw();
  pass_began_at_ = wal_pages_;
  rest_done_ = true;
  if (!restart) {
    sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  } else if (readers_.pause(kReadersPause)) {
    sqlite3_busy_timeout(db, 0);
    sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    sqlite3_busy_timeout(db, static_cast<int>(options_.busy_timeout.count()));
    readers_.resume();
  }
  checkpoints_.fetch_add(1, std::memory_order_relaxed);
  checkpoint_nanos_.fetch_add(static_cast<std::uint64_t>((Clock::now() - start).count()), std::memory_order_relaxed);
}

}  // namespace triage::store
