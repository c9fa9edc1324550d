// Reads platforms that send nothing by themselves: polls them, and listens where they have a stream. How far it has
// read is kept in the commit that stores what it read, so that a restart goes on there and reads nothing twice.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "app/admissions.h"
#include "app/sources.h"
#include "triage/net/runtime.h"

namespace triage::app {

class Pulls {
 public:
  Pulls(net::Runtime& runtime, Admissions& admissions) : runtime_(runtime), admissions_(admissions) {}

  // Begins with all pulls of those sources; those that run end after what they are at. Thread-safe.
  void configure(std::shared_ptr<const Sources> sources, const net::ClientOptions& options);

  // Ends them, and waits until they have, five seconds at most. Not from an io thread.
  void stop();

 private:
  struct Loop;
  // How many run, also those of a configuration before.
  struct Running {
    std::mutex mutex;
    std::condition_variable none;
    int count = 0;
  };

  net::Runtime& runtime_;
  Admissions& admissions_;
  const std::shared_ptr<Running> running_ = std::make_shared<Running>();
  std::mutex mutex_;
  std::vector<std::shared_ptr<Loop>> loops_;
  bool stopped_ = false;
};

}  // namespace triage::app
