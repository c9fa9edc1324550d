// Callbacks are signed as Standard Webhooks says, so that a receiver verifies them with any of its libraries.
#include "triage/deliver/signature.h"

#include <gtest/gtest.h>

namespace triage::deliver {
namespace {

const Time kThen = from_millis(1'614'265'330'000);

std::string header(const net::Headers& headers, std::string_view name) {
  return std::string(net::find_header(headers, name).value_or("(none)"));
}

TEST(Signature, AgreesWithTheVectorOfTheSpecification) {
  const auto key = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key);
  const net::Headers headers = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", kThen, R"({"test": 2432232314})", {*key});
  EXPECT_EQ(header(headers, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(header(headers, "webhook-timestamp"), "1614265330");
  EXPECT_EQ(header(headers, "webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

// Computed with Python: base64(hmac.new(key, b"id.1614265330.", sha256)).
TEST(Signature, EveryKeySignsNewestFirstSoThatAReceiverCanRotate) {
  const net::Headers headers = sign("id", kThen, "", {std::string(24, 'n'), std::string(24, 'o')});
  EXPECT_EQ(header(headers, "webhook-signature"),
            "v1,4WKhTNzfQ2RBjxf1jFmtAqxrC1bFYWQlSuKjtP3Mp3E= v1,oGh/sNt5n1bEel5L9cQUKPeqXGn6UTeyUajZLBZNWDo=");
}

TEST(Signature, TheTimestampIsInWholeSecondsCutNotRounded) {
  const net::Headers headers = sign("id", from_millis(1'614'265'330'999), "", {std::string(24, 'n')});
  EXPECT_EQ(header(headers, "webhook-timestamp"), "1614265330");
}

TEST(Secret, IsReadWithAndWithoutItsPrefixAndPadding) {
  const std::string raw = "0123456789abcdef";
  EXPECT_EQ(decode_secret("whsec_MDEyMzQ1Njc4OWFiY2RlZg==").value(), raw);
  EXPECT_EQ(decode_secret("MDEyMzQ1Njc4OWFiY2RlZg==").value(), raw);
  EXPECT_EQ(decode_secret("whsec_MDEyMzQ1Njc4OWFiY2RlZg").value(), raw);
}

TEST(Secret, IsTakenFrom16To96BytesOnly) {
  const std::string fifteen = "QUFBQUFBQUFBQUFBQUFB";
  EXPECT_FALSE(decode_secret(fifteen));
  EXPECT_TRUE(decode_secret(fifteen + "QQ"));
  EXPECT_EQ(decode_secret(std::string(128, 'A')).value().size(), 96U);
  EXPECT_FALSE(decode_secret(std::string(128, 'A') + "QQ"));
}

TEST(Secret, ThatIsWrongIsNamedByWhatIsWrongAndNeverRepeated) {
  const std::vector<std::string> wrong = {"",
                                          "whsec_",
                                          "whsec_not base64 but a sentence of words",
                                          "whsec_MDEyMzQ1Njc4OWFiY2RlZg=",
                                          "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoa",
                                          "whsec_=MDEyMzQ1Njc4OWFiY2RlZg",
                                          "whsec_MDEyMzQ1Njc4OWFi-_RlZg=="};
  for (const std::string& secret : wrong) {
    const auto key = decode_secret(secret);
    ASSERT_FALSE(key) << secret;
    EXPECT_NE(key.error().detail.find("expected a webhook secret"), std::string::npos) << key.error().detail;
    if (secret.size() > 6) {
      EXPECT_EQ(key.error().detail.find(secret.substr(6)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace triage::deliver
