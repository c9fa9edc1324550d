// The io threads: one io_context a thread, so that what lives on one needs no lock.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace triage::net {

class Runtime {
 public:
  explicit Runtime(unsigned threads);  // at least 1
  ~Runtime();                          // stop()s

  // The next context, in turn. Thread-safe.
  boost::asio::io_context& next();
  boost::asio::io_context& at(std::size_t index) { return *contexts_[index]; }
  std::size_t size() const { return contexts_.size(); }

  // Drops the work guards, stops the contexts and joins the threads. Whatever still waits in them is destroyed with the
  // Runtime, so that timers and sockets elsewhere may outlive stop(). Not from an io thread.
  void stop();

 private:
  using Guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<Guard> guards_;
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace triage::net
