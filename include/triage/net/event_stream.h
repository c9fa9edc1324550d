// A client for Server-Sent Events (WHATWG HTML standard, 9.2), with the address checks, the TLS and the deadlines of
// Client. It does not open a stream again by itself: when to, and with which Last-Event-ID, is the caller's to say.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "triage/net/client.h"
#include "triage/net/sse_parser.h"

namespace triage::net {

struct EventStreamOptions {
  bool allow_private_addresses = false;
  std::chrono::milliseconds connect_timeout{10'000};  // from resolution to the end of the answer's header
  std::chrono::milliseconds idle_timeout{90'000};     // no byte for so long, not even of a comment: the stream is dead
  std::size_t event_bytes = 1024 * 1024;              // the largest event, see SseParser; a larger one ends the stream
  std::string ca_file;                                // more trusted roots, PEM; the system's are always trusted
  std::string user_agent = "triaged";
};

// One stream at a time. Lives on one io_context, which outlives it; calls on that context only, one coroutine at a
// time, but for close().
class EventStream {
 public:
  // Throws std::runtime_error when ca_file cannot be read.
  explicit EventStream(EventStreamOptions options);
  ~EventStream();  // close()s: a coroutine that waits ends with an error

  // GET `url` with `headers`, and Accept: text/event-stream and Cache-Control: no-store unless they have such. A stream
  // that is open is closed first; redirects are not followed.
  //
  // Any HTTP answer is a value. With status 200 the stream is open, and the body empty. With any other it is not: the
  // body has what came of it within connect_timeout, its first 16 KiB at most (401, 429 with Retry-After, 204 for "do
  // not come back", …). Errors as Client::send, and bad_gateway for a 200 that is no event stream and for close().
  boost::asio::awaitable<Result<ClientResponse>> open(Url url, Headers headers = {});

  // The next event. An error ends the stream: timeout (idle_timeout passed without a byte), bad_gateway (not open,
  // closed, ended by the server, broken, an event over event_bytes: says which). An event that was cut off by the
  // stream's end is dropped. Cancelling the coroutine closes the stream, too.
  boost::asio::awaitable<Result<ServerEvent>> next();

  // Of the stream that was opened last; they still stand when it has ended. See SseParser.
  std::optional<std::chrono::milliseconds> retry() const;
  std::string last_event_id() const;

  // Ends the stream, and an open() or next() that waits, promptly.
  void close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // coroutines under way share it
};

}  // namespace triage::net
