#include "triage/net/sse_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace triage::net {

namespace {
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::chrono::milliseconds kLongestRetry = std::chrono::hours(24);
}  // namespace

// One mark at the very start is not part of the first line. It may come in pieces.
void SseParser::strip_mark(std::string_view& bytes) {
  while (!started_ && !bytes.empty()) {
    if (bytes.front() == kByteOrderMark[mark_]) {
      bytes.remove_prefix(1);
      started_ = ++mark_ == kByteOrderMark.size();
    } else {
      line_ = kByteOrderMark.substr(0, mark_);
      started_ = true;
    }
  }
}

std::optional<ServerEvent> SseParser::next(std::string_view& bytes) {
  strip_mark(bytes);
  ServerEvent out;
  while (!bytes.empty() && !too_large_) {
    // A line ends at its CR at once: whether an LF belongs to it may be known much later.
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    // Of a comment only its colon is held.
    const std::size_t kept = line_.starts_with(':') ? 0 : bytes.front() == ':' && line_.empty() ? 1 : end;
    if (kept > event_bytes_ - std::min(event_bytes_, line_.size())) {
      too_large_ = true;
      break;
    }
    line_.append(bytes.substr(0, kept));
    if (end == bytes.size()) {
      bytes = {};
      break;
    }
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (end_line(out)) return out;
  }
  if (too_large_) bytes = {};
  return std::nullopt;
}

// True when the line ended an event, which is in `out` then.
bool SseParser::end_line(ServerEvent& out) {
  if (!line_.empty()) {
    const std::size_t colon = line_.find(':');
    const std::string_view line = line_;
    std::string_view value = colon == std::string::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (colon != 0) field(line.substr(0, colon), value);
    too_large_ = name_.size() + data_.size() > event_bytes_ + 1;  // the last "\n" of the data is not part of it
    line_.clear();
    return false;
  }

  last_id_ = id_;
  const std::string name = std::exchange(name_, {});
  if (data_.empty()) return false;
  data_.pop_back();
  out = {name.empty() ? "message" : name, std::exchange(data_, {}), id_};
  return true;
}

void SseParser::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).push_back('\n');
  } else if (name == "event") {
    name_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry" && !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::chrono::milliseconds::rep wait = 0;
    const bool fits = std::from_chars(value.data(), value.data() + value.size(), wait).ec == std::errc();
    retry_ = fits ? std::min(std::chrono::milliseconds(wait), kLongestRetry) : kLongestRetry;
  }
}

}  // namespace triage::net
