// The thread and its passes.
#include "store/checkpointer.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

namespace triage::store {

Checkpointer::Checkpointer(std::filesystem::path file, const Connection::Settings& settings)
    : file_(std::move(file)), settings_(settings), thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::start() {
  {
    const std::lock_guard lock(mutex_);
    busy_ = true;
  }
  changed_.notify_all();
}

bool Checkpointer::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void Checkpointer::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
}

void Checkpointer::run() {
  pthread_setname_np(pthread_self(), "store-checkpt");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return busy_ || stopping_; });
    if (stopping_) return;
    lock.unlock();
    pass();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

// A pass that fails loses nothing: the log goes on growing, and the next commit says what is wrong with the disk.
void Checkpointer::pass() {
  try {
    if (!connection_) connection_ = std::make_unique<Connection>(file_, settings_);
    const int code =
        sqlite3_wal_checkpoint_v2(connection_->raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (code != SQLITE_OK && code != SQLITE_BUSY) connection_->fail(code, "checkpoint");
  } catch (const std::exception& failure) {
    connection_.reset();
    spdlog::warn("store: the log was not written back to the database: {}", failure.what());
  }
}

}  // namespace triage::store
