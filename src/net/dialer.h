// The way from a request to a connection, for every client in this room: name resolution, the check of the addresses,
// connect, TLS; and what is said when it fails. All of it runs on the io_context of the coroutine that calls.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls.h"
#include "triage/net/client.h"

namespace triage::net {

// A connection to an origin, with TLS over it or not.
struct Link {
  using Socket = boost::asio::ip::tcp::socket;

  explicit Link(const boost::asio::any_io_executor& executor) : socket(executor) {}

  // False when the server has closed it, or sent something that nobody asked for.
  bool is_quiet();

  // One read, and one write of all of it. Like Asio's operations with redirect_error.
  boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer space, boost::system::error_code& ec);
  boost::asio::awaitable<void> write(std::string_view head, std::string_view body, boost::system::error_code& ec);

  Socket socket;
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls;
};

// Closes a socket when its time is up, which ends whatever waits on it.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Watchdog(const boost::asio::any_io_executor& executor) : state_(std::make_shared<State>(executor)) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Watches for as long as the guard lives, which must not be longer than the socket. One at a time.
  class [[nodiscard]] Guard {
   public:
    Guard(Watchdog& dog, Link& link, Clock::time_point until) : dog_(dog) { dog_.start(link.socket, until); }
    ~Guard() { dog_.stop(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watchdog& dog_;
  };

  bool expired() const { return state_->expired; }  // the last watch ended by closing the socket

 private:
  struct State {
    explicit State(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    Link::Socket* socket = nullptr;
    bool expired = false;
  };

  void start(Link::Socket& socket, Clock::time_point until);
  void stop();

  std::shared_ptr<State> state_;
};

// What is being done when a call fails: "could not <doing> HOST:PORT: why", or "HOST:PORT did not answer within … ms
// (<meanwhile>)".
struct Step {
  std::string_view doing;
  std::string_view meanwhile;
};
inline constexpr Step kConnecting{"connect to", "while connecting to it"};
inline constexpr Step kSecuring{"agree on TLS with", "while agreeing on TLS with it"};
inline constexpr Step kSending{"send the request to", "while sending the request to it"};
inline constexpr Step kWaiting{"read the answer of", "while waiting for its answer"};
inline constexpr Step kReading{"read the answer of", "while reading its answer"};

// One request on its way, with the time that it has.
struct Call {
  using Clock = Watchdog::Clock;

  // `what` must live as long as the call.
  Call(const boost::asio::any_io_executor& on, const ClientRequest& what, std::chrono::milliseconds time)
      : executor(on), request(what), timeout(time), deadline(Clock::now() + time), watchdog(on) {}

  std::chrono::milliseconds left() const;  // not below 0

  // timeout when the deadline has passed or the watchdog has closed the socket, bad_gateway otherwise.
  Error failed(const Step& step, const std::string& reason) const;
  Error failed(const Step& step, const boost::system::error_code& ec) const;

  boost::asio::any_io_executor executor;
  const ClientRequest& request;
  std::chrono::milliseconds timeout;
  Clock::time_point deadline;
  Watchdog watchdog;
};

// Whether a request like this is sent with its body: GET and HEAD never are.
bool carries_body(const ClientRequest& request);

// The request line and the header. Errors (bad_request) quote no header's value: they hold signatures and tokens.
Result<std::string> head_of(const ClientRequest& request, const std::string& user_agent);

// What the system says of `ec`, or that the server closed the connection.
std::string describe(const boost::system::error_code& ec);

class Dialer {
 public:
  // Throws std::runtime_error when ca_file cannot be read.
  Dialer(bool allow_private_addresses, const std::string& ca_file);

  // A new connection to the call's origin, before the call's deadline. Nothing of the request has been sent. Errors:
  // forbidden, timeout, bad_gateway as Client::send says them.
  boost::asio::awaitable<Result<std::unique_ptr<Link>>> connect(Call& call) const;

 private:
  boost::asio::awaitable<Result<std::vector<IpAddress>>> allowed_addresses(const Call& call) const;
  boost::asio::awaitable<Result<void>> handshake(Call& call, Link& link) const;

  bool allow_private_addresses_;
  TlsContext tls_;
};

}  // namespace triage::net
