// What the event stream promises to those who read one, over real sockets.
#include "triage/net/event_stream.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "certificate.h"
#include "support.h"

namespace triage::net::testing {
namespace {

const std::string kStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

EventStreamOptions allowing_private() {
  EventStreamOptions options;
  options.allow_private_addresses = true;
  options.connect_timeout = kPatience;
  options.idle_timeout = kPatience;
  return options;
}

// The server's side, which does what the test says. One connection at a time.
class Feed {
 public:
  Feed() : acceptor_(io_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)), socket_(io_) {}

  std::string url() const { return "http://127.0.0.1:" + port() + "/stream?a=b"; }
  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

  // Takes the next connection, and its request's header.
  std::string accept() {
    socket_ = asio::ip::tcp::socket(io_);
    acceptor_.accept(socket_);
    std::string request;
    asio::read_until(socket_, asio::dynamic_buffer(request), "\r\n\r\n");
    return request;
  }
  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  void close() { socket_.close(); }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  // True when the client has closed.
  bool ends() {
    boost::system::error_code ec;
    char byte = 0;
    socket_.read_some(asio::buffer(&byte, 1), ec);
    return ec == asio::error::eof || ec == asio::error::connection_reset;
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  asio::ip::tcp::socket socket_;
};

// A stream with an io thread of its own.
class Reader {
 public:
  using Opened = Result<ClientResponse>;
  using Next = Result<ServerEvent>;

  explicit Reader(const EventStreamOptions& options = allowing_private())
      : work_(context.get_executor()), stream(std::in_place, options), thread_([this] { context.run(); }) {}
  ~Reader() {
    on_its_thread([this] { stream.reset(); });
    work_.reset();
    thread_.join();
  }

  std::future<Opened> open(const std::string& url, const Headers& headers = {}) {
    return asio::co_spawn(context, stream->open(parse_url(url).value(), headers), asio::use_future);
  }
  std::future<Next> start_next() { return asio::co_spawn(context, stream->next(), asio::use_future); }
  Next next() { return start_next().get(); }
  void on_its_thread(const std::function<void()>& work) { asio::post(context, std::packaged_task<void()>(work)).get(); }

  // Opens it, and has the server say `bytes`.
  void open_with(Feed& feed, const std::string& bytes) {
    auto opening = open(feed.url());
    feed.accept();
    feed.send(bytes);
    const auto opened = opening.get();
    ASSERT_TRUE(opened) << opened.error().detail;
    ASSERT_EQ(opened->status, 200);
    EXPECT_EQ(opened->body, "");
  }
  void expect(const ServerEvent& event) {
    const auto got = next();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->event, event.event);
    EXPECT_EQ(got->data, event.data);
    EXPECT_EQ(got->id, event.id);
  }
  void expect_end(ErrorCode code, std::string_view detail) { expect_end(next(), code, detail); }
  static void expect_end(const Next& got, ErrorCode code, std::string_view detail) {
    ASSERT_FALSE(got) << got->data;
    EXPECT_EQ(got.error().code, code) << got.error().detail;
    EXPECT_NE(got.error().detail.find(detail), std::string::npos) << got.error().detail;
  }

  asio::io_context context;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_;

 public:
  std::optional<EventStream> stream;

 private:
  std::thread thread_;
};

TEST(EventStream, AsksForAStreamAndReadsItsEvents) {
  Feed feed;
  Reader reader;
  auto opening = reader.open(feed.url(), {{"Authorization", "Bearer x"}, {"Last-Event-ID", "6"}});
  EXPECT_EQ(feed.accept(), "GET /stream?a=b HTTP/1.1\r\nHost: 127.0.0.1:" + feed.port() +
                               "\r\nUser-Agent: triaged\r\nAuthorization: Bearer x\r\nLast-Event-ID: 6\r\n"
                               "Accept: text/event-stream\r\nCache-Control: no-store\r\n\r\n");
  feed.send(
      "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nX-A: b\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  const auto opened = opening.get();
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->status, 200);
  EXPECT_EQ(find_header(opened->headers, "X-A"), "b");

  auto waiting = reader.start_next();
  feed.send(chunk(":thump\n\nevent: update\r\nda") + chunk("ta: {\"a\":1}\r\nid: 7\r\nretry: 250\r\n\r"));
  const auto event = waiting.get();
  ASSERT_TRUE(event) << event.error().detail;
  EXPECT_EQ(*event, (ServerEvent{"update", "{\"a\":1}", "7"}));
  feed.send(chunk("\ndata: one\n\ndata: two\n\n") + "0\r\n\r\n");
  reader.expect({"message", "one", "7"});
  reader.expect({"message", "two", "7"});
  reader.expect_end(ErrorCode::bad_gateway, "127.0.0.1:" + feed.port() + " ended the event stream");
  reader.expect_end(ErrorCode::bad_gateway, "no event stream is open");
  EXPECT_EQ(reader.stream->last_event_id(), "7");
  EXPECT_EQ(reader.stream->retry(), 250ms);
  EXPECT_TRUE(feed.ends());
}

TEST(EventStream, ReadsABodyWithoutALength) {
  Feed feed;
  Reader reader;
  reader.open_with(feed, "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\ndata: b\n\ndata: cut");
  reader.expect({"message", "a", ""});
  reader.expect({"message", "b", ""});
  feed.close();
  reader.expect_end(ErrorCode::bad_gateway, "ended the event stream");
}

TEST(EventStream, ReadsWhatComesByteByByteAndWhatComesAtOnce) {
  Feed feed;
  Reader reader;
  std::string many;
  for (int i = 0; i < 5000; ++i) many += chunk("data: " + std::to_string(i) + "\r\n\r\n");
  const std::string large(200'000, 'x');
  auto opening = reader.open(feed.url());
  feed.accept();
  for (const char c : kStream + chunk("data: slow\r\n\r\n")) feed.send(std::string(1, c));
  ASSERT_TRUE(opening.get());
  reader.expect({"message", "slow", ""});
  std::thread sending([&] { feed.send(many + chunk("data: " + large + "\n\n")); });
  for (int i = 0; i < 5000; ++i) reader.expect({"message", std::to_string(i), ""});
  reader.expect({"message", large, ""});
  sending.join();
}

TEST(EventStream, IsDeadWhenNothingComes) {
  EventStreamOptions options = allowing_private();
  options.idle_timeout = 50ms;
  Feed feed;
  Reader reader(options);
  reader.open_with(feed, kStream + chunk("data: a\n\n"));
  reader.expect({"message", "a", ""});
  reader.expect_end(ErrorCode::timeout, "127.0.0.1:" + feed.port() + " sent nothing for 50 ms");
  EXPECT_TRUE(feed.ends());
}

TEST(EventStream, LivesAsLongAsCommentsCome) {
  EventStreamOptions options = allowing_private();
  options.idle_timeout = 1s;
  Feed feed;
  Reader reader(options);
  reader.open_with(feed, kStream);
  auto waiting = reader.start_next();
  for (int i = 0; i < 13; ++i) {
    std::this_thread::sleep_for(100ms);
    feed.send(chunk(":thump\n"));
  }
  feed.send(chunk("data: at last\n\n"));
  const auto event = waiting.get();
  ASSERT_TRUE(event) << event.error().detail;
  EXPECT_EQ(event->data, "at last");
}

TEST(EventStream, SaysSoWhenTheServerDies) {
  Feed feed;
  Reader reader;
  reader.open_with(feed, kStream + chunk("data: a\n\ndata: b\n"));
  feed.close();
  reader.expect({"message", "a", ""});
  reader.expect_end(ErrorCode::bad_gateway, "could not read the event stream of 127.0.0.1:" + feed.port() +
                                                ": the server closed the connection");

  reader.open_with(feed, kStream + chunk("data: a\n\n"));
  reader.expect({"message", "a", ""});
  feed.reset();
  reader.expect_end(ErrorCode::bad_gateway, "could not read the event stream of");

  reader.open_with(feed, kStream + chunk("data: a\n\n"));
  reader.expect({"message", "a", ""});
  feed.send(chunk("data: b\n\n") + "not a chunk\r\n");
  reader.expect({"message", "b", ""});
  reader.expect_end(ErrorCode::bad_gateway, "it is not HTTP");

  auto opening = reader.open(feed.url());
  feed.accept();
  feed.close();
  const auto opened = opening.get();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::bad_gateway);
}

TEST(EventStream, EndsWithAnEventThatIsTooLarge) {
  EventStreamOptions options = allowing_private();
  options.event_bytes = 100;
  Feed feed;
  Reader reader(options);
  reader.open_with(feed, kStream + chunk("data: a\n\ndata: " + std::string(1000, 'b')));
  reader.expect({"message", "a", ""});
  reader.expect_end(ErrorCode::bad_gateway, "an event of more than 100 bytes");
  EXPECT_TRUE(feed.ends());
}

TEST(EventStream, ShowsAnAnswerThatIsNoStream) {
  Feed feed;
  Reader reader;
  auto opening = reader.open(feed.url());
  feed.accept();
  feed.send("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 4\r\n\r\nslow");
  auto opened = opening.get();
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->status, 429);
  EXPECT_EQ(find_header(opened->headers, "retry-after"), "30");
  EXPECT_EQ(opened->body, "slow");
  reader.expect_end(ErrorCode::bad_gateway, "no event stream is open");
  EXPECT_TRUE(feed.ends());

  opening = reader.open(feed.url());
  feed.accept();
  feed.send("HTTP/1.1 401 Unauthorized\r\nContent-Type: text/event-stream\r\n\r\nwho");
  feed.close();
  opened = opening.get();
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->status, 401);
  EXPECT_EQ(opened->body, "who");

  opening = reader.open(feed.url());
  feed.accept();
  feed.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>");
  opened = opening.get();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::bad_gateway);
  EXPECT_EQ(opened.error().detail,
            "127.0.0.1:" + feed.port() + " answered 200, but not with an event stream (content type: text/html)");

  opening = reader.open(feed.url());
  feed.accept();
  feed.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\n\r\n");
  opened = opening.get();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("answered 200, but in a content coding"), std::string::npos);

  reader.open_with(feed, kStream + chunk("data: a\n\n") + "not a chunk\r\n");
  reader.expect({"message", "a", ""});
  reader.expect_end(ErrorCode::bad_gateway, "it is not HTTP");
}

TEST(EventStream, ShowsAStatusWhoseBodyDoesNotCome) {
  EventStreamOptions options = allowing_private();
  options.connect_timeout = 500ms;
  Feed feed;
  Reader reader(options);
  auto opening = reader.open(feed.url());
  feed.accept();
  feed.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nonly so much");
  const auto opened = opening.get();
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(opened->status, 503);
  EXPECT_EQ(opened->body, "only so much");

  opening = reader.open(feed.url());
  feed.accept();
  const auto silent = opening.get();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::timeout);
  EXPECT_EQ(silent.error().detail,
            "127.0.0.1:" + feed.port() + " did not answer within 500 ms (while waiting for its answer)");
}

TEST(EventStream, ChecksAddressesAndHeadersAsTheClientDoes) {
  Feed feed;
  Reader strict{EventStreamOptions{}};
  const auto refused = strict.open(feed.url()).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);

  Reader reader;
  const auto header = reader.open(feed.url(), {{"X-A", "b\r\nX-B: c"}}).get();
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, ErrorCode::bad_request);
}

TEST(EventStream, CloseEndsWhatWaits) {
  Feed feed;
  Reader reader;
  reader.open_with(feed, kStream);
  auto waiting = reader.start_next();
  reader.on_its_thread([&] { reader.stream->close(); });
  Reader::expect_end(waiting.get(), ErrorCode::bad_gateway, "the event stream was closed");
  EXPECT_TRUE(feed.ends());

  auto opening = reader.open(feed.url());
  feed.accept();
  reader.on_its_thread([&] { reader.stream->close(); });
  const auto opened = opening.get();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().detail, "the event stream was closed");
  EXPECT_TRUE(feed.ends());

  // It can be used again.
  reader.open_with(feed, kStream + chunk("data: a\n\n"));
  reader.expect({"message", "a", ""});
  waiting = reader.start_next();
  reader.on_its_thread([&] { reader.stream.reset(); });
  Reader::expect_end(waiting.get(), ErrorCode::bad_gateway, "the event stream was closed");
}

TEST(EventStream, CancellingEndsWhatWaits) {
  Feed feed;
  Reader reader;
  const auto cancelled = [&](auto&& awaitable, const auto& meanwhile) {
    asio::cancellation_signal cancel;
    std::promise<void> done;
    asio::co_spawn(
        reader.context, std::forward<decltype(awaitable)>(awaitable),
        asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr&, const auto&) { done.set_value(); }));
    meanwhile();
    reader.on_its_thread([&] { cancel.emit(asio::cancellation_type::terminal); });
    auto ended = done.get_future();
    EXPECT_EQ(ended.wait_for(kPatience), std::future_status::ready);
    reader.on_its_thread([] {});  // the coroutine's frame is gone before its signal
  };
  cancelled(reader.stream->open(parse_url(feed.url()).value()), [&] { feed.accept(); });
  EXPECT_TRUE(feed.ends());

  reader.open_with(feed, kStream);
  cancelled(reader.stream->next(), [&] { reader.on_its_thread([] {}); });
  EXPECT_TRUE(feed.ends());
  reader.expect_end(ErrorCode::bad_gateway, "no event stream is open");
}

TEST(EventStream, VerifiesTheServer) {
  const ScratchDirectory scratch;
  const TlsFiles files{(scratch.path / "certificate.pem").string(), (scratch.path / "key.pem").string()};
  make_certificate(files, "DNS:localhost", "events");
  ServerOptions server_options;
  server_options.tls = files;
  TestServer server(server_options, {{Method::get, "/events", 0, [](Request&) -> asio::awaitable<Response> {
                                        Response out = Response::text(200, "data: over TLS\n\n");
                                        out.content_type = "text/event-stream";
                                        co_return out;
                                      }}});
  const std::string url = "https://localhost:" + std::to_string(server.port()) + "/events";

  EventStreamOptions options = allowing_private();
  options.ca_file = files.certificate;
  Reader reader(options);
  const auto opened = reader.open(url).get();
  ASSERT_TRUE(opened) << opened.error().detail;
  reader.expect({"message", "over TLS", ""});
  reader.expect_end(ErrorCode::bad_gateway, "ended the event stream");

  Reader stranger;
  const auto refused = stranger.open(url).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_gateway);
}

}  // namespace
}  // namespace triage::net::testing
