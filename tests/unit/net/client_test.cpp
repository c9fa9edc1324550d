// What the client promises to those who send callbacks with it.
#include "triage/net/client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "certificate.h"
#include "support.h"

namespace triage::net::testing {
namespace {

ClientOptions allowing_private(std::chrono::milliseconds timeout = kPatience) {
  ClientOptions options;
  options.allow_private_addresses = true;
  options.timeout = timeout;
  return options;
}

// A client with its io_context, which runs in the calling thread while an exchange is under way.
class Caller {
 public:
  explicit Caller(const ClientOptions& options = allowing_private()) : client(options) {}

  Result<ClientResponse> send(const ClientRequest& request, bool* sent = nullptr) {
    auto answer = asio::co_spawn(context, client.send(request, sent), asio::use_future);
    context.restart();
    while (answer.wait_for(0s) != std::future_status::ready) context.run_one();
    return answer.get();
  }
  Result<ClientResponse> post(const std::string& url, const std::string& body = "{}", const Headers& headers = {}) {
    ClientRequest request;
    request.url = parse_url(url).value();
    request.body = body;
    request.headers = headers;
    return send(request);
  }
  Result<ClientResponse> post(unsigned short port, const std::string& path = "/echo", const std::string& body = "{}") {
    return post("http://127.0.0.1:" + std::to_string(port) + path, body);
  }

  asio::io_context context;
  Client client;
};

// Takes connections one after the other and answers the n-th request with the n-th script, whatever was asked.
class Scripted {
 public:
  struct Script {
    std::string answer;
    enum class Then { keep, close, reset } then = Then::keep;
  };

  explicit Scripted(std::vector<Script> scripts)
      : acceptor_(io_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        scripts_(std::move(scripts)),
        thread_([this] { run(); }) {}
  ~Scripted() {
    // Wakes whoever waits in accept or read.
    over_ = true;
    { Wire wake(port()); }
    {
      const std::scoped_lock lock(mutex_);
      if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
    }
    thread_.join();
  }

  unsigned short port() const { return acceptor_.local_endpoint().port(); }
  std::vector<std::string> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  int connections() const { return connections_; }

 private:
  void run() {
    std::size_t next = 0;
    while (!over_) {
      boost::system::error_code ec;
      asio::ip::tcp::socket socket(io_);
      acceptor_.accept(socket, ec);
      if (ec || over_) return;
      ++connections_;
      {
        const std::scoped_lock lock(mutex_);
        current_ = socket.native_handle();
      }
      bool open = true;
      while (open && !over_ && next < scripts_.size()) {
        std::string request(65536, '\0');
        const std::size_t size = socket.read_some(asio::buffer(request), ec);
        if (ec) break;
        {
          const std::scoped_lock lock(mutex_);
          requests_.push_back(request.substr(0, size));
        }
        const Script& script = scripts_[next++];
        socket.write_some(asio::buffer(script.answer), ec);
        open = script.then == Script::Then::keep;
        if (script.then == Script::Then::reset) socket.set_option(asio::socket_base::linger(true, 0), ec);
      }
      // With the scripts at an end the connection stays open and silent.
      while (open && !over_ && !ec) {
        char byte = 0;
        socket.read_some(asio::buffer(&byte, 1), ec);
      }
      const std::scoped_lock lock(mutex_);
      current_ = -1;
    }
  }

  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  std::vector<Script> scripts_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<int> connections_{0};
  std::atomic<bool> over_{false};
  int current_ = -1;
  std::thread thread_;
};

// One that nobody listens on.
unsigned short closed_port() {
  asio::io_context io;
  const asio::ip::tcp::acceptor acceptor(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return acceptor.local_endpoint().port();
}

using Then = Scripted::Script::Then;
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(Client, SendsTheRequestAndReturnsWhateverStatusComes) {
  Scripted server({{"HTTP/1.1 418 Teapot\r\nX-A: b\r\nContent-Length: 3\r\n\r\ntea", Then::close}});
  Caller caller;
  ClientRequest request;
  request.url = parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/hook?a=b").value();
  request.headers = {{"webhook-id", "msg_1"}, {"Host", "elsewhere"}, {"Content-Length", "7"}};
  request.body = "{\"a\":1}";
  const auto answer = caller.send(request);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 418);
  EXPECT_EQ(answer->body, "tea");
  EXPECT_EQ(find_header(answer->headers, "x-a"), "b");
  EXPECT_EQ(server.requests().at(0), "POST /hook?a=b HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                         "\r\nUser-Agent: triaged\r\nwebhook-id: msg_1\r\nContent-Length: 7\r\n\r\n"
                                         "{\"a\":1}");
}

TEST(Client, SendsABodyWithTheMethodsThatHaveOne) {
  struct Case {
    Method method;
    std::string body;
    std::string line;
    std::string rest;
  };
  const std::vector<Case> cases{
      {Method::get, "not sent", "GET", "\r\n"},
      {Method::head, "not sent", "HEAD", "\r\n"},
      {Method::post, "", "POST", "Content-Length: 0\r\n\r\n"},
      {Method::put, "a", "PUT", "Content-Length: 1\r\n\r\na"},
      {Method::patch, "ab", "PATCH", "Content-Length: 2\r\n\r\nab"},
      {Method::del, "", "DELETE", "\r\n"},
      {Method::del, "abc", "DELETE", "Content-Length: 3\r\n\r\nabc"},
  };
  Scripted server(std::vector<Scripted::Script>(cases.size(), {"HTTP/1.1 204 No Content\r\n\r\n"}));
  Caller caller;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ClientRequest request;
    request.method = cases[i].method;
    request.url = parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/a").value();
    request.body = cases[i].body;
    const auto answer = caller.send(request);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(server.requests().at(i), cases[i].line +
                                           " /a HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                           "\r\nUser-Agent: triaged\r\n" + cases[i].rest);
  }
  ClientRequest other;
  other.method = Method::other;
  other.url = parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/a").value();
  const auto answer = caller.send(other);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::bad_request);
}

TEST(Client, UsesAKeptConnectionAgain) {
  TestServer server;
  Caller caller;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(caller.post(server.port(), "/echo", std::to_string(i))->body, std::to_string(i));
  EXPECT_EQ(server.server->stats().accepted, 1);
  caller.client.close_idle();
  EXPECT_EQ(caller.post(server.port())->status, 200);
  EXPECT_EQ(server.server->stats().accepted, 2);
}

TEST(Client, ClosesAKeptConnectionThatIsNotUsed) {
  TestServer server;
  ClientOptions options = allowing_private();
  options.idle_timeout = 20ms;
  Caller caller(options);
  EXPECT_EQ(caller.post(server.port())->status, 200);
  ASSERT_EQ(server.server->stats().connections, 1);
  caller.context.restart();
  caller.context.run();  // until the client has nothing more to wait for
  EXPECT_TRUE(eventually([&] { return server.server->stats().connections == 0; }));
}

TEST(Client, DoesNotKeepAConnectionThatTheServerWantsClosed) {
  Scripted server({{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", Then::close}, {kOk}});
  Caller caller;
  EXPECT_EQ(caller.post(server.port())->status, 200);
  EXPECT_EQ(caller.post(server.port())->status, 200);
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, ReplacesAConnectionThatTheServerHasClosedMeanwhile) {
  Scripted server({{kOk, Then::close}, {kOk, Then::keep}});
  Caller caller;
  EXPECT_EQ(caller.post(server.port())->body, "ok");
  EXPECT_EQ(caller.post(server.port())->body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, ReplacesOnceAConnectionThatClosesInsteadOfAnswering) {
  {
    Scripted server({{kOk}, {"", Then::close}, {kOk}});
    Caller caller;
    EXPECT_EQ(caller.post(server.port())->body, "ok");
    const auto second = caller.post(server.port());
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_EQ(second->body, "ok");
    EXPECT_EQ(server.requests().size(), 3U);
  }
  Scripted server({{kOk}, {"", Then::reset}, {"", Then::close}, {kOk}});
  Caller caller;
  EXPECT_EQ(caller.post(server.port())->body, "ok");
  const auto second = caller.post(server.port());
  ASSERT_FALSE(second) << "a new connection that closes is a failure";
  EXPECT_EQ(second.error().code, ErrorCode::bad_gateway);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(Client, DoesNotSendAgainWhatWasAnsweredInPart) {
  Scripted server({{kOk}, {"HTTP/1.1 200 OK\r\nContent-Le", Then::close}, {kOk}});
  Caller caller;
  EXPECT_EQ(caller.post(server.port())->body, "ok");
  const auto second = caller.post(server.port());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::bad_gateway);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(Client, GivesUpWhenTimeIsOver) {
  Scripted silent({});
  Caller caller(allowing_private(50ms));
  const auto answer = caller.post(silent.port());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  const std::string who = "127.0.0.1:" + std::to_string(silent.port());
  EXPECT_EQ(answer.error().detail, who + " did not answer within 50 ms (while waiting for its answer)");

  Scripted drips({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly so much"}});
  const auto half = caller.post(drips.port());
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, ErrorCode::timeout);
  EXPECT_NE(half.error().detail.find("(while reading its answer)"), std::string::npos) << half.error().detail;
}

TEST(Client, SendsAnUnrepeatableRequestOnceAtMost) {
  {
    TestServer server;
    Caller caller;
    ClientRequest request;
    request.url = parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/echo").value();
    request.repeatable = false;
    EXPECT_EQ(caller.send(request)->status, 200);
    EXPECT_EQ(caller.send(request)->status, 200);
    EXPECT_EQ(server.server->stats().accepted, 2) << "never on a kept connection";
    EXPECT_EQ(caller.post(server.port())->status, 200);
    EXPECT_EQ(server.server->stats().accepted, 2) << "others may use the ones that it leaves";
  }
  for (const Then then : {Then::close, Then::reset}) {
    Scripted server({{kOk, Then::close}, {"", then}, {kOk}});
    Caller caller;
    EXPECT_EQ(caller.post(server.port())->body, "ok");
    ClientRequest request;
    request.url = parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/").value();
    request.repeatable = false;
    bool sent = false;
    const auto answer = caller.send(request, &sent);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::bad_gateway);
    EXPECT_TRUE(sent);
    EXPECT_EQ(server.requests().size(), 2U);
  }
}

TEST(Client, SaysWhetherTheRequestMayHaveArrived) {
  ClientRequest request;
  request.repeatable = false;
  const auto to = [&](unsigned short port) {
    request.url = parse_url("http://127.0.0.1:" + std::to_string(port) + "/").value();
  };
  bool sent = false;

  Caller caller;
  Scripted answers({{kOk}});
  to(answers.port());
  EXPECT_TRUE(caller.send(request, &sent));
  EXPECT_TRUE(sent);

  sent = true;
  to(closed_port());
  EXPECT_FALSE(caller.send(request, &sent));
  EXPECT_FALSE(sent) << "the connection was refused";

  sent = true;
  request.url = parse_url("http://no-such-host.invalid/").value();
  EXPECT_FALSE(caller.send(request, &sent));
  EXPECT_FALSE(sent) << "the name has no address";

  sent = true;
  Caller strict{ClientOptions{}};
  to(answers.port());
  EXPECT_FALSE(strict.send(request, &sent));
  EXPECT_FALSE(sent) << "the address was refused";

  sent = true;
  to(answers.port());
  request.headers = {{"X-A", "b\r\n"}};
  EXPECT_FALSE(caller.send(request, &sent));
  EXPECT_FALSE(sent) << "a header was refused";
  request.headers.clear();

  Scripted closes({{"", Then::close}});
  to(closes.port());
  EXPECT_FALSE(caller.send(request, &sent));
  EXPECT_TRUE(sent) << "closed after it was read";

  sent = false;
  Scripted silent({});
  Caller hasty(allowing_private(50ms));
  to(silent.port());
  const auto late = hasty.send(request, &sent);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  EXPECT_TRUE(sent) << "read and never answered";
}

TEST(Client, SaysSoOfARequestThatWasCancelledToo) {
  Scripted silent({{""}});
  Caller caller;
  ClientRequest request;
  request.url = parse_url("http://127.0.0.1:" + std::to_string(silent.port()) + "/").value();
  bool sent = false;
  bool ended = false;
  asio::cancellation_signal cancel;
  asio::co_spawn(caller.context, caller.client.send(request, &sent),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](const std::exception_ptr&, const Result<ClientResponse>&) { ended = true; }));
  while (silent.requests().empty()) caller.context.run_one_for(10ms);
  cancel.emit(asio::cancellation_type::terminal);
  caller.context.restart();
  while (!ended) caller.context.run_one();
  EXPECT_TRUE(sent);
}

TEST(Client, RefusesAnAddressThatIsNotPublic) {
  TestServer server;
  Caller caller{ClientOptions{}};
  const std::string port = std::to_string(server.port());
  for (const char* host :
       {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433", "0x7f000001"}) {
    const auto answer = caller.post("http://" + std::string(host) + ":" + port + "/echo");
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.error().code, ErrorCode::forbidden) << host << ": " << answer.error().detail;
    EXPECT_NE(answer.error().detail.find("not public"), std::string::npos) << answer.error().detail;
  }
  EXPECT_EQ(server.server->stats().accepted, 0) << "not even a connection";
}

TEST(Client, FindsAHostByName) {
  TestServer server;
  Caller caller;
  // Where localhost is ::1 first, the next address is tried.
  const auto answer = caller.post("http://localhost:" + std::to_string(server.port()) + "/echo", "hi");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, "hi");
}

TEST(Client, SaysWhatCouldNotBeDone) {
  Caller caller;
  const auto unknown = caller.post("http://no-such-host.invalid/");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::bad_gateway);
  EXPECT_NE(unknown.error().detail.find("could not resolve no-such-host.invalid"), std::string::npos)
      << unknown.error().detail;

  const auto refused = caller.post(closed_port(), "/secret-path");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_gateway);
  EXPECT_NE(refused.error().detail.find("could not connect to 127.0.0.1:"), std::string::npos)
      << refused.error().detail;
  EXPECT_NE(refused.error().detail.find("refused"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(refused.error().detail.find("secret"), std::string::npos) << refused.error().detail;

  Scripted nonsense({{"220 mail.example.com ESMTP\r\n", Then::close}});
  const auto strange = caller.post(nonsense.port());
  ASSERT_FALSE(strange);
  EXPECT_EQ(strange.error().code, ErrorCode::bad_gateway);
}

TEST(Client, FollowsNoRedirect) {
  Scripted server({{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"}});
  Caller caller;
  const auto answer = caller.post(server.port());
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Client, ReadsNoMoreOfABodyThanItMay) {
  ClientOptions options = allowing_private();
  options.response_bytes = 1000;
  TestServer server;
  Caller caller(options);
  ClientRequest request;
  request.method = Method::get;
  request.url = parse_url("http://127.0.0.1:" + std::to_string(server.port()) + "/huge").value();
  const auto answer = caller.send(request);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, std::string(1000, 'h'));
  EXPECT_TRUE(eventually([&] { return server.server->stats().connections == 0; })) << "the connection is not kept";

  Scripted header({{"HTTP/1.1 200 OK\r\nX-A: " + std::string(40'000, 'a') + "\r\n\r\n", Then::close}});
  const auto large = caller.post(header.port());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::bad_gateway);
}

TEST(Client, ReadsEveryKindOfBody) {
  Scripted server({{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kOk},
                   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
                   {"HTTP/1.1 204 No Content\r\n\r\n"},
                   {"HTTP/1.1 200 OK\r\n\r\nuntil the end", Then::close},
                   {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut", Then::close}});
  Caller caller;
  EXPECT_EQ(caller.post(server.port())->body, "ok");
  EXPECT_EQ(caller.post(server.port())->body, "abcde");
  EXPECT_EQ(caller.post(server.port())->status, 204);
  EXPECT_EQ(caller.post(server.port())->body, "until the end");
  const auto cut = caller.post(server.port());
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::bad_gateway);
}

TEST(Client, LetsNoHeaderStartAnother) {
  TestServer server;
  Caller caller;
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/echo";
  const auto value = caller.post(url, "{}", {{"Authorization", "Bearer secret\r\nX-A: b"}});
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().detail.find("Authorization"), std::string::npos);
  EXPECT_EQ(value.error().detail.find("secret"), std::string::npos);
  EXPECT_FALSE(caller.post(url, "{}", {{"X-A: b\r\nX-C", "d"}}));
  EXPECT_EQ(server.server->stats().accepted, 0);
}

class ClientTls : public ::testing::Test {
 protected:
  ClientTls() : files_{(scratch_.path / "certificate.pem").string(), (scratch_.path / "key.pem").string()} {}

  std::string url(const TestServer& server, const std::string& host) const {
    return "https://" + host + ":" + std::to_string(server.port()) + "/echo";
  }

  ScratchDirectory scratch_;
  TlsFiles files_;
};

TEST_F(ClientTls, TrustsARootOfTheCaFileForTheNamesInTheCertificate) {
  make_certificate(files_, "DNS:localhost,IP:127.0.0.1", "both");
  ServerOptions server_options;
  server_options.tls = files_;
  TestServer server(server_options);
  ClientOptions options = allowing_private();
  options.ca_file = files_.certificate;
  Caller caller(options);
  for (const char* host : {"localhost", "127.0.0.1", "localhost"}) {
    const auto answer = caller.post(url(server, host), "over TLS");
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, "over TLS");
  }
  EXPECT_EQ(server.server->stats().accepted, 2) << "kept by origin";
}

TEST_F(ClientTls, RefusesACertificateThatNobodyTrusts) {
  make_certificate(files_, "DNS:localhost", "unknown");
  ServerOptions server_options;
  server_options.tls = files_;
  TestServer server(server_options);
  Caller caller;
  ClientRequest request;
  request.url = parse_url(url(server, "localhost")).value();
  bool sent = true;
  const auto answer = caller.send(request, &sent);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::bad_gateway);
  EXPECT_FALSE(sent);
  EXPECT_NE(answer.error().detail.find("self-signed"), std::string::npos) << answer.error().detail;
  EXPECT_EQ(server.echoes, 0);
}

TEST_F(ClientTls, RefusesACertificateOfAnotherHost) {
  make_certificate(files_, "DNS:elsewhere.example", "elsewhere");
  ServerOptions server_options;
  server_options.tls = files_;
  TestServer server(server_options);
  ClientOptions options = allowing_private();
  options.ca_file = files_.certificate;
  Caller caller(options);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto answer = caller.post(url(server, host), "over TLS");
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.error().code, ErrorCode::bad_gateway);
  }
  EXPECT_EQ(server.echoes, 0);
}

TEST_F(ClientTls, SaysSoWhenTheCaFileCannotBeRead) {
  ClientOptions options;
  options.ca_file = "/nowhere/ca.pem";
  EXPECT_THROW(
      {
        try {
          Client client(options);
        } catch (const std::runtime_error& error) {
          EXPECT_NE(std::string(error.what()).find("/nowhere/ca.pem"), std::string::npos) << error.what();
          throw;
        }
      },
      std::runtime_error);
}

}  // namespace
}  // namespace triage::net::testing
