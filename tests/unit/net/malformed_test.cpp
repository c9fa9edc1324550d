// What is not HTTP, or could be read in two ways, is refused with a problem and the connection closed.
#include <random>

#include "support.h"

namespace triage::net::testing {
namespace {

struct Malformed {
  const char* what;
  std::string bytes;
};

TEST(MalformedRequest, Gets400AndTheConnectionCloses) {
  TestServer test;
  const std::string ok = "GET /hello HTTP/1.1\r\nHost: x\r\n";
  const std::string echo = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  const std::vector<Malformed> cases{
      {"no HTTP at all", "nonsense\r\n\r\n"},
      {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", 16)},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"unknown version", "GET /hello HTTP/3.0\r\nHost: x\r\n\r\n"},
      {"two spaces", "GET  /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"no Host", "GET /hello HTTP/1.1\r\n\r\n"},
      {"two Hosts", ok + "Host: y\r\n\r\n"},
      {"a Host that is none", "GET /hello HTTP/1.1\r\nHost: a b/c\r\n\r\n"},
      {"a header without colon", ok + "nonsense\r\n\r\n"},
      {"a space before the colon", ok + "X-A : b\r\n\r\n"},
      {"a header name with a control character", ok + "X-\x01: b\r\n\r\n"},
      {"a bare line feed after a header", ok + "X-A: b\nX-C: d\r\n\r\n"},
      {"a NUL in a header", ok + std::string("X-A: b\0c\r\n\r\n", 12)},
      {"length and encoding", echo + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"encoding and length", echo + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
      {"an unknown encoding", echo + "Transfer-Encoding: gzip\r\n\r\n"},
      {"an encoding before chunked", echo + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"an encoding after chunked", echo + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {"an encoding that looks like chunked", echo + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {"two encodings", echo + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
      {"an encoding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"two lengths", echo + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
      {"the same length twice", echo + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
      {"a list of lengths", echo + "Content-Length: 5, 5\r\n\r\nhello"},
      {"a negative length", echo + "Content-Length: -1\r\n\r\n"},
      {"a length with a sign", echo + "Content-Length: +5\r\n\r\nhello"},
      {"a hexadecimal length", echo + "Content-Length: 0x5\r\n\r\nhello"},
      {"a length beyond 64 bits", echo + "Content-Length: 99999999999999999999999\r\n\r\n"},
      {"an empty length", echo + "Content-Length: \r\n\r\n"},
      {"a chunk size that is none", echo + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"},
      {"a chunk size beyond 64 bits", echo + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"},
      {"a chunk that does not end", echo + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n"},
      {"a chunk header without end", echo + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'e')},
      {"a broken percent-encoding", "GET /items/%4 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a percent-encoding that is not hex", "GET /items/%zz HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"an encoded NUL", "GET /items/a%00b HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a broken encoding in the query", "GET /query?a=%f HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a fragment", "GET /hello#top HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"a target that is no path", "GET hello HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"},
  };
  for (const auto& [what, bytes] : cases) {
    Wire wire(test.port());
    // Were it taken for two requests, the second would be answered too.
    wire.send(bytes + get("/hello"));
    const Answer answer = wire.read();
    EXPECT_EQ(answer.status, 400) << what;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << what;
    EXPECT_EQ(answer.header("Connection"), "close") << what;
    EXPECT_EQ(wire.read_to_end(), "") << what;
  }
  EXPECT_EQ(test.echoes, 0);
  EXPECT_EQ(test.server->stats().malformed, static_cast<std::int64_t>(cases.size()));
}

TEST(MalformedRequest, InvalidUtf8InAPathIsBytesAndNeverAFailure) {
  TestServer test;
  Wire wire(test.port());
  EXPECT_EQ(wire.ask(get("/items/%ff%fe")).body, "\xff\xfe");
  const Answer answer = wire.ask(get("/no%ff\xffthing"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  EXPECT_NE(answer.body.find("\xEF\xBF\xBD"), std::string::npos) << "replaced by U+FFFD";
}

TEST(MalformedRequest, EmptyLinesBeforeARequestAreIgnored) {
  TestServer test;
  Wire wire(test.port());
  EXPECT_EQ(wire.ask("\r\n\r\n" + get("/hello")).status, 200);
}

TEST(MalformedRequest, RandomBytesEndInA4xxOrAClosedConnection) {
  TestServer test;
  std::mt19937 random(7);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = i % 2 ? "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" : "";
    for (int n = 0; n < 300; ++n) bytes.push_back(static_cast<char>(byte(random)));
    Wire wire(test.port());
    wire.send(bytes);
    wire.end_sending();
    const Answer answer = wire.read();
    EXPECT_TRUE(answer.status == 0 || (answer.status >= 400 && answer.status < 500)) << answer.status;
  }
  Wire wire(test.port());
  EXPECT_EQ(wire.ask(get("/hello")).status, 200);
}

TEST(MalformedRequest, ABodyThatIsCutOffReachesNoHandler) {
  TestServer test;
  const std::string chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
  for (const std::string& bytes : {std::string("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello"),
                                   chunked, std::string("POST /echo HT")}) {
    Wire wire(test.port());
    wire.send(bytes);
    wire.end_sending();
    EXPECT_TRUE(wire.ends());
  }
  EXPECT_EQ(test.echoes, 0);
}

}  // namespace
}  // namespace triage::net::testing
