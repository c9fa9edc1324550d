// The readers' threads.
#include "store/reader_pool.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include "store/database.h"
#include "store/place.h"

namespace triage::store {
namespace {

const Sql kBegin("BEGIN");
const Sql kEnd("COMMIT");

// A connection that is made anew after a failing disk.
class Snapshots {
 public:
  Snapshots(const std::filesystem::path& file, std::chrono::milliseconds busy_timeout) : file_(file) {
    settings_.busy_timeout = busy_timeout;
    settings_.cache_kib = kReaderCacheKib;
  }

  std::pair<bool, std::string> run(const Store::Read& read) {
    try {
      if (!connection_) connection_ = std::make_unique<Connection>(file_, settings_);
      connection_->use(kBegin).exec();
      Database database(*connection_);
      read(database);
      connection_->use(kEnd).exec();
      return {true, {}};
    } catch (const Unavailable& failure) {
      connection_.reset();
      return {false, failure.text};
    } catch (const std::exception& defect) {
      spdlog::error("store: a read failed: {}", defect.what());
      connection_->rollback();
      return {false, defect.what()};
    }
  }

 private:
  std::filesystem::path file_;
  Connection::Settings settings_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

ReaderPool::ReaderPool(std::filesystem::path file, const Options& options) : file_(std::move(file)), options_(options) {
  const unsigned count = std::max(1U, options.readers);
  for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

ReaderPool::~ReaderPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void ReaderPool::submit(Store::Read read, Store::ReadDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.read_queue_depth) {
      queue_.push_back({std::move(read), std::move(done)});
      done = nullptr;
    }
  }
  if (done) {
    done(false, "too many reads wait");
  } else {
    work_.notify_one();
  }
}

bool ReaderPool::pause(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  paused_ = true;
  if (quiet_.wait_for(lock, patience, [this] { return running_ == 0; })) return true;
  paused_ = false;
  lock.unlock();
  work_.notify_all();
  return false;
}

void ReaderPool::resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
  }
  work_.notify_all();
}

void ReaderPool::run() {
  pthread_setname_np(pthread_self(), "store-reader");
  Snapshots snapshots(file_, options_.busy_timeout);
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return (!queue_.empty() && !paused_) || (queue_.empty() && stopping_); });
    if (queue_.empty()) return;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();

    const auto [ok, detail] = snapshots.run(entry.read);
    lock.lock();
    if (--running_ == 0 && paused_) quiet_.notify_one();
    lock.unlock();
    try {
      entry.done(ok, detail);
    } catch (const std::exception& defect) {
      spdlog::error("store: what followed a read threw: {}", defect.what());
    }
    entry = {};
    lock.lock();
  }
}

}  // namespace triage::store
