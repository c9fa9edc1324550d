#include "triage/net/event_stream.h"

#include <fmt/format.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "net/dialer.h"
#include "net/response_reader.h"
#include "net/text.h"

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes Asio's pair of operators for a coroutine's frame for a mismatch when it inlines one of the two.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace triage::net {

namespace asio = boost::asio;

namespace {

using Clock = Watchdog::Clock;

// Of an answer that is no stream. A read of a stream always fits.
constexpr std::size_t kBodyBytes = ResponseIntake::kBufferBytes;
constexpr std::size_t kQuotedBytes = 80;

Error closed() {
  return make_error(ErrorCode::bad_gateway, "the event stream was closed");
}

bool is_event_stream(const ClientResponse& response) {
  const std::string_view type = find_header(response.headers, "Content-Type").value_or("");
  return iequals(trim(type.substr(0, type.find(';'))), "text/event-stream");
}

// Why a 200 cannot be read as a stream, or nothing.
std::optional<std::string> unreadable(const ClientResponse& response) {
  if (!is_event_stream(response)) {
    const auto type = find_header(response.headers, "Content-Type");
    return fmt::format("not with an event stream (content type: {})", type ? type->substr(0, kQuotedBytes) : "none");
  }
  const auto coding = find_header(response.headers, "Content-Encoding");
  if (coding && !iequals(*coding, "identity")) return "in a content coding that was not asked for";
  return std::nullopt;
}

asio::awaitable<void> wait_for(std::shared_ptr<asio::steady_timer> timer) {
  boost::system::error_code ec;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ec));
}

}  // namespace

struct EventStream::Impl {
  explicit Impl(EventStreamOptions given)
      : options(std::move(given)), dialer(options.allow_private_addresses, options.ca_file) {}

  // A connection whose answer is an event stream.
  struct Live {
    Live(const asio::any_io_executor& executor, std::unique_ptr<Link> over, const Url& url)
        : link(std::move(over)), watchdog(executor), who(url.host + ':' + url.port) {}
    std::unique_ptr<Link> link;
    Watchdog watchdog;
    std::string who;
    ResponseIntake intake{kBodyBytes, false};
    std::string body;                  // the bytes of the latest read
    std::string_view rest;             // what of it is not parsed yet
    std::optional<std::string> wrong;  // with what follows the body's bytes: they still count
  };
  using LivePtr = std::shared_ptr<Live>;

  struct Opened {
    ClientResponse response;
    LivePtr live;  // null when the answer is no stream
  };

  asio::awaitable<Result<Opened>> connect(const ClientRequest& request) const;
  asio::awaitable<Result<Opened>> ask(Call& call, const std::string& head, LivePtr live) const;
  asio::awaitable<Result<Opened>> guarded_connect(const ClientRequest& request) const;
  asio::awaitable<std::optional<Error>> read_more(Live& live) const;
  void close();

  EventStreamOptions options;
  Dialer dialer;
  SseParser parser{options.event_bytes};
  LivePtr current;
  std::shared_ptr<asio::steady_timer> opening;  // while open() runs: that ends when it expires
};

asio::awaitable<Result<EventStream::Impl::Opened>> EventStream::Impl::connect(const ClientRequest& request) const {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const Result<std::string> head = head_of(request, options.user_agent);
  if (!head) co_return head.error();
  Call call(executor, request, options.connect_timeout);
  auto connecting = dialer.connect(call);
  Result<std::unique_ptr<Link>> connected = co_await std::move(connecting);
  if (!connected) co_return connected.error();
  auto asking = ask(call, *head, std::make_shared<Live>(executor, std::move(*connected), request.url));
  Result<Opened> opened = co_await std::move(asking);
  co_return opened;
}

asio::awaitable<Result<EventStream::Impl::Opened>> EventStream::Impl::ask(Call& call, const std::string& head,
                                                                          LivePtr live) const {
  const Watchdog::Guard guard(call.watchdog, *live->link, call.deadline);
  boost::system::error_code write_error;
  auto writing = live->link->write(head, "", write_error);
  co_await std::move(writing);

  ResponseIntake& intake = live->intake;
  const auto is_open = [&] { return intake.has_header() && intake.response().status == 200; };
  while (!intake.is_complete() && !is_open()) {
    boost::system::error_code ec;
    auto reading = live->link->read_some(intake.space(), ec);
    const std::size_t bytes = co_await std::move(reading);
    if (!ec) live->wrong = intake.take(bytes);
    if (!ec && !live->wrong) continue;
    if (intake.has_header()) break;  // what an answer that is no stream says beyond its header is welcome, no more
    if (!intake.any() && write_error) co_return call.failed(kSending, write_error);
    const Step& step = intake.any() ? kReading : kWaiting;
    co_return live->wrong ? call.failed(step, *live->wrong) : call.failed(step, ec);
  }

  Opened opened;
  if (is_open()) live->body = intake.take_body();
  opened.response = std::move(intake.response());
  if (opened.response.status != 200) co_return opened;
  if (call.watchdog.expired()) co_return call.failed(kReading, "");  // at that moment: it is closed
  if (const auto why = unreadable(opened.response)) {
    co_return make_error(ErrorCode::bad_gateway, fmt::format("{} answered 200, but {}", live->who, *why));
  }
  live->rest = live->body;
  opened.live = std::move(live);
  co_return opened;
}

// An exception would leave open() waiting for the other half of its race.
asio::awaitable<Result<EventStream::Impl::Opened>> EventStream::Impl::guarded_connect(
    const ClientRequest& request) const {
  try {
    auto connecting = connect(request);
    Result<Opened> opened = co_await std::move(connecting);
    co_return opened;
  } catch (const std::exception& error) {
    co_return make_error(ErrorCode::internal, std::string("could not open an event stream: ") + error.what());
  }
}

// Reads once. An error is why nothing more comes.
asio::awaitable<std::optional<Error>> EventStream::Impl::read_more(Live& live) const {
  const auto broken = [&](const std::string& why) {
    return make_error(ErrorCode::bad_gateway, fmt::format("could not read the event stream of {}: {}", live.who, why));
  };
  const auto ended = [&] {
    return make_error(ErrorCode::bad_gateway, fmt::format("{} ended the event stream", live.who));
  };
  if (live.wrong) co_return broken(*live.wrong);
  if (live.intake.is_complete()) co_return ended();

  boost::system::error_code ec;
  std::size_t bytes = 0;
  {
    const Watchdog::Guard guard(live.watchdog, *live.link, Clock::now() + options.idle_timeout);
    auto reading = live.link->read_some(live.intake.space(), ec);
    bytes = co_await std::move(reading);
  }
  if (ec) {
    if (live.watchdog.expired()) {
      co_return make_error(ErrorCode::timeout,
                           fmt::format("{} sent nothing for {} ms", live.who, options.idle_timeout.count()));
    }
    if (ec == asio::error::eof && live.intake.end()) co_return ended();
    co_return broken(describe(ec));
  }
  live.wrong = live.intake.take(bytes);
  live.body = live.intake.take_body();
  live.rest = live.body;
  co_return std::nullopt;
}

void EventStream::Impl::close() {
  if (opening) opening->expires_at(Clock::time_point::min());
  opening.reset();
  if (current) {
    boost::system::error_code ignored;
    current->link->socket.close(ignored);
  }
  current.reset();
}

EventStream::EventStream(EventStreamOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}

EventStream::~EventStream() {
  impl_->close();
}

asio::awaitable<Result<ClientResponse>> EventStream::open(Url url, Headers headers) {
  using namespace asio::experimental::awaitable_operators;
  const std::shared_ptr<Impl> impl = impl_;
  impl->close();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;

  ClientRequest request;
  request.method = Method::get;
  request.url = std::move(url);
  request.headers = std::move(headers);
  if (!find_header(request.headers, "Accept")) request.headers.emplace_back("Accept", "text/event-stream");
  if (!find_header(request.headers, "Cache-Control")) request.headers.emplace_back("Cache-Control", "no-store");

  // Whatever it is waiting for, a name or a byte, ends when this timer does.
  const auto stop = std::make_shared<asio::steady_timer>(executor, Clock::time_point::max());
  impl->opening = stop;
  auto race = impl->guarded_connect(request) || wait_for(stop);
  auto first = co_await std::move(race);
  if (impl->opening != stop) co_return closed();
  impl->opening.reset();
  auto* const opened = std::get_if<0>(&first);
  if (!opened) co_return closed();  // this coroutine was cancelled
  if (!*opened) co_return opened->error();
  impl->current = std::move((*opened)->live);
  if (impl->current) impl->parser = SseParser(impl->options.event_bytes);
  co_return std::move((*opened)->response);
}

asio::awaitable<Result<ServerEvent>> EventStream::next() {
  const std::shared_ptr<Impl> impl = impl_;
  const Impl::LivePtr live = impl->current;
  if (!live) co_return make_error(ErrorCode::bad_gateway, "no event stream is open");
  for (;;) {
    auto event = impl->parser.next(live->rest);
    if (event) co_return std::move(*event);
    std::optional<Error> over;
    if (impl->parser.too_large()) {
      over = make_error(ErrorCode::bad_gateway,
                        fmt::format("{} sent an event of more than {} bytes", live->who, impl->options.event_bytes));
    } else {
      auto reading = impl->read_more(*live);
      over = co_await std::move(reading);
    }
    if (impl->current != live) co_return closed();
    if (!over) continue;
    impl->close();
    co_return std::move(*over);
  }
}

std::optional<std::chrono::milliseconds> EventStream::retry() const {
  return impl_->parser.retry();
}

std::string EventStream::last_event_id() const {
  return impl_->parser.last_id();
}

void EventStream::close() {
  impl_->close();
}

}  // namespace triage::net
