// Limits and deadlines: whoever is too large, too many or too slow is told so where possible, and let go.
#include <sys/resource.h>

#include "support.h"

namespace triage::net::testing {
namespace {

TEST(Limits, ABodyThatIsTooLargeIsRefusedBeforeItIsRead) {
  TestServer test;
  Wire wire(test.port());
  // Not one byte of the body is sent, and the answer is there all the same.
  wire.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n");
  const Answer answer = wire.read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(wire.ends());
  EXPECT_EQ(test.echoes, 0);
}

TEST(Limits, ABodyOfExactlyTheLimitIsTaken) {
  TestServer test;
  Wire wire(test.port());
  EXPECT_EQ(wire.ask(post("/echo", std::string(100'000, 'b'))).body.size(), 100'000U);
  EXPECT_EQ(wire.ask(post("/small", "0123456789")).body, "0123456789");
  EXPECT_EQ(wire.ask(post("/small", "0123456789a")).status, 413);
}

TEST(Limits, AChunkedBodyIsHeldToTheLimitToo) {
  TestServer test;
  const std::string head = "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  Wire fits(test.port());
  EXPECT_EQ(fits.ask(head + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n").body, "0123456789");
  EXPECT_EQ(fits.ask(head + "5\r\n01234\r\n6\r\n").status, 413);
  Wire at_once(test.port());
  EXPECT_EQ(at_once.ask(head + "ffffffffffffffff\r\n").status, 413);
}

TEST(Limits, AClientThatSendsAllOfATooLargeBodyCanStillReadTheAnswer) {
  TestServer test;
  Wire wire(test.port());
  // Closed without reading on, the connection would be reset under the client's hands.
  EXPECT_TRUE(wire.send(post("/small", std::string(8 << 20, 'x'))));
  EXPECT_EQ(wire.read().status, 413);
}

TEST(Limits, AHeaderThatIsTooLargeGets431) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.header_bytes = 1000; }));
  Wire fits(test.port());
  EXPECT_EQ(fits.ask(get("/hello", "X-A: " + std::string(900, 'a') + "\r\n")).status, 200);
  for (const std::string& bytes :
       {get("/hello", "X-A: " + std::string(1000, 'a') + "\r\n"), get("/" + std::string(1000, 'a')),
        get("/" + std::string(600, 'a'), "X-A: " + std::string(600, 'a') + "\r\n"),
        "GET /hello HTTP/1.1\r\nX-A: " + std::string(100'000, 'a'), std::string(100'000, 'G')}) {
    Wire wire(test.port());
    wire.send(bytes);
    const Answer answer = wire.read();
    EXPECT_EQ(answer.status, 431) << bytes.substr(0, 40);
    EXPECT_EQ(wire.read_to_end(), "");
  }
}

TEST(Limits, ASlowHeaderGets408) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.header_timeout = 400ms; }));
  Wire wire(test.port());
  std::atomic<bool> answered{false};
  // A byte now and then must not move the deadline: without one, this would go on for as long as the client likes.
  std::thread drip([&] {
    wire.send("GET /hello HTTP/1.1\r\n");
    while (!answered && wire.send("X")) std::this_thread::sleep_for(5ms);
  });
  const Answer answer = wire.read();
  answered = true;
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.header("Connection"), "close");
  drip.join();
  EXPECT_EQ(wire.read_to_end(), "");
  EXPECT_EQ(test.server->stats().timeouts, 1);
}

TEST(Limits, ASlowBodyGets408AndReachesNoHandler) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.body_timeout = 60ms; }));
  Wire wire(test.port());
  std::atomic<bool> answered{false};
  std::thread drip([&] {
    wire.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n");
    while (!answered && wire.send("X")) std::this_thread::sleep_for(5ms);
  });
  EXPECT_EQ(wire.read().status, 408);
  answered = true;
  drip.join();
  EXPECT_EQ(wire.read_to_end(), "");
  EXPECT_EQ(test.echoes, 0);
}

TEST(Limits, AConnectionThatSaysNothingIsClosed) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.header_timeout = 50ms; }));
  Wire wire(test.port());
  EXPECT_TRUE(wire.ends());
}

TEST(Limits, AnIdleKeptConnectionIsClosed) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.idle_timeout = 400ms; }));
  Wire wire(test.port());
  EXPECT_EQ(wire.ask(get("/hello")).status, 200);
  EXPECT_TRUE(wire.ends());
  EXPECT_EQ(test.server->stats().timeouts, 0) << "to be idle is no failure";
}

TEST(Limits, AClientThatNeverReadsIsCut) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.write_timeout = 50ms; }));
  Wire wire(test.port(), 4096);
  wire.send(get("/huge"));
  EXPECT_TRUE(eventually([&] { return test.server->stats().timeouts == 1; }));
  EXPECT_LT(wire.read_to_end().size(), std::size_t{64} << 20);
}

TEST(Limits, AHandlerMayTakeLongerThanAnyDeadlineOfTheConnection) {
  TestServer test(with_limits([](ServerLimits& limits) {
    limits.header_timeout = limits.body_timeout = limits.idle_timeout = limits.write_timeout = 400ms;
  }));
  Wire wire(test.port());
  wire.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return test.waiting == 1; }));
  std::this_thread::sleep_for(600ms);
  test.gate.raise();
  EXPECT_EQ(wire.read().body, "at last");
}

TEST(Limits, AConnectionTooManyGets503AndRetryAfter) {
  TestServer test(with_limits([](ServerLimits& limits) { limits.connections = 2; }));
  Wire first(test.port());
  Wire second(test.port());
  EXPECT_EQ(first.ask(get("/hello")).status, 200);
  EXPECT_EQ(second.ask(get("/hello")).status, 200);
  {
    Wire third(test.port());
    third.send(get("/hello"));  // as clients do, without waiting
    const Answer answer = third.read();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(third.read_to_end(), "");
  }
  EXPECT_EQ(test.server->stats().refused, 1);
  first.close();
  ASSERT_TRUE(eventually([&] { return test.server->stats().connections == 1; }));
  Wire fourth(test.port());
  EXPECT_EQ(fourth.ask(get("/hello")).status, 200) << "there is room again";
}

// Takes every file descriptor that the process may have, for as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &low);
    // An accept() that finds nobody has one in hand for a moment, and gives it back: look again.
    for (int look = 0; look < 10; ++look) {
      for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
      std::this_thread::sleep_for(5ms);
    }
  }
  ~NoDescriptors() {
    while (!taken_.empty()) give_back();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void give_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST(Limits, OutOfFileDescriptorsItWaitsAndThenGoesOnAccepting) {
  TestServer test;
  NoDescriptors none;
  none.give_back();
  Wire wire(test.port());  // takes the last one; there is none for the server's end
  ASSERT_TRUE(wire.connected());
  wire.send(get("/hello"));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(test.server->stats().accepted, 0);
  none.give_back();
  EXPECT_EQ(wire.read().body, "hello");
}

}  // namespace
}  // namespace triage::net::testing
