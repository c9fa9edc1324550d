// What a signature promises: nothing passes that the holder of a configured secret did not sign, and recently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ingest/encoding.h"
#include "ingest/hmac.h"
#include "support.h"

namespace triage::ingest::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kBody = R"({"native_id":"1","text":"the gate is closed"})";

SourceConfig hmac_config() {
  SourceConfig config = config_of("generic");
  config.secrets = {{"hmac_key", {"plain hmac key"}}};
  return config;
}

void expect_refused(const Source& source, const Request& request, const std::string& says, Time at = now()) {
  const auto verified = source.verify(request.delivery(), at);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::unauthenticated);
  EXPECT_THAT(verified.error().detail, HasSubstr(says));
}

std::string& header(Request& request, std::string_view name) {
  for (auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  request.headers.emplace_back(name, "");
  return request.headers.back().second;
}

TEST(Hmac, AgreesWithTheTestVectorsOfRfc4231) {
  const std::string key(20, '\x0b');
  EXPECT_EQ(to_hex(HmacKey(Hash::sha256, key).sign({"Hi ", "There"}).str()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(
      to_hex(HmacKey(Hash::sha512, "Jefe").sign({"what do ya want for nothing?"}).str()),
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b"
      "636e070a38bce737");
  // A key longer than the block is hashed first.
  EXPECT_EQ(to_hex(HmacKey(Hash::sha256, std::string(131, '\xaa'))
                       .sign({"Test Using Larger Than Block-Size Key - Hash Key First"})
                       .str()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, AgreesWithTheTestVectorOfRfc2202) {
  EXPECT_EQ(to_hex(HmacKey(Hash::sha1, "Jefe").sign({"what do ya want for nothing?"}).str()),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST(Encoding, GivesBackWhatWasEncodedAndRefusesWhatIsNotCanonical) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe\x00\x01"}) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
  EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(from_base64("Zm9vYmE"), "fooba");
  for (const auto* bad : {"Z", "Zm9vYmE==", "Zm9v YmE=", "Zm9vYmF=", "Zm9vYm-_", "====", "Zg=", "é"}) {
    EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
  }
  for (const auto* bad : {"0", "0g", "zz", " 00"}) EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
}

TEST(StandardWebhooks, AgreesWithTheExampleOfTheStandard) {
  SourceConfig config = config_of("generic");
  config.secrets["signing_key"] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  const auto source = bind(config);
  Request request;
  request.body = R"({"test": 2432232314})";
  request.headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                     {"webhook-timestamp", "1614265330"},
                     {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
  EXPECT_TRUE(source->verify(request.delivery(), from_millis(1614265330000)));
}

TEST(StandardWebhooks, WhatIsSignedPasses) {
  const auto source = bind("generic");
  EXPECT_TRUE(source->verify(signed_request(*source, kBody).delivery(), now()));
}

TEST(StandardWebhooks, HeaderNamesMayBeInAnyCase) {
  const auto source = bind("generic");
  Request request = signed_request(*source, kBody);
  for (auto& [name, value] : request.headers) std::transform(name.begin(), name.end(), name.begin(), ::toupper);
  EXPECT_TRUE(source->verify(request.delivery(), now()));
}

TEST(StandardWebhooks, EachMissingHeaderIsNamed) {
  const auto source = bind("generic");
  for (const std::string name : {"webhook-id", "webhook-timestamp"}) {
    Request request = signed_request(*source, kBody);
    std::erase_if(request.headers, [&](const auto& one) { return one.first == name; });
    expect_refused(*source, request, name + " is missing");
  }
  expect_refused(*source, Request{{}, {}, kBody}, "webhook-id, webhook-timestamp and webhook-signature");
}

TEST(StandardWebhooks, AChangedBodyIdOrTimestampIsRefused) {
  const auto source = bind("generic");
  Request body = signed_request(*source, kBody);
  body.body += " ";
  expect_refused(*source, body, "matches the body");
  Request id = signed_request(*source, kBody);
  header(id, "webhook-id") = "msg_2";
  expect_refused(*source, id, "matches the body");
  Request timestamp = signed_request(*source, kBody);
  header(timestamp, "webhook-timestamp") = std::to_string(to_millis(now()) / 1000 + 1);
  expect_refused(*source, timestamp, "matches the body");
}

TEST(StandardWebhooks, IsTakenWithinFiveMinutesBothWaysAndNotAfter) {
  const auto source = bind("generic");
  const Request request = signed_request(*source, kBody);
  const auto minutes = std::chrono::minutes(5);
  const Time sent = std::chrono::floor<std::chrono::seconds>(now());
  EXPECT_TRUE(source->verify(request.delivery(), sent + minutes));
  EXPECT_TRUE(source->verify(request.delivery(), sent - minutes));
  expect_refused(*source, request, "5 minutes", sent + minutes + std::chrono::seconds(1));
  expect_refused(*source, request, "5 minutes", sent - minutes - std::chrono::seconds(1));
}

TEST(StandardWebhooks, ATimestampThatIsNoWholeNumberIsRefused) {
  const auto source = bind("generic");
  for (const auto* bad : {"now", "1795339805.5", " 1795339805", "99999999999999999999", "-", "0x10"}) {
    Request request = signed_request(*source, kBody);
    header(request, "webhook-timestamp") = bad;
    expect_refused(*source, request, "webhook-timestamp");
  }
}

TEST(StandardWebhooks, OneOfSeveralSignaturesIsEnough) {
  const auto source = bind("generic");
  Request request = signed_request(*source, kBody);
  const std::string good = header(request, "webhook-signature");
  header(request, "webhook-signature") = "v1a,xyz v1,AAAA " + good + " v2,whatever";
  EXPECT_TRUE(source->verify(request.delivery(), now()));
  for (const std::string& bad : {"v2," + good.substr(3), good.substr(3), std::string("v1,"), std::string("v1,%%%"),
                                 "v1;" + good.substr(3), good.substr(0, good.size() - 4)}) {
    header(request, "webhook-signature") = bad;
    EXPECT_FALSE(source->verify(request.delivery(), now())) << bad;
  }
}

TEST(StandardWebhooks, EverySecretOfARotationIsTakenAndTheNewestSigns) {
  const std::string newer = "whsec_" + to_base64("a newer key of thirty-two bytes!");
  SourceConfig both = config_of("generic");
  both.secrets["signing_key"] = {newer, std::string(kSigningKey)};
  SourceConfig only_new = config_of("generic");
  only_new.secrets["signing_key"] = {newer};
  const auto rotating = bind(both);
  const auto old_sender = bind("generic");
  const auto new_sender = bind(only_new);
  EXPECT_TRUE(rotating->verify(signed_request(*old_sender, kBody).delivery(), now()));
  EXPECT_TRUE(rotating->verify(signed_request(*new_sender, kBody).delivery(), now()));
  EXPECT_TRUE(new_sender->verify(signed_request(*rotating, kBody).delivery(), now()));
  expect_refused(*new_sender, signed_request(*old_sender, kBody), "matches the body");
}

TEST(StandardWebhooks, TheKeyMayStandWithoutItsPrefix) {
  SourceConfig config = config_of("generic");
  config.secrets["signing_key"] = {std::string(kSigningKey.substr(6))};
  EXPECT_TRUE(bind("generic")->verify(signed_request(*bind(config), kBody).delivery(), now()));
}

TEST(StandardWebhooks, AKeyThatIsTooShortOrNoBase64IsRefusedWithoutRepeatingIt) {
  SourceConfig config = config_of("generic");
  config.secrets["signing_key"] = {std::string(kSigningKey), "whsec_c2hvcnQ=", "my pass phrase!"};
  const auto bound = must(shipped_source("generic"))->bind(config);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, ErrorCode::unprocessable);
  const std::string said = faults(bound.error());
  EXPECT_THAT(said, HasSubstr("/secrets/signing_key/1: is only 5 bytes long"));
  EXPECT_THAT(said, HasSubstr("/secrets/signing_key/2: is not base64"));
  EXPECT_THAT(describe(bound.error()), Not(HasSubstr("phrase")));
  EXPECT_THAT(describe(bound.error()), Not(HasSubstr("c2hvcnQ")));
}

TEST(PlainHmac, WhatIsSignedPassesInEveryAlgorithmAndEncoding) {
  for (const auto* algorithm : {"sha1", "sha256", "sha512"}) {
    for (const auto* encoding : {"hex", "base64"}) {
      SourceConfig config = hmac_config();
      config.settings = {
          {"header", "X-Shop-Signature"}, {"algorithm", algorithm}, {"encoding", encoding}, {"prefix", "sig="}};
      const auto source = bind(config);
      Request request = signed_request(*source, kBody);
      ASSERT_EQ(request.headers.size(), 1u);
      EXPECT_EQ(request.headers[0].first, "X-Shop-Signature");
      EXPECT_THAT(request.headers[0].second, testing::StartsWith("sig="));
      EXPECT_TRUE(source->verify(request.delivery(), now())) << algorithm << encoding;
      request.headers[0].second.erase(0, 4);
      EXPECT_FALSE(source->verify(request.delivery(), now())) << "without its prefix";
    }
  }
}

TEST(PlainHmac, DigitsMayBeUpperCase) {
  const auto source = bind(hmac_config());
  Request request = signed_request(*source, kBody);
  auto& value = request.headers[0].second;
  std::transform(value.begin(), value.end(), value.begin(), ::toupper);
  EXPECT_TRUE(source->verify(request.delivery(), now()));
}

TEST(PlainHmac, MissingWrongTruncatedOrForAnotherSecretIsRefused) {
  const auto source = bind(hmac_config());
  expect_refused(*source, Request{{}, {}, kBody}, "x-signature");
  const Request good = signed_request(*source, kBody);
  for (const std::string& bad : {std::string(), std::string("zz"), good.headers[0].second.substr(2),
                                 good.headers[0].second + "00", std::string(64, '0'), std::string(100'000, 'a')}) {
    Request request = good;
    request.headers[0].second = bad;
    const auto verified = source->verify(request.delivery(), now());
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, ErrorCode::unauthenticated);
  }
  SourceConfig other = hmac_config();
  other.secrets["hmac_key"] = {"another key"};
  expect_refused(*source, signed_request(*bind(other), kBody), "does not match the body");
}

TEST(PlainHmac, RotatesToo) {
  SourceConfig config = hmac_config();
  config.secrets["hmac_key"] = {"newest", "plain hmac key"};
  const auto source = bind(config);
  EXPECT_TRUE(source->verify(signed_request(*bind(hmac_config()), kBody).delivery(), now()));
  EXPECT_TRUE(source->verify(signed_request(*source, kBody).delivery(), now()));
}

TEST(Generic, WithBothSchemesConfiguredEitherHeaderSuffices) {
  SourceConfig config = config_of("generic");
  config.secrets["hmac_key"] = {"plain hmac key"};
  const auto both = bind(config);
  const Request standard = signed_request(*bind("generic"), kBody);
  const Request plain = signed_request(*bind(hmac_config()), kBody);
  EXPECT_TRUE(both->verify(standard.delivery(), now()));
  EXPECT_TRUE(both->verify(plain.delivery(), now()));
  Request mixed = plain;
  mixed.headers.insert(mixed.headers.end(),
                       {{"webhook-id", "1"}, {"webhook-timestamp", "1"}, {"webhook-signature", "v1,x"}});
  EXPECT_TRUE(both->verify(mixed.delivery(), now())) << "one wrong scheme beside a right one";
  expect_refused(*both, Request{{}, {}, kBody}, "or x-signature");
}

TEST(Generic, UnsignedRequestsPassOnlyWhereTheConfigurationSaysSo) {
  SourceConfig config = config_of("generic");
  config.secrets.clear();
  config.unsigned_ok = true;
  const auto source = bind(config);
  EXPECT_TRUE(source->verify(Request{{}, {}, kBody}.delivery(), now()));
  EXPECT_TRUE(must(sign(*source, kBody, now(), "1")).empty());
  EXPECT_TRUE(source->verify(Delivery{}, now())) << "a request without headers";
}

TEST(PlatformSignatures, AreMadeAsThePlatformsDocumentThem) {
  // Worked out with: printf '%s' BODY | openssl dgst -sha256 -hmac SECRET
  const auto x = bind("x");
  const Headers from_x = must(sign(*x, "{}", now(), "1"));
  ASSERT_EQ(from_x.size(), 1u);
  EXPECT_EQ(from_x[0].first, "x-twitter-webhooks-signature");
  EXPECT_EQ(from_x[0].second,
            "sha256=" + to_base64(*from_hex("d5ad1863a273a8711cb0ea99e6186447787b61f0577df2da6bcc7b81d1ddc981")));
  const auto meta = bind("meta");
  const Headers from_meta = must(sign(*meta, "{}", now(), "1"));
  ASSERT_EQ(from_meta.size(), 1u);
  EXPECT_EQ(from_meta[0].first, "x-hub-signature-256");
  EXPECT_EQ(from_meta[0].second, "sha256=b5fe7e74cb649f279a3adae07688f36646e8e34664974a7d7fca6fbf429fe7f7");
}

TEST(PlatformSignatures, MissingWrongAndForeignOnesAreRefused) {
  for (const std::string use : {"x", "meta"}) {
    const auto source = bind(use);
    SourceConfig other = config_of(use);
    other.secrets.begin()->second = {"not the secret"};
    expect_refused(*source, Request{{}, {}, "{}"}, "not signed");
    expect_refused(*source, signed_request(*bind(other), "{}"), "does not match the body");
    Request changed = signed_request(*source, "{}");
    changed.body = "{ }";
    expect_refused(*source, changed, "does not match the body");
    Request bare = signed_request(*source, "{}");
    bare.headers[0].second.erase(0, std::string("sha256=").size());
    expect_refused(*source, bare, "expected form");
    Request none = signed_request(*source, "{}");
    none.headers[0].second = "sha256=";
    EXPECT_FALSE(source->verify(none.delivery(), now()));
  }
}

TEST(PlatformSignatures, NoErrorRepeatsASecret) {
  for (const std::string use : {"generic", "x", "meta"}) {
    const auto source = bind(use);
    Request request = signed_request(*source, "{}");
    request.body = "changed";
    const auto verified = source->verify(request.delivery(), now());
    ASSERT_FALSE(verified);
    for (const auto& [name, values] : source->config().secrets) {
      for (const auto& value : values) EXPECT_THAT(describe(verified.error()), Not(HasSubstr(value)));
    }
  }
}

}  // namespace
}  // namespace triage::ingest::test
