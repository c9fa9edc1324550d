// The server over TLS.
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "certificate.h"
#include "support.h"

namespace triage::net::testing {
namespace {

namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;

class Tls : public ::testing::Test {
 protected:
  Tls() : files_{(scratch_.path / "certificate.pem").string(), (scratch_.path / "key.pem").string()} {
    make_certificate(files_, "DNS:localhost", "first");
    options_.tls = files_;
  }

  ScratchDirectory scratch_;
  TlsFiles files_;
  ServerOptions options_;
};

// A blocking TLS client that trusts anybody, since the tests look at who it is.
class TlsWire {
 public:
  explicit TlsWire(unsigned short port) : context_(ssl::context::tls_client), stream_(io_, context_) {
    stream_.lowest_layer().connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    stream_.handshake(ssl::stream_base::client);
  }

  std::string title_of_server() {
    X509* const certificate = SSL_get1_peer_certificate(stream_.native_handle());
    char title[100] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, title, sizeof title);
    X509_free(certificate);
    return title;
  }

  // Asks with Connection: close and reads to the end.
  std::string ask_last(std::string bytes) {
    asio::write(stream_, asio::buffer(bytes));
    std::string out;
    asio::read(stream_, asio::dynamic_buffer(out), ended_);
    return out;
  }
  std::string ask(std::string bytes, std::size_t answer_bytes) {
    asio::write(stream_, asio::buffer(bytes));
    std::string out(answer_bytes, '\0');
    const std::size_t got = asio::read(stream_, asio::buffer(out), asio::transfer_at_least(1));
    return out.substr(0, got);
  }
  boost::system::error_code ended() const { return ended_; }

 private:
  asio::io_context io_;
  ssl::context context_;
  ssl::stream<tcp::socket> stream_;
  boost::system::error_code ended_;
};

TEST_F(Tls, ServesOverIt) {
  TestServer test(options_);
  TlsWire wire(test.port());
  EXPECT_TRUE(wire.ask(get("/whoami"), 4096).ends_with("127.0.0.1 tls"));
  const std::string body(90'000, 'b');
  const std::string answer = wire.ask_last(post("/echo", body, "Connection: close\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
  EXPECT_EQ(wire.ended(), asio::error::eof) << "ended with close_notify, not cut: " << wire.ended().message();
}

TEST_F(Tls, RefusesATooLargeBodyBeforeReadingIt) {
  TestServer test(options_);
  TlsWire wire(test.port());
  EXPECT_TRUE(wire.ask_last("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n01234567890")
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(Tls, ReloadGivesNewConnectionsTheNewCertificateAndLeavesTheOldOnesAlone) {
  TestServer test(options_);
  TlsWire before(test.port());
  EXPECT_EQ(before.title_of_server(), "first");

  make_certificate(files_, "DNS:localhost", "second");
  ASSERT_TRUE(test.server->reload_tls());
  TlsWire after(test.port());
  EXPECT_EQ(after.title_of_server(), "second");
  EXPECT_TRUE(before.ask(get("/hello"), 4096).ends_with("hello"));
}

TEST_F(Tls, AFailedReloadKeepsTheOldCertificateAndNamesTheFile) {
  TestServer test(options_);
  std::ofstream(files_.key) << "not a key";
  const auto reloaded = test.server->reload_tls();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().detail.find(files_.key), std::string::npos) << reloaded.error().detail;
  EXPECT_EQ(TlsWire(test.port()).title_of_server(), "first");
}

TEST_F(Tls, AKeyOfAnotherCertificateDoesNotStart) {
  const TlsFiles other{(scratch_.path / "other.pem").string(), (scratch_.path / "other-key.pem").string()};
  make_certificate(other, "DNS:localhost", "other");
  options_.port = 0;
  options_.tls->key = other.key;
  Runtime runtime(1);
  Server server(runtime, options_, {}, nullptr);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find(other.key), std::string::npos) << started.error().detail;
}

TEST_F(Tls, AMissingCertificateDoesNotStart) {
  options_.port = 0;
  options_.tls->certificate = "/nowhere/certificate.pem";
  Runtime runtime(1);
  Server server(runtime, options_, {}, nullptr);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("/nowhere/certificate.pem"), std::string::npos) << started.error().detail;
}

TEST_F(Tls, PlainHttpIsNoHandshakeAndHurtsNobody) {
  TestServer test(options_);
  Wire wire(test.port());
  wire.send(get("/hello"));
  wire.read_to_end();
  EXPECT_TRUE(eventually([&] { return test.server->stats().handshakes_failed == 1; }));
  EXPECT_EQ(TlsWire(test.port()).title_of_server(), "first");
}

TEST_F(Tls, AHandshakeThatDoesNotComeIsCutOff) {
  options_.limits.handshake_timeout = 50ms;
  TestServer test(options_);
  Wire wire(test.port());
  EXPECT_TRUE(wire.ends());
  EXPECT_TRUE(eventually([&] { return test.server->stats().handshakes_failed == 1; }));
}

TEST_F(Tls, DrainsLikePlainHttp) {
  TestServer test(options_);
  TlsWire idle(test.port());
  EXPECT_TRUE(idle.ask(get("/hello"), 4096).ends_with("hello"));
  test.server->stop(kPatience);
  EXPECT_EQ(test.server->stats().connections, 0);
}

}  // namespace
}  // namespace triage::net::testing
