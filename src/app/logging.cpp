#include "app/logging.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "triage/model/time.h"

namespace triage::app {

namespace {

// Separators of fields behind a message on its way through spdlog; no text of ours holds them.
constexpr char kField = '\x1f';
constexpr char kValue = '\x1e';

void put(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

void put_escaped(spdlog::memory_buf_t& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char ch : text) {
    const auto c = static_cast<unsigned char>(ch);
    if (ch == '"' || ch == '\\') {
      out.push_back('\\');
      out.push_back(ch);
    } else if (c < 0x20 || c >= 0x7f) {
      // A log line stays ASCII whatever a client sent.
      put(out, "\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    } else {
      out.push_back(ch);
    }
  }
}

// Control characters in text logs could forge lines.
void put_plain(spdlog::memory_buf_t& out, std::string_view text) {
  for (const char ch : text) out.push_back(static_cast<unsigned char>(ch) < 0x20 ? ' ' : ch);
}

class Formatter : public spdlog::formatter {
 public:
  explicit Formatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& out) override {
    const auto at = std::chrono::time_point_cast<Duration>(msg.time);
    const std::string time = format_time(Time(at.time_since_epoch()));
    const auto level = spdlog::level::to_string_view(msg.level);
    std::string_view rest(msg.payload.data(), msg.payload.size());
    const std::string_view message = take(rest, kField);
    if (json_) {
      put(out, "{\"time\":\"");
      put(out, time);
      put(out, "\",\"level\":\"");
      out.append(level.data(), level.data() + level.size());
      put(out, "\",\"message\":\"");
      put_escaped(out, message);
    } else {
      put(out, time);
      out.push_back(' ');
      out.append(level.data(), level.data() + level.size());
      out.push_back(' ');
      put_plain(out, message);
    }
    while (!rest.empty()) {
      std::string_view value = take(rest, kField);
      const std::string_view key = take(value, kValue);
      put(out, json_ ? "\",\"" : " ");
      put(out, key);
      put(out, json_ ? "\":\"" : "=");
      json_ ? put_escaped(out, value) : put_plain(out, value);
    }
    put(out, json_ ? "\"}\n" : "\n");
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<Formatter>(json_); }

 private:
  static std::string_view take(std::string_view& text, char end) {
    const std::size_t at = std::min(text.find(end), text.size());
    const std::string_view head = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return head;
  }

  bool json_;
};

}  // namespace

void setup_logging(const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("triaged", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<Formatter>(options.json));
  logger->set_level(spdlog::level::from_str(options.level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void log_line(spdlog::level::level_enum level, std::string_view message, LogFields fields) {
  if (!spdlog::should_log(level)) return;
  std::string line(message);
  for (const auto& [key, value] : fields) {
    line += kField;
    line += key;
    line += kValue;
    line += value;
  }
  spdlog::log(level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace triage::app
