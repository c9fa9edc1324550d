#include "triage/net/server.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>

#include "net/session.h"

namespace triage::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kAcceptBackOff{100};
constexpr std::chrono::milliseconds kCutWait{5'000};
constexpr std::chrono::milliseconds kRefusedHold{1'000};
constexpr std::size_t kMostRefusedHeld = 64;  // of each thread
constexpr std::chrono::milliseconds kSlowestSweep{250};
constexpr std::chrono::milliseconds kFastestSweep{5};

// Often enough that a deadline is late by a quarter of the shortest one at most.
std::chrono::milliseconds sweep_interval(const ServerLimits& limits) {
  const auto shortest = std::min({limits.header_timeout, limits.body_timeout, limits.idle_timeout, limits.write_timeout,
                                  limits.handshake_timeout});
  return std::clamp(shortest / 4, kFastestSweep, kSlowestSweep);
}

Result<tcp::endpoint> resolve(std::string host, unsigned short port) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  const auto literal = asio::ip::make_address(host, ec);
  if (!ec) return tcp::endpoint(literal, port);
  asio::io_context context;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  if (ec || found.empty()) {
    return make_error(ErrorCode::unavailable, fmt::format("cannot listen on {}:{}: {}", host, port, ec.message()));
  }
  return found.begin()->endpoint();
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(Runtime& on, ServerOptions given, std::vector<Route> table, std::function<void(const Exchange&)> watcher)
      : runtime(on), options(std::move(given)), routes(std::move(table)), observer(std::move(watcher)) {
    for (std::size_t i = 0; i < runtime.size(); ++i) {
      workers.push_back(std::make_shared<Worker>(runtime.at(i), sweep_interval(options.limits), stats));
    }
  }

  Result<void> start();
  Result<void> listen();
  asio::awaitable<void> accept(std::shared_ptr<Impl> self);
  Worker& least_loaded();
  void begin(Worker& worker, tcp::socket socket);
  void refuse(Worker& worker, tcp::socket socket);
  template <class Stream, class... Args>
  void open(Worker& worker, Peer peer, TlsContext tls_context, Args&&... stream);
  void left();
  bool wait_until_empty(std::chrono::milliseconds timeout);
  void stop(std::chrono::milliseconds grace);

  Runtime& runtime;
  const ServerOptions options;
  const RouteTable routes;
  const std::function<void(const Exchange&)> observer;
  std::vector<Network> trusted;
  ServerStats stats;
  std::vector<std::shared_ptr<Worker>> workers;
  std::shared_ptr<tcp::acceptor> acceptor;
  unsigned short port = 0;
  std::size_t turn = 0;  // the accepting thread's

  std::mutex tls_mutex;
  TlsContext tls;

  std::mutex mutex;
  std::condition_variable empty;
  std::atomic<bool> stopping{false};
  bool stopped = false;
};

Result<void> Server::Impl::start() {
  for (const std::string& text : options.trusted_proxies) {
    auto network = Network::parse(text);
    if (!network) return network.error();
    trusted.push_back(*network);
  }
  if (options.tls) {
    auto loaded = make_server_tls(*options.tls);
    if (!loaded) return loaded.error();
    tls = *loaded;
  }
  if (auto listening = listen(); !listening) return listening.error();
  asio::co_spawn(runtime.at(0), accept(shared_from_this()), [](const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::critical("the server no longer accepts connections: {}", error.what());
    }
  });
  return {};
}

Result<void> Server::Impl::listen() {
  const auto endpoint = resolve(options.host, options.port);
  if (!endpoint) return endpoint.error();
  auto opened = std::make_shared<tcp::acceptor>(runtime.at(0));
  boost::system::error_code ec;
  const auto fails = [&](const char* doing) {
    return make_error(ErrorCode::unavailable,
                      fmt::format("cannot listen on {}:{}: {}: {}", options.host, options.port, doing, ec.message()));
  };
  opened->open(endpoint->protocol(), ec);
  if (ec) return fails("open");
  opened->set_option(tcp::acceptor::reuse_address(true), ec);
  if (ec) return fails("set SO_REUSEADDR");
  if (endpoint->address().is_v6()) opened->set_option(asio::ip::v6_only(false), ec);
  if (ec) return fails("set IPV6_V6ONLY");
  opened->bind(*endpoint, ec);
  if (ec) return fails("bind");
  opened->listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) return fails("listen");
  port = opened->local_endpoint().port();
  acceptor = std::move(opened);
  return {};
}

// One acceptor hands sockets to the least busy thread, which spreads even a few connections evenly; SO_REUSEPORT would
// spread them by hash, and 32 connections badly.
asio::awaitable<void> Server::Impl::accept(std::shared_ptr<Impl> self) {
  const auto listening = self->acceptor;
  asio::steady_timer back_off(self->runtime.at(0));
  boost::system::error_code ec;
  auto token = asio::redirect_error(asio::use_awaitable, ec);
  bool failing = false;  // said so already
  while (!self->stopping) {
    Worker& worker = self->least_loaded();
    tcp::socket socket(worker.context());
    co_await listening->async_accept(socket, token);
    if (self->stopping) break;
    if (ec) {
      // Out of file descriptors or memory: the connection stays in the backlog, and trying again at once would spin.
      if (!failing) spdlog::warn("cannot accept connections: {}", ec.message());
      failing = true;
      back_off.expires_after(kAcceptBackOff);
      co_await back_off.async_wait(token);
      continue;
    }
    failing = false;
    ++self->stats.accepted;
    ++self->stats.connections;
    ++worker.load;
    asio::post(worker.context(),
               [self, &worker, moved = std::move(socket)]() mutable { self->begin(worker, std::move(moved)); });
  }
  listening->close(ec);
}

Worker& Server::Impl::least_loaded() {
  ++turn;
  Worker* best = nullptr;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    Worker& worker = *workers[(turn + i) % workers.size()];
    if (!best || worker.load < best->load) best = &worker;
  }
  return *best;
}

void Server::Impl::begin(Worker& worker, tcp::socket socket) {
  boost::system::error_code ec;
  socket.non_blocking(true, ec);
  if (!ec) socket.set_option(tcp::no_delay(true), ec);
  tcp::endpoint remote;
  if (!ec) remote = socket.remote_endpoint(ec);
  const bool full = stats.connections > static_cast<std::int64_t>(options.limits.connections);
  if (ec || full || worker.draining()) {
    if (full) {
      ++stats.refused;
      refuse(worker, std::move(socket));
    }
    --worker.load;
    left();
    return;
  }

  Peer peer = make_peer(remote.address().to_string(), trusted);
  if (options.tls) {
    TlsContext context;
    {
      const std::scoped_lock lock(tls_mutex);
      context = tls;
    }
    open<TlsStream>(worker, std::move(peer), context, std::move(socket), *context);
  } else {
    open<PlainStream>(worker, std::move(peer), nullptr, std::move(socket));
  }
}

// Says so at once, since what is short is room for connections. The socket is held for a moment more: closed with the
// client's request unread or still on its way, it would be reset, and the answer lost. A TLS client just sees it close.
void Server::Impl::refuse(Worker& worker, tcp::socket socket) {
  if (options.tls) return;
  Error error = make_error(ErrorCode::unavailable, "the server has as many connections as it may have");
  error.retry_after = std::chrono::seconds(1);
  const Response response = problem(error);
  ResponseContext context;
  std::string id;
  worker.next_request_id(id);
  context.id = id;
  context.date = worker.date();
  context.keep_alive = false;
  std::string bytes;
  write_head(response, context, bytes);
  bytes += response.body;
  boost::system::error_code ec;
  socket.write_some(asio::buffer(bytes), ec);
  socket.shutdown(tcp::socket::shutdown_send, ec);
  if (worker.refused_held >= kMostRefusedHeld) return;
  ++worker.refused_held;
  auto timer = std::make_unique<asio::steady_timer>(worker.context(), kRefusedHold);
  auto& wait = *timer;
  wait.async_wait([held = std::move(socket), kept = std::move(timer),
                   on = worker.shared_from_this()](const boost::system::error_code&) { --on->refused_held; });
}

template <class Stream, class... Args>
void Server::Impl::open(Worker& worker, Peer peer, TlsContext tls_context, Args&&... stream) {
  const typename Session<Stream>::Shared shared{options.limits, observer, stats, worker};
  const RequestReader::Shared reading{routes, trusted, options.limits.header_bytes, options.tls.has_value()};
  auto session = std::make_shared<Session<Stream>>(shared, reading, std::move(peer), std::move(tls_context),
                                                   std::forward<Args>(stream)...);
  worker.add(session);
  // The completion handler keeps the session and the server's insides alive for as long as the coroutine runs.
  auto ended = [self = shared_from_this(), &worker, session](const std::exception_ptr& failure) {
    worker.remove(*session);
    self->left();
    if (!failure || self->stopping) return;  // cut off: its waits end with an exception
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("a connection ended with an exception: {}", error.what());
    }
  };
  asio::co_spawn(worker.context(), session->run(),
                 asio::bind_cancellation_slot(session->cancellation_slot(), std::move(ended)));
}

void Server::Impl::left() {
  if (--stats.connections > 0 || !stopping) return;
  const std::scoped_lock lock(mutex);
  empty.notify_all();
}

bool Server::Impl::wait_until_empty(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  return empty.wait_for(lock, timeout, [this] { return stats.connections == 0; });
}

void Server::Impl::stop(std::chrono::milliseconds grace) {
  if (!acceptor || stopped) return;
  stopped = true;
  stopping = true;
  if (runtime.at(0).stopped()) return;  // nothing runs any more that could close
  asio::post(runtime.at(0), [self = shared_from_this()] {
    boost::system::error_code ignored;
    self->acceptor->close(ignored);
  });
  for (const auto& worker : workers) asio::post(worker->context(), [worker] { worker->drain(); });
  if (wait_until_empty(grace)) return;

  spdlog::warn("{} connections are still open after the grace of {} ms and are cut off", stats.connections.load(),
               grace.count());
  for (const auto& worker : workers) asio::post(worker->context(), [worker] { worker->cut_off(); });
  if (wait_until_empty(kCutWait)) return;
  spdlog::error("{} connections did not end when they were cut off: a handler waits without end",
                stats.connections.load());
}

Server::Server(Runtime& runtime, ServerOptions options, std::vector<Route> routes,
               std::function<void(const Exchange&)> observer)
    : impl_(std::make_shared<Impl>(runtime, std::move(options), std::move(routes), std::move(observer))) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
}

Result<void> Server::start() {
  return impl_->start();
}

unsigned short Server::port() const {
  return impl_->port;
}

Result<void> Server::reload_tls() {
  if (!impl_->options.tls) return {};
  auto loaded = make_server_tls(*impl_->options.tls);
  if (!loaded) return loaded.error();
  const std::scoped_lock lock(impl_->tls_mutex);
  impl_->tls = *loaded;
  return {};
}

void Server::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

const ServerStats& Server::stats() const {
  return impl_->stats;
}

}  // namespace triage::net
