// The HTTP/1.1 client: kept connections, deadlines, TLS with verification, and no request to an address
// that is not public unless allowed. The address is checked after name resolution and the connection goes to the very
// address that was checked, so a name cannot be rebound between the two.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "triage/net/address.h"
#include "triage/net/http.h"

namespace triage::net {

struct Url {
  std::string scheme;  // http or https
  std::string host;    // without brackets
  std::string port;    // always set: 80 or 443 when left out
  std::string target;  // path and query, at least "/"
};

// http(s) URLs without user information or fragment. The error (unprocessable) says what is wrong, without quoting it.
Result<Url> parse_url(std::string_view text);

struct ClientOptions {
  bool allow_private_addresses = false;
  std::chrono::milliseconds timeout{10'000};       // for the whole exchange, from resolution to the answer's end
  std::chrono::milliseconds idle_timeout{30'000};  // a kept connection unused for so long is closed
  std::size_t idle_connections_per_origin = 4;
  std::size_t response_bytes = 64 * 1024;  // more of a body is not read: the connection is closed instead
  std::string ca_file;                     // more trusted roots, PEM; the system's are always trusted
  std::string user_agent = "triaged";
};

struct ClientRequest {
  Method method = Method::post;  // any but Method::other
  Url url;
  Headers headers;   // Host, Content-Length and Connection are set by the client, and User-Agent where it is not here
  std::string body;  // not sent with GET and HEAD
  // False: what it asks for must not happen twice. It gets a connection of its own, never a kept one that the server
  // may have closed, so it is sent once at most.
  bool repeatable = true;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// Lives on one io_context; calls from coroutines on that context only.
class Client {
 public:
  // Throws std::runtime_error when ca_file cannot be read.
  explicit Client(ClientOptions options);
  ~Client();

  // One exchange. Any HTTP status is a value; redirects are not followed. Errors: forbidden (address not public, says
  // which), timeout, bad_gateway (could not resolve, connect, verify or read: says which and why), bad_request (a
  // header or a method that is not one). They name host and port, never the path or a header's value. A kept connection
  // that the server closed before answering is replaced once by a new one, and a repeatable request sent again.
  //
  // *sent becomes false at the start, and true as soon as a byte of the request may have left for the server, whatever
  // comes of it: an error with *sent false (name, address, connect, TLS) means that the server has surely not got it.
  // It holds when the coroutine is cancelled, too. `request` and *sent must live until the answer is there.
  boost::asio::awaitable<Result<ClientResponse>> send(const ClientRequest& request, bool* sent = nullptr);

  void close_idle();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // exchanges under way share it
};

}  // namespace triage::net
