// Addresses, networks, URLs and problems: pure functions.
#include "triage/net/address.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "triage/net/client.h"
#include "triage/net/http.h"

namespace triage::net {
namespace {

TEST(PublicAddress, RefusesAllThatTheInternetDoesNotRouteTo) {
  for (const char* ip : {
           "0.0.0.0",
           "0.1.2.3",
           "10.0.0.1",
           "10.255.255.255",
           "100.64.0.1",
           "100.127.255.255",
           "127.0.0.1",
           "127.255.255.254",
           "169.254.169.254",
           "172.16.0.1",
           "172.31.255.255",
           "192.0.0.1",
           "192.0.0.170",
           "192.0.2.1",
           "192.31.196.1",
           "192.52.193.1",
           "192.88.99.1",
           "192.168.0.1",
           "192.175.48.1",
           "198.18.0.1",
           "198.19.255.255",
           "198.51.100.7",
           "203.0.113.9",
           "224.0.0.1",
           "239.255.255.255",
           "240.0.0.1",
           "255.255.255.255",
           "::",
           "::1",
           "::ffff:127.0.0.1",
           "::ffff:10.0.0.1",
           "::ffff:a00:1",
           "::127.0.0.1",
           "64:ff9b::127.0.0.1",
           "64:ff9b::a9fe:a9fe",
           "64:ff9b:1::1",
           "100::1",
           "2001::1",
           "2001:0:4136:e378:8000:63bf:3fff:fdd2",
           "2001:2::1",
           "2001:10::1",
           "2001:20::1",
           "2001:db8::1",
           "2002:7f00:1::",
           "2002:a00:1::1",
           "2002:c0a8:101::1",
           "2620:4f:8000::1",
           "3fff::1",
           "3fff:fff::1",
           "4000::1",
           "5f00::1",
           "fc00::1",
           "fd12:3456::1",
           "fe80::1",
           "fec0::1",
           "ff02::1",
           "",
           "localhost",
           "1.2.3",
           "0177.0.0.1",
           "1.2.3.4.5",
           "8.8.8.8:80",
           "[2606:4700::1]",
           "fe80::1%eth0",
       }) {
    EXPECT_FALSE(is_public_address(ip)) << ip;
  }
}

TEST(PublicAddress, AllowsTheRest) {
  for (const char* ip :
       {"1.1.1.1",        "8.8.8.8",         "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.255.255.255", "128.0.0.1",        "169.253.255.255", "172.15.255.255",
        "172.32.0.0",     "191.255.255.255", "192.0.1.1",        "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0",      "223.255.255.255",  "2606:4700::1111", "2001:4860:4860::8888",
        "2a00:1450::1",   "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:200::1",
        "3ffe::1"}) {
    EXPECT_TRUE(is_public_address(ip)) << ip;
  }
}

TEST(Network, HoldsTheAddressesOfItsPrefix) {
  const auto holds = [](const char* network, const char* address) {
    return Network::parse(network).value().contains(IpAddress::parse(address).value());
  };
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("10.1.2.3/8", "10.0.0.1"));
  EXPECT_TRUE(holds("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(holds("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(holds("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(holds("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(holds("0.0.0.0/0", "8.8.8.8"));
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.0.0.1")) << "the same host, seen from an IPv6 socket";
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(holds("::/0", "8.8.8.8"));
  EXPECT_TRUE(holds("fd00::/8", "fd12::1"));
  EXPECT_FALSE(holds("fd00::/8", "fe00::1"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, SaysWhatIsNotOne) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8", "::1/129",
                           "localhost", "10.0.0.0/8/8"}) {
    const auto network = Network::parse(text);
    ASSERT_FALSE(network) << text;
    EXPECT_NE(network.error().detail.find("expected"), std::string::npos) << text;
  }
}

TEST(Url, IsTakenApart) {
  const auto url = parse_url("https://Hooks.Example.com/a/b%20c?d=e&f").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "hooks.example.com");
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.target, "/a/b%20c?d=e&f");

  EXPECT_EQ(parse_url("HTTP://x").value().port, "80");
  EXPECT_EQ(parse_url("http://x").value().target, "/");
  EXPECT_EQ(parse_url("http://x?y=1").value().target, "/?y=1");
  EXPECT_EQ(parse_url("http://x:65535/").value().port, "65535");
  EXPECT_EQ(parse_url("http://x:080/").value().port, "80");
  EXPECT_EQ(parse_url("http://[2001:DB8::1]:8080/").value().host, "2001:db8::1");
  EXPECT_EQ(parse_url("http://[2001:db8::1]:8080/").value().port, "8080");
  EXPECT_EQ(parse_url("http://127.0.0.1/").value().host, "127.0.0.1");
  EXPECT_EQ(parse_url("http://my_host.local./").value().host, "my_host.local.");
}

TEST(Url, ThatCannotBeCalledIsRefusedWithoutBeingQuoted) {
  for (const std::string text : {
           "",
           "x",
           "/path",
           "//host/",
           "ftp://x/",
           "https:/x",
           "https//x",
           "file:///etc/passwd",
           "https://",
           "https:///path",
           "https://user@x/",
           "https://user:secret@x/",
           "https://x:0/",
           "https://x:65536/",
           "https://x:/",
           "https://x:8a/",
           "https://x:-1/",
           "https://x:+1/",
           "https://[::1/",
           "https://[x]/",
           "https://[1.2.3.4]/",
           "https://[fe80::1%25eth0]/",
           "https://[::1]x/",
           "https://x y/",
           "https://x/a b",
           "https://x/\n",
           "https://x\r\nHost: y/",
           "https://x/#secret",
           "https://x#secret",
           "https://x/%zz",
           "https://x/%",
           "https://x/%00",
           "https://-x/",
           "https://x..y/",
           "https://.x/",
           "https://x%2ey/",
           "https://x/\xC3\xBC",
           "https://\xC3\xBC/",
           "https://x/<secret>",
           "https://x\\@y/",
           "https://x/a\\b",
       }) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_FALSE(url.error().detail.empty());
    EXPECT_EQ(url.error().detail.find("secret"), std::string::npos) << url.error().detail;
  }
  EXPECT_FALSE(parse_url(std::string("https://x/\0", 11)));
  EXPECT_FALSE(parse_url("https://" + std::string(64, 'a') + "/"));
}

TEST(Problem, IsWhatRfc9457Says) {
  Error error = make_error(ErrorCode::unprocessable, "two fields are wrong");
  error.fields = {{"/posts/0/text", "expected a string"}, {"", "expected more"}};
  error.retry_after = std::chrono::seconds(7);
  const Response response = problem(error);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(find_header(response.headers, "retry-after"), "7");
  EXPECT_EQ(nlohmann::json::parse(response.body), nlohmann::json::parse(R"({
    "type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": "two fields are wrong",
    "errors": [{"pointer": "/posts/0/text", "detail": "expected a string"}, {"pointer": "", "detail": "expected more"}]
  })"));
}

TEST(Problem, SurvivesTextThatIsNotUtf8) {
  Error error = make_error(ErrorCode::bad_request, "you sent \xff\xfe");
  error.fields = {{"/\xc3", "\xe2\x82"}};
  EXPECT_TRUE(nlohmann::json::accept(problem(error).body));
}

}  // namespace
}  // namespace triage::net
