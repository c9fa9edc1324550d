// Stopping: what is busy is finished, what is idle is closed, what does not end is cut.
#include <future>

#include "support.h"

namespace triage::net::testing {
namespace {

TEST(Drain, FinishesTheBusyRequestAndClosesTheIdleConnection) {
  TestServer test;
  Wire idle(test.port());
  ASSERT_EQ(idle.ask(get("/hello")).status, 200);
  Wire busy(test.port());
  busy.send(get("/wait"));
  ASSERT_TRUE(eventually([&] { return test.waiting == 1; }));

  auto stopped = std::async(std::launch::async, [&] { test.server->stop(kPatience); });
  EXPECT_TRUE(idle.ends());
  EXPECT_EQ(stopped.wait_for(0s), std::future_status::timeout) << "one request is still busy";
  test.gate.raise();
  const Answer answer = busy.read();
  EXPECT_EQ(answer.body, "at last");
  EXPECT_EQ(answer.header("Connection"), "close");
  busy.close();
  stopped.get();
  EXPECT_EQ(test.server->stats().connections, 0);
  EXPECT_FALSE(Wire(test.port()).connected()) << "nobody listens any more";
}

TEST(Drain, LetsABodyThatIsUnderWayArrive) {
  TestServer test;
  Wire wire(test.port());
  wire.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(wire.read().status, 100);
  wire.send("01234");
  Wire idle(test.port());
  ASSERT_EQ(idle.ask(get("/hello")).status, 200);
  auto stopped = std::async(std::launch::async, [&] { test.server->stop(kPatience); });
  EXPECT_TRUE(idle.ends());
  wire.send("56789");
  EXPECT_EQ(wire.read().body, "0123456789");
  wire.close();
  stopped.get();
}

TEST(Drain, CutsWhatIsStillOpenWhenTheGraceIsOver) {
  TestServer test;
  Wire wire(test.port());
  wire.send(get("/forever"));
  ASSERT_TRUE(eventually([&] { return test.waiting == 1; }));
  test.server->stop(20ms);
  EXPECT_EQ(test.server->stats().connections, 0);
  EXPECT_TRUE(wire.ends());
}

TEST(Drain, StoppingTwiceOrWithoutAStartDoesNothing) {
  TestServer test;
  test.server->stop(kPatience);
  test.server->stop(kPatience);
  Server never(test.runtime, ServerOptions{}, {}, nullptr);
  never.stop(kPatience);
}

TEST(Drain, LosesNoAnswerUnderLoad) {
  TestServer test;
  std::atomic<int> broken{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      Wire wire(test.port());
      while (wire.connected()) {
        if (!wire.send(post("/echo", "x"))) return;
        const Answer answer = wire.read();
        if (answer.status == 0) {
          // Closed between two requests is fine; half an answer is not.
          if (!answer.headers.empty()) ++broken;
          return;
        }
        ++answered;
        if (answer.header("Connection") == "close") return;
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return answered > 200; }));
  test.server->stop(kPatience);
  for (auto& client : clients) client.join();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(test.server->stats().connections, 0);
}

}  // namespace
}  // namespace triage::net::testing
