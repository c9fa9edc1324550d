#include "triage/net/client.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "net/resolver.h"
#include "net/response_reader.h"
#include "net/text.h"
#include "net/tls.h"

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes Asio's pair of operators for a coroutine's frame for a mismatch when it inlines one of the two.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace triage::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLeastConnectTime{500};

// A connection to an origin, with TLS over it or not.
struct Link {
  explicit Link(const asio::any_io_executor& executor) : socket(executor) {}
  tcp::socket socket;
  std::unique_ptr<asio::ssl::stream<tcp::socket&>> tls;

  // False when the server has closed it, or sent something that nobody asked for.
  bool is_quiet() {
    char byte = 0;
    const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
};

// Closes a socket when its time is up, which ends whatever waits on it.
class Watchdog {
 public:
  explicit Watchdog(const asio::any_io_executor& executor) : state_(std::make_shared<State>(executor)) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Watches for as long as the guard lives, which must not be longer than the socket. One at a time.
  class [[nodiscard]] Guard {
   public:
    Guard(Watchdog& dog, tcp::socket& socket, Clock::time_point until) : dog_(dog) { dog_.start(socket, until); }
    ~Guard() { dog_.stop(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watchdog& dog_;
  };

  bool expired() const { return state_->expired; }  // the last watch ended by closing the socket

 private:
  struct State {
    explicit State(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    tcp::socket* socket = nullptr;
    bool expired = false;
  };

  void start(tcp::socket& socket, Clock::time_point until) {
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
  void stop() {
    state_->socket = nullptr;
    state_->timer.cancel();
  }

  std::shared_ptr<State> state_;
};

std::string origin_of(const Url& url) {
  return url.scheme + "://" + url.host + ":" + url.port;
}

std::string host_header(const Url& url) {
  std::string out = url.host.find(':') == std::string::npos ? url.host : '[' + url.host + ']';
  if (url.port != (url.scheme == "https" ? "443" : "80")) out += ':' + url.port;
  return out;
}

bool is_ours(std::string_view name) {
  for (const std::string_view ours : {"Host", "Content-Length", "Transfer-Encoding", "User-Agent", "Connection"}) {
    if (iequals(name, ours)) return true;
  }
  return false;
}

// Values are not quoted in the error: they hold signatures and tokens.
Result<std::string> head_of(const ClientRequest& request, const std::string& user_agent) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n", to_string(request.method),
                                 request.url.target, host_header(request.url), user_agent);
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return make_error(ErrorCode::bad_request, "a header of the call has a name that is not one");
    if (!is_header_value(value)) {
      return make_error(ErrorCode::bad_request, "the header " + name + " has a control character in its value");
    }
    if (!is_ours(name)) head.append(name).append(": ").append(value).append("\r\n");
  }
  const bool bodiless = request.body.empty() && (request.method == Method::get || request.method == Method::head);
  if (!bodiless) head += fmt::format("Content-Length: {}\r\n", request.body.size());
  head += "\r\n";
  return head;
}

std::string describe(const boost::system::error_code& ec) {
  return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated ? "the server closed the connection"
                                                                            : ec.message();
}

}  // namespace

struct Client::Impl : std::enable_shared_from_this<Client::Impl> {
  explicit Impl(ClientOptions given) : options(std::move(given)) {
    auto made = make_client_tls(options.ca_file);
    if (!made) throw std::runtime_error(made.error().detail);
    tls = *made;
  }

  struct Idle {
    std::unique_ptr<Link> link;
    Clock::time_point until;
  };

  // One exchange's common state, kept by send().
  struct Exchange {
    Exchange(const asio::any_io_executor& on, const ClientRequest& what, Clock::time_point until)
        : executor(on), request(what), origin(origin_of(what.url)), deadline(until), watchdog(on) {}
    asio::any_io_executor executor;
    const ClientRequest& request;
    std::string origin;
    std::string head;
    Clock::time_point deadline;
    Watchdog watchdog;
    bool kept = false;   // the link was used before
    bool stale = false;  // it turned out to be closed before it answered anything

    std::chrono::milliseconds left() const {
      return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()),
                      std::chrono::milliseconds(0));
    }
  };

  std::unique_ptr<Link> take(const std::string& origin);
  void keep(const std::string& origin, std::unique_ptr<Link> link);
  void sweep_later(const asio::any_io_executor& executor);

  Error failed(const Exchange& exchange, std::string_view doing, const std::string& reason) const;
  Error failed(const Exchange& exchange, std::string_view doing, const boost::system::error_code& ec) const {
    return failed(exchange, doing, describe(ec));
  }

  asio::awaitable<Result<std::vector<IpAddress>>> allowed_addresses(const Exchange& exchange);
  asio::awaitable<Result<std::unique_ptr<Link>>> connect(Exchange& exchange);
  asio::awaitable<Result<void>> handshake(Exchange& exchange, Link& link);
  asio::awaitable<Result<ClientResponse>> converse(Exchange& exchange, std::unique_ptr<Link> link);

  ClientOptions options;
  TlsContext tls;
  std::unordered_map<std::string, std::vector<Idle>> idle;  // by origin, the longest unused first
  std::optional<asio::steady_timer> sweep;
  bool sweeping = false;
};

Error Client::Impl::failed(const Exchange& exchange, std::string_view doing, const std::string& reason) const {
  const Url& url = exchange.request.url;
  // The watchdog's close shows as an aborted operation; what happened is that time ran out.
  if (exchange.watchdog.expired() || Clock::now() >= exchange.deadline) {
    return make_error(ErrorCode::timeout, fmt::format("{}:{} did not answer within {} ms (could not {} in time)",
                                                      url.host, url.port, options.timeout.count(), doing));
  }
  return make_error(ErrorCode::bad_gateway, fmt::format("could not {} {}:{}: {}", doing, url.host, url.port, reason));
}

std::unique_ptr<Link> Client::Impl::take(const std::string& origin) {
  const auto found = idle.find(origin);
  if (found == idle.end()) return nullptr;
  auto& links = found->second;
  std::unique_ptr<Link> out;
  while (!links.empty() && !out) {
    Idle last = std::move(links.back());
    links.pop_back();
    if (last.until > Clock::now() && last.link->is_quiet()) out = std::move(last.link);
  }
  if (links.empty()) idle.erase(found);
  return out;
}

void Client::Impl::keep(const std::string& origin, std::unique_ptr<Link> link) {
  if (options.idle_connections_per_origin == 0) return;
  const auto executor = link->socket.get_executor();
  auto& links = idle[origin];
  if (links.size() >= options.idle_connections_per_origin) links.erase(links.begin());
  links.push_back(Idle{std::move(link), Clock::now() + options.idle_timeout});
  sweep_later(executor);
}

// Runs only while there is something to close. It holds the client weakly: destroying the client ends it.
void Client::Impl::sweep_later(const asio::any_io_executor& executor) {
  if (sweeping) return;
  sweeping = true;
  if (!sweep) sweep.emplace(executor);
  sweep->expires_after(options.idle_timeout / 2 + std::chrono::milliseconds(1));
  sweep->async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (!self) return;
    self->sweeping = false;
    if (ec) return;
    const auto now = Clock::now();
    for (auto& [origin, links] : self->idle) {
      std::erase_if(links, [&](const Idle& entry) { return entry.until <= now || !entry.link->is_quiet(); });
    }
    std::erase_if(self->idle, [](const auto& entry) { return entry.second.empty(); });
    if (!self->idle.empty()) self->sweep_later(self->sweep->get_executor());
  });
}

asio::awaitable<Result<std::vector<IpAddress>>> Client::Impl::allowed_addresses(const Exchange& exchange) {
  const Url& url = exchange.request.url;
  auto resolving = Resolver::shared().resolve(url.host, exchange.left());
  Result<std::vector<IpAddress>> found = co_await std::move(resolving);
  if (!found || options.allow_private_addresses) co_return found;

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

asio::awaitable<Result<std::unique_ptr<Link>>> Client::Impl::connect(Exchange& exchange) {
  auto finding = allowed_addresses(exchange);
  const Result<std::vector<IpAddress>> addresses = co_await std::move(finding);
  if (!addresses) co_return addresses.error();

  const auto port = static_cast<unsigned short>(std::stoul(exchange.request.url.port));
  boost::system::error_code ec;
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const IpAddress& address = (*addresses)[i];
    const tcp::endpoint endpoint(asio::ip::make_address(address.str()), port);
    auto link = std::make_unique<Link>(exchange.executor);
    // An address that swallows packets must leave time for the ones behind it.
    auto until = exchange.deadline;
    if (i + 1 < addresses->size()) {
      until = std::min(until, Clock::now() + std::max(exchange.left() / 2, kLeastConnectTime));
    }
    {
      const Watchdog::Guard guard(exchange.watchdog, link->socket, until);
      co_await link->socket.async_connect(endpoint, token);
    }
    if (!ec && exchange.watchdog.expired()) ec = asio::error::timed_out;  // connected, and closed again at that moment
    if (ec) continue;
    boost::system::error_code ignored;
    link->socket.set_option(tcp::no_delay(true), ignored);
    if (exchange.request.url.scheme == "https") {
      auto securing = handshake(exchange, *link);
      const Result<void> secured = co_await std::move(securing);
      if (!secured) co_return secured.error();
    }
    co_return std::move(link);
  }
  co_return failed(exchange, "connect to", ec);
}

asio::awaitable<Result<void>> Client::Impl::handshake(Exchange& exchange, Link& link) {
  std::string host = exchange.request.url.host;
  if (host.back() == '.') host.pop_back();  // certificates name hosts without the root's dot
  link.tls = std::make_unique<asio::ssl::stream<tcp::socket&>>(link.socket, *tls);
  SSL* const ssl = link.tls->native_handle();
  // SSL_set_tlsext_host_name, which is a macro with a C cast in it.
  if (!IpAddress::parse(host)) SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
  link.tls->set_verify_callback(asio::ssl::host_name_verification(host));

  boost::system::error_code ec;
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  const Watchdog::Guard guard(exchange.watchdog, link.socket, exchange.deadline);
  co_await link.tls->async_handshake(asio::ssl::stream_base::client, token);
  if (ec) {
    const long verified = SSL_get_verify_result(ssl);
    const std::string reason = verified == X509_V_OK ? describe(ec) : X509_verify_cert_error_string(verified);
    co_return failed(exchange, "agree on TLS with", reason);
  }
  co_return Result<void>();
}

asio::awaitable<Result<ClientResponse>> Client::Impl::converse(Exchange& exchange, std::unique_ptr<Link> link) {
  boost::system::error_code ec;
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  const Watchdog::Guard guard(exchange.watchdog, link->socket, exchange.deadline);

  const std::array<asio::const_buffer, 2> buffers{asio::buffer(exchange.head), asio::buffer(exchange.request.body)};
  if (link->tls) {
    co_await asio::async_write(*link->tls, buffers, token);
  } else {
    co_await asio::async_write(link->socket, buffers, token);
  }
  // A server may answer before it has read everything, and close: what it said still counts, so read it.
  const boost::system::error_code write_error = ec;
  ec.clear();

  const bool head_request = exchange.request.method == Method::head;
  std::optional<ResponseReader> reader;
  reader.emplace(options.response_bytes, head_request);
  std::array<char, 16 * 1024> buffer;
  std::size_t have = 0;
  bool any = false;
  while (!reader->is_done() && !reader->cut()) {
    boost::system::error_code parse;
    if (have > 0) {
      const std::size_t used = reader->put(asio::const_buffer(buffer.data(), have), parse);
      std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(used), buffer.begin() + static_cast<std::ptrdiff_t>(have),
                buffer.begin());
      have -= used;
      if (reader->cut()) break;
      if (parse && parse != http::error::need_more) {
        co_return failed(exchange, "read the answer of", "it is not HTTP: " + parse.message());
      }
      const int status = reader->response().status;
      if (reader->is_done() && status >= 100 && status < 200 && status != 101) {
        reader.emplace(options.response_bytes, head_request);  // 100 Continue, 103 Early Hints: the answer follows
        continue;
      }
      if (reader->is_done()) break;
      if (have == buffer.size()) co_return failed(exchange, "read the answer of", "its header is too large");
      if (used > 0 && have > 0 && !parse) continue;
    }

    const asio::mutable_buffer space = asio::buffer(buffer) + have;
    std::size_t bytes = 0;
    if (link->tls) {
      bytes = co_await link->tls->async_read_some(space, token);
    } else {
      bytes = co_await link->socket.async_read_some(space, token);
    }
    have += bytes;
    any = any || bytes > 0;
    if (!ec) continue;

    if (exchange.kept && !any && !exchange.watchdog.expired()) {
      exchange.stale = true;
      co_return failed(exchange, "read the answer of", ec);
    }
    // Without a length, a body ends where the connection does. TLS must say that it ends, or it was cut.
    if (ec == asio::error::eof && reader->is_header_done() && reader->need_eof()) {
      reader->put_eof(parse);
      if (!parse) break;
    }
    if (!any && write_error) co_return failed(exchange, "send to", write_error);
    co_return failed(exchange, "read the answer of", ec);
  }

  ClientResponse response = std::move(reader->response());
  const bool clean = reader->is_done() && !reader->cut() && have == 0 && !write_error;
  if (clean && reader->keep_alive() && response.status != 101 && !exchange.watchdog.expired()) {
    keep(exchange.origin, std::move(link));
  }
  co_return response;
}

Client::Client(ClientOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}

Client::~Client() = default;

asio::awaitable<Result<ClientResponse>> Client::send(const ClientRequest& request) {
  const std::shared_ptr<Impl> impl = impl_;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Impl::Exchange exchange(executor, request, Clock::now() + impl->options.timeout);
  Result<std::string> head = head_of(request, impl->options.user_agent);
  if (!head) co_return head.error();
  exchange.head = std::move(*head);

  std::unique_ptr<Link> link = impl->take(exchange.origin);
  if (link) {
    exchange.kept = true;
    auto talking = impl->converse(exchange, std::move(link));
    Result<ClientResponse> answer = co_await std::move(talking);
    if (!exchange.stale) co_return answer;
  }

  exchange.kept = false;
  auto connecting = impl->connect(exchange);
  Result<std::unique_ptr<Link>> connected = co_await std::move(connecting);
  if (!connected) co_return connected.error();
  auto talking = impl->converse(exchange, std::move(*connected));
  Result<ClientResponse> answer = co_await std::move(talking);
  co_return answer;
}

void Client::close_idle() {
  impl_->idle.clear();
}

}  // namespace triage::net
