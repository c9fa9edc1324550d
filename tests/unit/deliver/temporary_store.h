// A real store in a directory of its own, with calls that wait for their end. Also for the tests of the timetable.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "triage/store/store.h"

namespace triage::testing {

// Polls until `holds` says so. Only a defect runs into the limit: a busy disk may stall a commit for many seconds.
inline bool eventually(const std::function<bool()>& holds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(100);
  while (std::chrono::steady_clock::now() < limit) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class TemporaryStore {
 public:
  TemporaryStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "triaged-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    options_.directory = pattern;
    options_.busy_timeout = std::chrono::milliseconds(20);
    open();
  }
  ~TemporaryStore() {
    close();
    std::error_code ignored;
    std::filesystem::remove_all(options_.directory, ignored);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  store::Store& operator*() { return *store_; }
  store::Store* operator->() { return store_.get(); }

  void open() {
    auto opened = store::open(options_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }
  void close() { store_.reset(); }

  void write(const store::Store::Work& work) {
    std::promise<std::pair<store::Committed, std::string>> done;
    store_->write(work, [&done](store::Committed outcome, const std::string& detail) {
      done.set_value({outcome, detail});
    });
    const auto [outcome, detail] = done.get_future().get();
    if (outcome != store::Committed::yes) throw std::runtime_error("the write was not committed: " + detail);
  }

  void read(const store::Store::Read& work) {
    std::promise<std::pair<bool, std::string>> done;
    store_->read(work, [&done](bool ok, const std::string& detail) { done.set_value({ok, detail}); });
    const auto [ok, detail] = done.get_future().get();
    if (!ok) throw std::runtime_error("the read failed: " + detail);
  }

  // Holds the database's write lock from outside, as a process that runs beside the server may, until it is destroyed.
  class Lock {
   public:
    explicit Lock(const std::filesystem::path& directory)
        : thread_([this, directory] {
            auto session = store::open_session(directory, false);
            if (!session) throw std::runtime_error(session.error().detail);
            const auto done = (*session)->write([this](store::Writer& writer) {
              // The transaction may be a deferred one: a change makes sure that it has the lock.
              writer.set_endpoint({"lock", true, "", Time()});
              held_.set_value();
              release_.get_future().wait();
            });
            if (!done) throw std::runtime_error(done.error().detail);
          }) {
      held_.get_future().wait();
    }
    ~Lock() {
      release_.set_value();
      thread_.join();
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    std::promise<void> held_, release_;
    std::thread thread_;
  };
  const std::filesystem::path& directory() const { return options_.directory; }

 private:
  store::Options options_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace triage::testing
