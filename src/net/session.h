// One connection of the server, from accept to close: read a request, handle it, write the answer, with a deadline on
// each wait. What a request is and whether it is sound is RequestReader's to say; this only moves bytes.
#pragma once

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <type_traits>

#include "net/request_reader.h"
#include "net/response_writer.h"
#include "net/status.h"
#include "net/tls.h"
#include "net/worker.h"

namespace triage::net {

using PlainStream = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

// Owns the stream before the Connection that refers to its socket (base classes are made in order).
template <class Stream>
struct StreamHolder {
  template <class... Args>
  explicit StreamHolder(Args&&... args) : stream(std::forward<Args>(args)...) {}
  Stream stream;
};

template <class Stream>
class Session final : private StreamHolder<Stream>, public Connection {
 public:
  struct Shared {
    const ServerLimits& limits;
    const std::function<void(const Exchange&)>& observer;
    ServerStats& stats;
    Worker& worker;
  };

  // References in `shared` and `reading` must outlive the session.
  template <class... StreamArgs>
  Session(Shared shared, RequestReader::Shared reading, Peer peer, TlsContext tls, StreamArgs&&... args)
      : StreamHolder<Stream>(std::forward<StreamArgs>(args)...),
        Connection(this->stream.lowest_layer()),
        shared_(shared),
        tls_(std::move(tls)),
        reader_(reading, std::move(peer)) {}

  boost::asio::awaitable<void> run() {
    namespace asio = boost::asio;
    const ServerLimits& limits = shared_.limits;
    boost::system::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);

    if constexpr (kTls) {
      wait_for(Wait::handshake, Clock::now() + limits.handshake_timeout);
      co_await stream.async_handshake(asio::ssl::stream_base::server, token);
      if (ec) {
        ++shared_.stats.handshakes_failed;
        co_return;
      }
    }

    // Nothing is due to come on a new connection, so it may stay silent only as long as a header may take.
    wait_for(Wait::idle, Clock::now() + std::min(limits.idle_timeout, limits.header_timeout));
    for (;;) {
      RequestReader::Step step = reader_.advance();
      while (step != RequestReader::Step::complete) {
        if (step == RequestReader::Step::send_continue) {
          static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
          wait_for(Wait::write, Clock::now() + limits.write_timeout);
          co_await asio::async_write(stream, asio::const_buffer(kContinue.data(), kContinue.size()), token);
          if (ec) co_return;
        } else {
          if (!prepare_wait()) co_return;
          const asio::mutable_buffer space = reader_.prepare();
          const std::size_t bytes = co_await stream.async_read_some(space, token);
          reader_.commit(bytes);
          if (ec) {
            // A late header or body is answered. A client that went away in the middle is not.
            if (!timed_out() || waits_for() == Wait::idle || cut()) co_return;
            reader_.fail(
                problem_with_status(408, make_error(ErrorCode::timeout, "the request did not arrive in time")));
          } else if (waits_for() == Wait::idle) {
            started_ = Clock::now();
          }
        }
        step = reader_.advance();
      }

      shared_.worker.next_request_id(reader_.request().id);
      wait_for(Wait::handler, Clock::time_point::max());
      if (reader_.answer()) {
        response_ = std::move(*reader_.answer());
        if (reader_.malformed()) ++shared_.stats.malformed;
      } else {
        try {
          asio::awaitable<Response> work = reader_.route()->handler(reader_.request());
          response_ = co_await std::move(work);
        } catch (const std::exception& error) {
          if (!cut()) response_ = internal_error(error.what());
        } catch (...) {
          if (!cut()) response_ = internal_error("not a std::exception");
        }
        if (cut()) co_return;
      }

      // One write: a small body follows the head in one buffer, a large one is gathered from where it is.
      const ResponseContext context = response_context();
      head_.clear();
      write_head(response_, context, head_);
      const bool body = has_body(response_, context);
      const bool copied = body && response_.body.size() <= kCopyBytes;
      if (copied) head_.append(response_.body);
      std::array<asio::const_buffer, 2> buffers{asio::buffer(head_), asio::const_buffer()};
      if (body && !copied) buffers[1] = asio::buffer(response_.body);
      const std::size_t total = buffers[0].size() + buffers[1].size();
      std::size_t written = 0;
      if constexpr (!kTls) {
        // Nearly always the kernel takes all of it at once, and no wait is needed.
        written = stream.write_some(buffers, ec);
        if (ec == asio::error::would_block) ec.clear();
      }
      if (!ec && written < total) {
        const std::size_t from_head = std::min(written, buffers[0].size());
        buffers[0] += from_head;
        buffers[1] += written - from_head;
        wait_for(Wait::write, Clock::now() + limits.write_timeout);
        co_await asio::async_write(stream, buffers, token);
      }
      const auto now = Clock::now();
      observe(total, now);
      if (ec) co_return;
      if (!context.keep_alive) break;
      trim();
      reader_.next();
      // A pipelined request is in the buffer already: its time starts now.
      started_ = now;
      wait_for(Wait::idle, now + limits.idle_timeout);
    }
    asio::awaitable<void> closing = close();
    co_await std::move(closing);
  }

 private:
  using StreamHolder<Stream>::stream;
  static constexpr bool kTls = !std::is_same_v<Stream, PlainStream>;
  static constexpr std::size_t kCopyBytes = 16 * 1024;
  static constexpr std::size_t kKeptBytes = 64 * 1024;
  static constexpr std::size_t kLingerBytes = 16 * 1024 * 1024;
  static constexpr std::chrono::milliseconds kLingerTime{2'000};

  PlainStream& tcp() {
    if constexpr (kTls) {
      return stream.next_layer();
    } else {
      return stream;
    }
  }

  // Sets the deadline of the read to come: once for each phase, so that a drip of bytes does not move it. False when
  // nothing more is to be read.
  bool prepare_wait() {
    switch (reader_.phase()) {
      case RequestReader::Phase::idle:
        return !shared_.worker.draining();
      case RequestReader::Phase::header:
        if (waits_for() != Wait::header) wait_for(Wait::header, started_ + shared_.limits.header_timeout);
        return true;
      case RequestReader::Phase::body:
      case RequestReader::Phase::done:
        if (waits_for() != Wait::body) wait_for(Wait::body, Clock::now() + shared_.limits.body_timeout);
        return true;
    }
    return false;
  }

  ResponseContext response_context() {
    ResponseContext context;
    context.date = shared_.worker.date();
    context.id = reader_.request().id;
    context.keep_alive = reader_.keep_alive() && !shared_.worker.draining();
    context.http10 = reader_.http10();
    context.head = reader_.readable() && reader_.request().method == Method::head;
    return context;
  }

  Response internal_error(std::string_view what) {
    spdlog::error("request {}: the handler of {} failed: {}", reader_.request().id, reader_.route()->pattern, what);
    return problem(make_error(ErrorCode::internal, "the server failed; the request id is in X-Request-Id"));
  }

  void observe(std::size_t bytes, Clock::time_point now) {
    if (!shared_.observer) return;
    Exchange exchange;
    if (reader_.readable()) exchange.request = &reader_.request();
    if (reader_.route()) exchange.route = reader_.route()->pattern;
    exchange.status = response_.status;
    exchange.response_bytes = bytes;
    exchange.took = std::chrono::duration_cast<std::chrono::microseconds>(now - started_);
    shared_.observer(exchange);
  }

  // Memory of an unusually large answer is not kept for the connection's life.
  void trim() {
    if (head_.capacity() > kKeptBytes) head_ = std::string();
    if (response_.body.capacity() > kCopyBytes) response_.body = std::string();
  }

  // Closes so that the client can read the last answer: with bytes of its own unread, the kernel would send a reset,
  // and the answer would be lost on the way. So: end our side, read off what still comes, with a bound in bytes and
  // time.
  boost::asio::awaitable<void> close() {
    namespace asio = boost::asio;
    boost::system::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    wait_for(Wait::close, Clock::now() + kLingerTime);
    if constexpr (kTls) co_await stream.async_shutdown(token);
    PlainStream& socket = tcp();
    socket.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
    ec.clear();
    std::array<char, 4096> sink;
    for (std::size_t read = 0; !ec && read < kLingerBytes;) {
      read += co_await socket.async_read_some(asio::buffer(sink), token);
    }
    socket.close(ec);
  }

  const Shared shared_;
  const TlsContext tls_;  // a reload may drop the server's own reference while this connection lives
  RequestReader reader_;
  Response response_;
  std::string head_;
  Clock::time_point started_ = Clock::now();
};

}  // namespace triage::net
