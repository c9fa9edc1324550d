// One io thread's share of the server: its connections, their deadlines, and what its answers have in common. Touched
// on that thread only, but for `load`.
//
// Deadlines cost a connection one store each: a sweep over all connections of the thread, a few times a second, closes
// the late ones. A timer per read and write would cost more than the requests themselves.
#pragma once

#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "triage/net/server.h"

namespace triage::net {

using Clock = std::chrono::steady_clock;

// What the sweep and the drain need to know of a connection.
class Connection {
 public:
  // What the connection waits for, which says what becomes of it when its deadline has passed.
  enum class Wait { handshake, idle, header, body, handler, write, close };

  using Socket = boost::asio::ip::tcp::socket::lowest_layer_type;
  explicit Connection(Socket& socket) : socket_(socket) {}
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  boost::asio::cancellation_slot cancellation_slot() { return cancellation_.slot(); }

 protected:
  void wait_for(Wait what, Clock::time_point deadline) {
    wait_ = what;
    deadline_ = deadline;
  }
  Wait waits_for() const { return wait_; }
  bool timed_out() const { return timed_out_; }
  bool cut() const { return cut_; }

 private:
  friend class Worker;
  bool expire();      // the deadline has passed; true when it was in the middle of something
  void close_idle();  // the server drains
  void cut_off();     // the drain's grace is over

  Socket& socket_;
  boost::asio::cancellation_signal cancellation_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Wait wait_ = Wait::idle;
  bool timed_out_ = false;
  bool cut_ = false;
  std::size_t slot_ = 0;  // the place in the worker's list
};

class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(boost::asio::io_context& context, std::chrono::milliseconds sweep_every, ServerStats& stats);

  boost::asio::io_context& context() { return context_; }

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);

  // No new request after this; idle connections close.
  void drain();
  bool draining() const { return draining_; }
  void cut_off();

  std::string_view date() const { return date_; }
  void next_request_id(std::string& id);

  std::atomic<std::size_t> load{0};  // connections here or on their way
  std::size_t refused_held = 0;      // connections over the limit that read their answer yet

 private:
  void sweep();
  void arm();
  void refresh_date();

  boost::asio::io_context& context_;
  boost::asio::steady_timer timer_;
  const std::chrono::milliseconds sweep_every_;
  ServerStats& stats_;
  std::vector<std::shared_ptr<Connection>> connections_;
  bool draining_ = false;
  bool armed_ = false;
  std::time_t date_second_ = 0;
  std::string date_;
  std::string id_prefix_;
  std::uint64_t ids_ = 0;
};

}  // namespace triage::net
