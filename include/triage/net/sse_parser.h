// Reads an event stream: WHATWG HTML standard, 9.2.6 "Interpreting an event stream". Pure: bytes in, events out, in
// whatever pieces the bytes come.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace triage::net {

struct ServerEvent {
  std::string event;  // "message" when the server gave it no name
  std::string data;   // its lines with "\n" between them
  std::string id;     // the last event id so far, "" for none; it may come from an earlier event

  friend bool operator==(const ServerEvent&, const ServerEvent&) = default;
};

class SseParser {
 public:
  // An event's name and data together, and any line, have at most `event_bytes` bytes; comments have any number. That
  // bounds what is held here, too: a few times as much.
  explicit SseParser(std::size_t event_bytes) : event_bytes_(event_bytes) {}

  // Takes bytes off the front of `bytes` up to the end of the next event, and returns it; all of them and nothing when
  // they end before it does. What the standard drops is dropped: events without data, comments, fields that it does not
  // know, an id with a NUL in it. Bytes are passed on as they are, valid UTF-8 or not.
  std::optional<ServerEvent> next(std::string_view& bytes);

  // An event was over the limit. Nothing comes any more.
  bool too_large() const { return too_large_; }

  // The id to send as Last-Event-ID when the stream is opened again: of the last event that ended, even if it had no
  // data.
  const std::string& last_id() const { return last_id_; }

  // What the server asked to wait before the stream is opened again, a day at most; nothing when it did not ask.
  std::optional<std::chrono::milliseconds> retry() const { return retry_; }

 private:
  void strip_mark(std::string_view& bytes);
  bool end_line(ServerEvent& out);
  void field(std::string_view name, std::string_view value);

  std::size_t event_bytes_;
  std::size_t mark_ = 0;  // bytes of the byte order mark seen at the start
  bool started_ = false;  // past the place where it may stand
  bool after_cr_ = false;
  bool too_large_ = false;
  std::string line_;
  std::string name_;
  std::string data_;  // with "\n" after each line, until it is dispatched
  std::string id_;
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace triage::net
