#include "triage/net/client.h"

#include <algorithm>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <unordered_map>

#include "net/dialer.h"
#include "net/response_reader.h"

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes Asio's pair of operators for a coroutine's frame for a mismatch when it inlines one of the two.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace triage::net {

namespace asio = boost::asio;

namespace {

using Clock = Watchdog::Clock;

std::string origin_of(const Url& url) {
  return url.scheme + "://" + url.host + ":" + url.port;
}

}  // namespace

struct Client::Impl : std::enable_shared_from_this<Client::Impl> {
  explicit Impl(ClientOptions given)
      : options(std::move(given)), dialer(options.allow_private_addresses, options.ca_file) {}

  struct Idle {
    std::unique_ptr<Link> link;
    Clock::time_point until;
  };

  // One exchange's common state, kept by send().
  struct Exchange : Call {
    using Call::Call;
    std::string head;
    bool* sent = nullptr;
    bool kept = false;   // the link was used before
    bool stale = false;  // it turned out to be closed before it answered anything
  };

  std::unique_ptr<Link> take(const std::string& origin);
  void keep(const std::string& origin, std::unique_ptr<Link> link);
  void sweep_later(const asio::any_io_executor& executor);

  asio::awaitable<Result<ClientResponse>> converse(Exchange& exchange, std::unique_ptr<Link> link);

  ClientOptions options;
  Dialer dialer;
  std::unordered_map<std::string, std::vector<Idle>> idle;  // by origin, the longest unused first
  std::optional<asio::steady_timer> sweep;
  bool sweeping = false;
};

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

asio::awaitable<Result<ClientResponse>> Client::Impl::converse(Exchange& exchange, std::unique_ptr<Link> link) {
  if (exchange.left().count() == 0) co_return exchange.failed(kSending, "");
  const Watchdog::Guard guard(exchange.watchdog, *link, exchange.deadline);
  if (exchange.sent) *exchange.sent = true;
  boost::system::error_code write_error;
  const std::string_view body = carries_body(exchange.request) ? std::string_view(exchange.request.body) : "";
  auto writing = link->write(exchange.head, body, write_error);
  co_await std::move(writing);

  // A server may answer before it has read everything, and close: what it said still counts, so read it.
  ResponseIntake intake(options.response_bytes, exchange.request.method == Method::head);
  while (!intake.is_complete()) {
    boost::system::error_code ec;
    auto reading = link->read_some(intake.space(), ec);
    const std::size_t bytes = co_await std::move(reading);
    if (!ec) {
      const auto wrong = intake.take(bytes);
      if (wrong) co_return exchange.failed(kReading, *wrong);
      continue;
    }

    exchange.stale = exchange.kept && !intake.any() && !exchange.watchdog.expired();
    // Without a length, a body ends where the connection does. TLS must say that it ends, or it was cut.
    if (ec == asio::error::eof && intake.end()) break;
    if (!intake.any() && write_error) co_return exchange.failed(kSending, write_error);
    co_return exchange.failed(intake.any() ? kReading : kWaiting, ec);
  }

  ClientResponse response = std::move(intake.response());
  const bool clean = intake.is_clean() && !write_error && !exchange.watchdog.expired();
  if (clean && intake.keep_alive() && response.status != 101) keep(origin_of(exchange.request.url), std::move(link));
  co_return response;
}

Client::Client(ClientOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}

Client::~Client() = default;

asio::awaitable<Result<ClientResponse>> Client::send(const ClientRequest& request, bool* sent) {
  if (sent) *sent = false;
  const std::shared_ptr<Impl> impl = impl_;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Impl::Exchange exchange(executor, request, impl->options.timeout);
  Result<std::string> head = head_of(request, impl->options.user_agent);
  if (!head) co_return head.error();
  exchange.head = std::move(*head);
  exchange.sent = sent;

  // A kept connection that ends without an answer leaves open whether the request arrived, and it is sent again.
  std::unique_ptr<Link> link = request.repeatable ? impl->take(origin_of(request.url)) : nullptr;
  if (link) {
    exchange.kept = true;
    auto talking = impl->converse(exchange, std::move(link));
    Result<ClientResponse> answer = co_await std::move(talking);
    if (!exchange.stale) co_return answer;
  }

  exchange.kept = false;
  auto connecting = impl->dialer.connect(exchange);
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
