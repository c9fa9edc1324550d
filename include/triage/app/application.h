// The composition root: connects the rooms by a configuration, and runs them. `serve` and `demo` are thin around it.
#pragma once

#include <memory>
#include <string>

#include "triage/app/config.h"
#include "triage/model/error.h"

namespace triage::app {

class Application {
 public:
  // Opens the store and binds the sources; nothing listens yet. The error says which part and why.
  static Result<std::unique_ptr<Application>> create(Config config);
  ~Application();

  // Starts the threads and accepts connections.
  Result<void> start();
  std::string url() const;  // http://127.0.0.1:8080, with the port that was bound

  // Another configuration for everything but listen, data and threads, which need a restart (a warning is logged when
  // they differ). On an error the present one stays in force. Call from outside the io threads.
  Result<void> reload(Config config);

  // Stops taking work, lets what runs finish within the configured grace, closes the store. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit Application(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace triage::app
