#include "net/dialer.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

#include "net/resolver.h"
#include "net/text.h"

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes Asio's pair of operators for a coroutine's frame for a mismatch when it inlines one of the two.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace triage::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Clock = Watchdog::Clock;

namespace {

constexpr std::chrono::milliseconds kLeastConnectTime{500};

std::string host_header(const Url& url) {
  std::string out = url.host.find(':') == std::string::npos ? url.host : '[' + url.host + ']';
  if (url.port != (url.scheme == "https" ? "443" : "80")) out += ':' + url.port;
  return out;
}

bool is_ours(std::string_view name) {
  for (const std::string_view ours : {"Host", "Content-Length", "Transfer-Encoding", "Connection"}) {
    if (iequals(name, ours)) return true;
  }
  return false;
}

// Whether the method is about a body, so that a length of 0 says something (RFC 9110, 8.6).
bool wants_body(Method method) {
  return method == Method::post || method == Method::put || method == Method::patch;
}

}  // namespace

bool Link::is_quiet() {
  char byte = 0;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

asio::awaitable<std::size_t> Link::read_some(asio::mutable_buffer space, boost::system::error_code& ec) {
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  std::size_t bytes = 0;
  if (tls) {
    bytes = co_await tls->async_read_some(space, token);
  } else {
    bytes = co_await socket.async_read_some(space, token);
  }
  co_return bytes;
}

asio::awaitable<void> Link::write(std::string_view head, std::string_view body, boost::system::error_code& ec) {
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
  if (tls) {
    co_await asio::async_write(*tls, buffers, token);
  } else {
    co_await asio::async_write(socket, buffers, token);
  }
}

void Watchdog::start(Link::Socket& socket, Clock::time_point until) {
  state_->socket = &socket;
  state_->expired = false;
  state_->timer.expires_at(until);
  state_->timer.async_wait([state = state_](const boost::system::error_code& ec) {
    // A wait that was replaced may have been on its way already: only a deadline that has passed counts.
    if (ec || !state->socket || state->timer.expiry() > Clock::now()) return;
    state->expired = true;
    boost::system::error_code ignored;
    state->socket->close(ignored);
  });
}

void Watchdog::stop() {
  state_->socket = nullptr;
  state_->timer.cancel();
}

std::chrono::milliseconds Call::left() const {
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()),
                  std::chrono::milliseconds(0));
}

Error Call::failed(const Step& step, const std::string& reason) const {
  const Url& url = request.url;
  // The watchdog's close shows as an aborted operation; what happened is that time ran out.
  if (watchdog.expired() || Clock::now() >= deadline) {
    return make_error(ErrorCode::timeout, fmt::format("{}:{} did not answer within {} ms ({})", url.host, url.port,
                                                      timeout.count(), step.meanwhile));
  }
  return make_error(ErrorCode::bad_gateway,
                    fmt::format("could not {} {}:{}: {}", step.doing, url.host, url.port, reason));
}

Error Call::failed(const Step& step, const boost::system::error_code& ec) const {
  return failed(step, describe(ec));
}

std::string describe(const boost::system::error_code& ec) {
  return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated ? "the server closed the connection"
                                                                            : ec.message();
}

bool carries_body(const ClientRequest& request) {
  return !request.body.empty() && request.method != Method::get && request.method != Method::head;
}

Result<std::string> head_of(const ClientRequest& request, const std::string& user_agent) {
  if (request.method == Method::other) {
    return make_error(ErrorCode::bad_request, "the method of the call is not one that can be sent");
  }
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", to_string(request.method), request.url.target,
                                 host_header(request.url));
  const auto own = find_header(request.headers, "User-Agent");  // some platforms want to know whose program it is
  if (!own) head.append("User-Agent: ").append(user_agent).append("\r\n");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return make_error(ErrorCode::bad_request, "a header of the call has a name that is not one");
    if (!is_header_value(value)) {
      return make_error(ErrorCode::bad_request, "the header " + name + " has a control character in its value");
    }
    if (!is_ours(name)) head.append(name).append(": ").append(value).append("\r\n");
  }
  if (carries_body(request) || wants_body(request.method)) {
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  head += "\r\n";
  return head;
}

Dialer::Dialer(bool allow_private_addresses, const std::string& ca_file)
    : allow_private_addresses_(allow_private_addresses) {
  auto made = make_client_tls(ca_file);
  if (!made) throw std::runtime_error(made.error().detail);
  tls_ = *made;
}

asio::awaitable<Result<std::vector<IpAddress>>> Dialer::allowed_addresses(const Call& call) const {
  const Url& url = call.request.url;
  auto resolving = Resolver::shared().resolve(url.host, call.left());
  Result<std::vector<IpAddress>> found = co_await std::move(resolving);
  if (!found || allow_private_addresses_) co_return found;

  std::vector<IpAddress> allowed;
  std::string refused;
  for (const IpAddress& address : *found) {
    if (is_public_address(address)) {
      allowed.push_back(address);
    } else {
      if (!refused.empty()) refused += ", ";
      refused += address.str();
    }
  }
  if (allowed.empty()) {
    co_return make_error(ErrorCode::forbidden,
                         fmt::format("{} is not called: its address {} is not public", url.host, refused));
  }
  co_return allowed;
}

asio::awaitable<Result<std::unique_ptr<Link>>> Dialer::connect(Call& call) const {
  auto finding = allowed_addresses(call);
  const Result<std::vector<IpAddress>> addresses = co_await std::move(finding);
  if (!addresses) co_return addresses.error();

  const auto port = static_cast<unsigned short>(std::stoul(call.request.url.port));
  boost::system::error_code ec;
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const IpAddress& address = (*addresses)[i];
    const tcp::endpoint endpoint(asio::ip::make_address(address.str()), port);
    auto link = std::make_unique<Link>(call.executor);
    // An address that swallows packets must leave time for the ones behind it.
    auto until = call.deadline;
    if (i + 1 < addresses->size()) until = std::min(until, Clock::now() + std::max(call.left() / 2, kLeastConnectTime));
    {
      const Watchdog::Guard guard(call.watchdog, *link, until);
      co_await link->socket.async_connect(endpoint, token);
    }
    if (!ec && call.watchdog.expired()) ec = asio::error::timed_out;  // connected, and closed again at that moment
    if (ec) continue;
    boost::system::error_code ignored;
    link->socket.set_option(tcp::no_delay(true), ignored);
    if (call.request.url.scheme == "https") {
      auto securing = handshake(call, *link);
      const Result<void> secured = co_await std::move(securing);
      if (!secured) co_return secured.error();
    }
    co_return std::move(link);
  }
  co_return call.failed(kConnecting, ec);
}

asio::awaitable<Result<void>> Dialer::handshake(Call& call, Link& link) const {
  std::string host = call.request.url.host;
  if (host.back() == '.') host.pop_back();  // certificates name hosts without the root's dot
  link.tls = std::make_unique<asio::ssl::stream<tcp::socket&>>(link.socket, *tls_);
  SSL* const ssl = link.tls->native_handle();
  // SSL_set_tlsext_host_name, which is a macro with a C cast in it.
  if (!IpAddress::parse(host)) SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
  link.tls->set_verify_callback(asio::ssl::host_name_verification(host));

  boost::system::error_code ec;
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  const Watchdog::Guard guard(call.watchdog, link, call.deadline);
  co_await link.tls->async_handshake(asio::ssl::stream_base::client, token);
  if (ec) {
    const long verified = SSL_get_verify_result(ssl);
    const std::string reason = verified == X509_V_OK ? describe(ec) : X509_verify_cert_error_string(verified);
    co_return call.failed(kSecuring, reason);
  }
  co_return Result<void>();
}

}  // namespace triage::net
