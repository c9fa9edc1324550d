// What the server promises of HTTP/1.1, over real sockets.
#include <nlohmann/json.hpp>

#include "support.h"

namespace triage::net::testing {
namespace {

TEST(Server, AnswersManyRequestsOnOneConnection) {
  TestServer test;
  Wire wire(test.port());
  for (int i = 0; i < 3; ++i) {
    const Answer answer = wire.ask(get("/hello"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("Connection"), "");
  }
  EXPECT_EQ(test.server->stats().accepted, 1);
}

TEST(Server, GivesEveryAnswerADateAndAnIdOfItsOwn) {
  TestServer test;
  Wire wire(test.port());
  const Answer first = wire.ask(get("/hello"));
  const Answer second = wire.ask(get("/hello"));
  EXPECT_NE(first.header("X-Request-Id"), "");
  EXPECT_NE(first.header("X-Request-Id"), second.header("X-Request-Id"));
  EXPECT_TRUE(first.header("Date").ends_with(" GMT")) << first.header("Date");
  EXPECT_EQ(first.header("Date").size(), std::string("Sun, 06 Nov 1994 08:49:37 GMT").size());
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer test;
  Wire wire(test.port());
  std::string all;
  for (int i = 0; i < 200; ++i)
    all += i % 2 ? post("/echo", "body " + std::to_string(i)) : get("/items/" + std::to_string(i));
  wire.send(all);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(wire.read().body, i % 2 ? "body " + std::to_string(i) : std::to_string(i));
  }
}

TEST(Server, ReadsARequestThatArrivesByteByByte) {
  TestServer test;
  Wire wire(test.port());
  for (const char byte : post("/echo", "slow but steady")) ASSERT_TRUE(wire.send(std::string(1, byte)));
  EXPECT_EQ(wire.read().body, "slow but steady");
}

TEST(Server, PrefersALiteralSegmentAndDecodesWhatANameMatched) {
  TestServer test;
  Wire wire(test.port());
  EXPECT_EQ(wire.ask(get("/items/special")).body, "the special one");
  EXPECT_EQ(wire.ask(get("/items/a%2Fb%20c")).body, "a/b c");
  EXPECT_EQ(wire.ask(get("/%69tems/7")).body, "7");
  EXPECT_EQ(wire.ask(get("http://x/items/9?a=b")).body, "9");
  EXPECT_EQ(wire.ask("DELETE /items/special HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
}

TEST(Server, DecodesTheQueryInOrder) {
  TestServer test;
  Wire wire(test.port());
  EXPECT_EQ(wire.ask(get("/query?b=1&a=x+y&&b=%C3%BC&flag&e=1=2")).body, "b=1;a=x y;b=\xC3\xBC;flag=;e=1=2;");
}

TEST(Server, AnswersAPathThatIsNotThereWith404) {
  TestServer test;
  Wire wire(test.port());
  for (const char* target : {"/", "/nothing", "/items", "/items/", "/items/1/2", "/hello/"}) {
    const Answer answer = wire.ask(get(target));
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    const auto body = nlohmann::json::parse(answer.body);
    EXPECT_EQ(body["status"], 404);
    EXPECT_EQ(body["title"], "Not Found");
  }
  EXPECT_EQ(wire.ask(get("/hello")).status, 200) << "the connection must be good for more";
}

TEST(Server, AnswersAnotherMethodWith405AndAllow) {
  TestServer test;
  Wire wire(test.port());
  const Answer put = wire.ask("PUT /items/1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(put.status, 405);
  EXPECT_EQ(put.header("Allow"), "GET, HEAD, DELETE, OPTIONS");
  const Answer unknown = wire.ask("BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(unknown.status, 405);
  EXPECT_EQ(unknown.header("Allow"), "POST, OPTIONS");
}

TEST(Server, AnswersOptionsWithAllow) {
  TestServer test;
  Wire wire(test.port());
  const Answer path = wire.ask("OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(path.status, 204);
  EXPECT_EQ(path.header("Allow"), "POST, OPTIONS");
  EXPECT_EQ(wire.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
  EXPECT_EQ(wire.ask("OPTIONS /nothing HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
}

TEST(Server, AnswersHeadByGetsHandlerWithoutTheBody) {
  TestServer test;
  Wire wire(test.port());
  wire.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + get("/items/after"));
  const Answer head = wire.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "5");
  EXPECT_EQ(wire.read().body, "after");
}

TEST(Server, ServesHttp10) {
  TestServer test;
  {
    Wire wire(test.port());
    const Answer answer = wire.ask("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("Connection"), "close");
    wire.end_sending();
    EXPECT_TRUE(wire.ends());
  }
  Wire wire(test.port());
  const Answer kept = wire.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.header("Connection"), "keep-alive");
  EXPECT_EQ(wire.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
}

TEST(Server, ClosesWhenTheClientAsksForIt) {
  TestServer test;
  Wire wire(test.port());
  const Answer answer = wire.ask(get("/hello", "Connection: close\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(wire.ends());
}

TEST(Server, AnswersARequestWhoseSenderHasStoppedSending) {
  TestServer test;
  Wire wire(test.port());
  wire.send(post("/echo", "last words"));
  wire.end_sending();
  EXPECT_EQ(wire.read().body, "last words");
  EXPECT_TRUE(wire.ends());
}

TEST(Server, ReadsChunkedBodies) {
  TestServer test;
  Wire wire(test.port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(wire.ask(head + "5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\n\r\n").body, "hello, world");
  EXPECT_EQ(wire.ask(head + "0\r\nX-Trailer: 1\r\n\r\n").body, "");
  for (const char byte : head + "3\r\nabc\r\n0\r\n\r\n") wire.send(std::string(1, byte));
  EXPECT_EQ(wire.read().body, "abc");
}

TEST(Server, DoesNotTakeATrailerForAHeader) {
  ServerOptions options;
  std::vector<Route> more;
  more.push_back({Method::post, "/headers", 100, [](Request& request) -> asio::awaitable<Response> {
                    co_return Response::text(200, std::string(request.header("Authorization").value_or("none")));
                  }});
  TestServer test(options, std::move(more));
  Wire wire(test.port());
  EXPECT_EQ(wire.ask("POST /headers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "1\r\na\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n")
                .body,
            "none");
}

TEST(Server, Says100ContinueToAClientThatWaitsForIt) {
  TestServer test;
  Wire wire(test.port());
  wire.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wire.read().status, 100);
  EXPECT_EQ(wire.ask("body").body, "body");

  // With the body there already, nobody waits.
  EXPECT_EQ(wire.ask(post("/echo", "body", "Expect: 100-continue\r\n")).status, 200);
}

TEST(Server, Refuses100ContinueForABodyThatIsTooLarge) {
  TestServer test;
  Wire wire(test.port());
  wire.send("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wire.read().status, 413);
  EXPECT_TRUE(wire.ends());
}

TEST(Server, TellsTheInsideOfAFailureToNobody) {
  TestServer test;
  Wire wire(test.port());
  const Answer answer = wire.ask(get("/fail"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(wire.ask(get("/hello")).status, 200) << "the connection must survive";
}

TEST(Server, LetsNoHeaderValueStartAnotherHeader) {
  TestServer test;
  Wire wire(test.port());
  const Answer answer = wire.ask(get("/inject"));
  EXPECT_EQ(answer.header("Set-Cookie"), "");
  EXPECT_EQ(answer.header("X-Good"), "good");
  EXPECT_EQ(answer.body, "x");
}

TEST(Server, ReportsEachExchangeAfterItsAnswer) {
  TestServer test;
  {
    Wire wire(test.port());
    wire.ask(get("/items/5"));
    wire.ask(get("/nothing"));
    wire.ask("nonsense\r\n\r\n");
  }
  ASSERT_TRUE(eventually([&] { return test.exchanges().size() == 3; }));
  const auto seen = test.exchanges();
  EXPECT_EQ(seen[0].route, "/items/{id}");
  EXPECT_EQ(seen[0].path, "/items/5");
  EXPECT_EQ(seen[1].status, 404);
  EXPECT_EQ(seen[1].route, "");
  EXPECT_EQ(seen[2].status, 400);
  EXPECT_EQ(seen[2].path, "-") << "what could not be read is no request";
}

TEST(Server, SaysWhyItCannotListen) {
  TestServer first;
  ServerOptions options;
  options.port = first.port();
  Server second(first.runtime, options, {}, nullptr);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("127.0.0.1:" + std::to_string(first.port())), std::string::npos);
  EXPECT_NE(started.error().detail.find("in use"), std::string::npos) << started.error().detail;
}

TEST(Server, RefusesATrustedProxyThatIsNoNetwork) {
  Runtime runtime(1);
  ServerOptions options;
  options.port = 0;
  options.trusted_proxies = {"10.0.0.0/40"};
  Server server(runtime, options, {}, nullptr);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("10.0.0.0/40"), std::string::npos);
}

TEST(Server, BelievesOnlyATrustedProxyAboutTheClient) {
  const auto whoami = [](const std::vector<std::string>& trusted, const std::string& headers) {
    ServerOptions options;
    options.trusted_proxies = trusted;
    TestServer test(options);
    Wire wire(test.port());
    return wire.ask(get("/whoami", headers)).body;
  };
  EXPECT_EQ(whoami({}, ""), "127.0.0.1");
  EXPECT_EQ(whoami({}, "X-Forwarded-For: 8.8.8.8\r\n"), "127.0.0.1 forwarded");
  EXPECT_EQ(whoami({}, "Via: 1.1 proxy\r\n"), "127.0.0.1 forwarded");
  EXPECT_EQ(whoami({}, "X-Real-IP: 8.8.8.8\r\n"), "127.0.0.1 forwarded");
  EXPECT_EQ(whoami({}, "X-Forwarded-Proto: https\r\n"), "127.0.0.1 forwarded");
  const std::vector<std::string> local{"127.0.0.0/8", "10.0.0.0/8", "fd00::/8"};
  EXPECT_EQ(whoami(local, "X-Forwarded-For: 8.8.8.8\r\n"), "8.8.8.8 forwarded");
  // Read from the right, over trusted hops only: the left is whatever the client wrote.
  EXPECT_EQ(whoami(local, "X-Forwarded-For: 1.1.1.1, 8.8.8.8:99, 10.1.2.3\r\n"), "8.8.8.8 forwarded");
  EXPECT_EQ(whoami(local, "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 8.8.8.8\r\n"), "8.8.8.8 forwarded");
  EXPECT_EQ(whoami(local, "X-Forwarded-For: 8.8.8.8, nonsense\r\n"), "127.0.0.1 forwarded");
  EXPECT_EQ(whoami(local, "Forwarded: for=1.1.1.1, for=\"[2001:470::1]:80\";proto=https, for=\"[fd00::1]\"\r\n"),
            "2001:470::1 forwarded");
  EXPECT_EQ(whoami(local, "Forwarded: for=unknown\r\n"), "127.0.0.1 forwarded");
  // Two stories: one of them was not written by the proxy.
  EXPECT_EQ(whoami(local, "X-Forwarded-For: 8.8.8.8\r\nForwarded: for=9.9.9.9\r\n"), "127.0.0.1 forwarded");
}

}  // namespace
}  // namespace triage::net::testing
