// Structured logs through spdlog: one line a record on stderr, as text or as JSON, with fields beside the message.
#pragma once

#include <spdlog/common.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace triage::app {

struct LogOptions {
  std::string level = "info";  // trace, debug, info, warn, error, off
  bool json = false;
};

// Sets the default logger. Call before threads start; level alone may change later by calling it again.
void setup_logging(const LogOptions& options);

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

// `message key=value …`, or one JSON object with the keys beside "time", "level" and "message".
void log_line(spdlog::level::level_enum level, std::string_view message, LogFields fields);

}  // namespace triage::app
