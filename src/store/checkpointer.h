// Writes the log back into the database on a thread of its own, so that the writer does not wait for that disk work.
// Only the last few pages, which came while it was at it, are left for the writer.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "store/sqlite.h"

namespace triage::store {

class Checkpointer {
 public:
  Checkpointer(std::filesystem::path file, const Connection::Settings& settings);
  ~Checkpointer();

  void start();  // a pass over what the log holds now; while one is under way, nothing
  bool busy() const;
  void wait();  // until no pass is under way

 private:
  void run();
  void pass();

  const std::filesystem::path file_;
  const Connection::Settings settings_;
  std::unique_ptr<Connection> connection_;  // the thread's
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace triage::store
