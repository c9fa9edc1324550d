#include "triage/net/runtime.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

namespace triage::net {
namespace {

void run(boost::asio::io_context& context) {
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& error) {
      // Only a defect of ours gets here. The thread carries hundreds of other connections: it goes on.
      spdlog::error("an io thread caught an exception that nobody handled: {}", error.what());
    }
  }
}

}  // namespace

Runtime::Runtime(unsigned threads) {
  const unsigned count = std::max(threads, 1U);
  for (unsigned i = 0; i < count; ++i) {
    // The hint of 1 spares Asio waking a second thread that is not there; posting from other threads stays safe.
    contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.emplace_back(contexts_.back()->get_executor());
  }
  for (unsigned i = 0; i < count; ++i) {
    threads_.emplace_back([this, i] { run(*contexts_[i]); });
    const std::string name = "io-" + std::to_string(i);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

Runtime::~Runtime() {
  stop();
}

boost::asio::io_context& Runtime::next() {
  return *contexts_[turn_.fetch_add(1, std::memory_order_relaxed) % contexts_.size()];
}

void Runtime::stop() {
  guards_.clear();
  for (auto& context : contexts_) context->stop();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  threads_.clear();
}

}  // namespace triage::net
