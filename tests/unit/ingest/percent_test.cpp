// What goes into a URL or a form comes out of it again, and stands there as the standards have it.
#include "ingest/percent.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace triage::ingest::test {
namespace {

TEST(Percent, AllButUnreservedCharactersAreEncoded) {
  EXPECT_EQ(percent_encode(""), "");
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("!\"#$%&'()*+,/:;<=>?@[\\]^`{|}"),
            "%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D");
  EXPECT_EQ(percent_encode(std::string("\0 \n\x7f", 4)), "%00%20%0A%7F");
  EXPECT_EQ(percent_encode("caf\u00e9 \U0001F44D"), "caf%C3%A9%20%F0%9F%91%8D");
  EXPECT_EQ(percent_encode("\xff"), "%FF");
  EXPECT_EQ(percent_encode("%41"), "%2541");
}

// The values and results of RFC 6570 section 3.2.2 and 3.2.3, and section 1.2.
TEST(Percent, AgreesWithTheExamplesOfRfc6570) {
  EXPECT_EQ(percent_encode("Hello World!"), "Hello%20World%21");
  EXPECT_EQ(percent_encode("50%"), "50%25");
  EXPECT_EQ(percent_encode("http://example.com/home/"), "http%3A%2F%2Fexample.com%2Fhome%2F");
  EXPECT_EQ(percent_encode_reserved("value"), "value");
  EXPECT_EQ(percent_encode_reserved("Hello World!"), "Hello%20World!");
  EXPECT_EQ(percent_encode_reserved("50%"), "50%25");
  EXPECT_EQ(percent_encode_reserved("http://example.com/home/"), "http://example.com/home/");
  EXPECT_EQ(percent_encode_reserved("/foo/bar"), "/foo/bar");
}

TEST(Percent, ReservedCharactersAndWhatIsEncodedStayWhereWanted) {
  EXPECT_EQ(percent_encode_reserved(":/?#[]@!$&'()*+,;="), ":/?#[]@!$&'()*+,;=");
  EXPECT_EQ(percent_encode_reserved("\"<>\\^`{|} "), "%22%3C%3E%5C%5E%60%7B%7C%7D%20");
  EXPECT_EQ(percent_encode_reserved("%20 %2f%2G %4"), "%20%20%2f%252G%20%254");
  EXPECT_EQ(percent_encode_reserved("%"), "%25");
  EXPECT_EQ(percent_encode_reserved("\u00e9"), "%C3%A9");
}

TEST(Forms, AreWrittenAsBrowsersDo) {
  EXPECT_EQ(form_encode({}), "");
  const std::vector<FormPair> pairs{{"text", "a b+c & d=e%"}, {"text", "*-._~"}, {"", ""}, {"caf\u00e9", "\r\n"}};
  EXPECT_EQ(form_encode(pairs), "text=a+b%2Bc+%26+d%3De%25&text=*-._%7E&=&caf%C3%A9=%0D%0A");
}

TEST(Forms, AreReadAsBrowsersDo) {
  using Pairs = std::vector<FormPair>;
  EXPECT_EQ(form_decode(""), Pairs());
  EXPECT_EQ(form_decode("&&"), Pairs());
  EXPECT_EQ(form_decode("a=1&b&=2&c==&a=3"), (Pairs{{"a", "1"}, {"b", ""}, {"", "2"}, {"c", "="}, {"a", "3"}}));
  EXPECT_EQ(form_decode("a+b=%2B%20c&%26=%3d"), (Pairs{{"a b", "+ c"}, {"&", "="}}));
  EXPECT_EQ(form_decode("a=100%&b=%4&c=%zz&d=%ff"), (Pairs{{"a", "100%"}, {"b", "%4"}, {"c", "%zz"}, {"d", "\xff"}}));
}

TEST(Forms, ComeBackWhatTheyWere) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::vector<FormPair> pairs{{all, all}, {"b", ""}, {"a", "&"}};
  EXPECT_EQ(form_decode(form_encode(pairs)), pairs);
  EXPECT_EQ(form_decode(percent_encode(all)), (std::vector<FormPair>{{all, ""}}));
}

}  // namespace
}  // namespace triage::ingest::test
