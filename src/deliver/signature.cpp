// Standard Webhooks, v1: HMAC-SHA256 over "id.timestamp.body", in base64.
#include "triage/deliver/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

namespace triage::deliver {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kShortest = 16, kLongest = 96;

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

Error not_a_secret(std::string why) {
  return make_error(ErrorCode::unprocessable,
                    "expected a webhook secret, `whsec_` and 16 to 96 bytes in base64: " + std::move(why));
}

std::string signature_of(std::string_view signed_content, std::string_view key) {
  std::array<unsigned char, 32> digest;
  unsigned int length = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(signed_content.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, signed_content.size(), digest.data(),
           &length) == nullptr ||
      length != digest.size()) {
    throw std::runtime_error("HMAC-SHA256 failed");
  }
  std::array<unsigned char, 48> text;  // 44 characters and EVP's terminating zero
  const int written = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {text.begin(), text.begin() + written};
}

}  // namespace

Result<std::string> decode_secret(std::string_view secret) {
  if (secret.starts_with(kPrefix)) secret.remove_prefix(kPrefix.size());
  if (secret.empty()) return not_a_secret("it is empty");

  // Padding may be left out, as in most places that make such secrets.
  std::size_t padding = 0;
  while (padding < 2 && secret.ends_with('=')) {
    secret.remove_suffix(1);
    ++padding;
  }
  if (secret.size() % 4 == 1 || (padding != 0 && (secret.size() + padding) % 4 != 0)) {
    return not_a_secret("its length is not one of base64");
  }
  std::string key;
  key.reserve(secret.size() * 3 / 4);
  unsigned bits = 0;
  int held = 0;
  for (const char c : secret) {
    const int value = base64_value(c);
    if (value < 0) return not_a_secret("it holds a character that is not base64");
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFFu;
    held += 6;
    if (held >= 8) {
      held -= 8;
      key += static_cast<char>(bits >> held & 0xFFu);
    }
  }
  if (key.size() < kShortest || key.size() > kLongest) {
    return not_a_secret("it is " + std::to_string(key.size()) + " bytes");
  }
  return key;
}

net::Headers sign(std::string_view id, Time now, std::string_view body, const std::vector<std::string>& keys) {
  const std::string timestamp =
      std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());

  std::string signed_content;
  signed_content.reserve(id.size() + timestamp.size() + body.size() + 2);
  signed_content.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);

  std::string signatures;
  for (const std::string& key : keys) {
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1,";
    signatures += signature_of(signed_content, key);
  }
  net::Headers headers = {{"webhook-id", std::string(id)}, {"webhook-timestamp", timestamp}};
  if (!signatures.empty()) headers.emplace_back("webhook-signature", std::move(signatures));
  return headers;
}

}  // namespace triage::deliver
