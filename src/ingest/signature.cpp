#include "ingest/signature.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "ingest/encoding.h"
#include "ingest/hmac.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

constexpr std::size_t kLongestHeader = 4096;

Error unauthenticated(std::string detail) {
  return make_error(ErrorCode::unauthenticated, std::move(detail));
}

// Every key against every candidate, whatever the outcome so far.
bool any_matches(const std::vector<HmacKey>& keys, std::initializer_list<std::string_view> parts,
                 const std::vector<std::string>& candidates) {
  bool matches = false;
  for (const auto& key : keys) {
    const Digest digest = key.sign(parts);
    for (const auto& candidate : candidates) matches |= same_bytes(digest, candidate);
  }
  return matches;
}

// HMAC of the body in one header: X-Hub-Signature-256: sha256=….
class HmacSignature : public Signature {
 public:
  HmacSignature(std::vector<HmacKey> keys, std::string header, std::string prefix, bool hex)
      : keys_(std::move(keys)), header_(std::move(header)), prefix_(std::move(prefix)), hex_(hex) {}

  std::string headers() const override { return header_; }

  bool present(const Delivery& delivery) const override { return find_value(delivery.headers, header_).has_value(); }

  Result<void> verify(const Delivery& delivery, Time) const override {
    const auto header = find_value(delivery.headers, header_);
    if (!header) return unauthenticated("the signature header " + header_ + " is missing");
    if (header->size() > kLongestHeader || header->substr(0, prefix_.size()) != prefix_) {
      return unauthenticated("the signature in " + header_ + " is not of the expected form");
    }
    const std::string_view encoded = header->substr(prefix_.size());
    auto candidate = hex_ ? from_hex(encoded) : from_base64(encoded);
    if (!candidate) return unauthenticated("the signature in " + header_ + " is not of the expected form");
    if (!any_matches(keys_, {delivery.body}, {std::move(*candidate)})) {
      return unauthenticated("the signature in " + header_ + " does not match the body");
    }
    return {};
  }

  Headers sign(std::string_view body, Time, std::string_view) const override {
    const std::string digest = keys_.front().sign({body}).str();
    return {{header_, prefix_ + (hex_ ? to_hex(digest) : to_base64(digest))}};
  }

 private:
  std::vector<HmacKey> keys_;
  std::string header_;
  std::string prefix_;
  bool hex_;
};

// https://www.standardwebhooks.com: HMAC-SHA256 of "id.timestamp.body", several signatures during a rotation.
class StandardWebhooks : public Signature {
 public:
  explicit StandardWebhooks(std::vector<HmacKey> keys) : keys_(std::move(keys)) {}

  std::string headers() const override { return "webhook-id, webhook-timestamp and webhook-signature"; }

  bool present(const Delivery& delivery) const override { return find_value(delivery.headers, kSignature).has_value(); }

  Result<void> verify(const Delivery& delivery, Time now) const override {
    const auto id = find_value(delivery.headers, kId);
    const auto timestamp = find_value(delivery.headers, kTimestamp);
    const auto signature = find_value(delivery.headers, kSignature);
    for (const auto& [name, header] :
         {std::pair(kId, id), std::pair(kTimestamp, timestamp), std::pair(kSignature, signature)}) {
      if (!header || header->empty())
        return unauthenticated("the signature header " + std::string(name) + " is missing");
      if (header->size() > kLongestHeader) return unauthenticated("the header " + std::string(name) + " is too long");
    }

    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(timestamp->data(), timestamp->data() + timestamp->size(), seconds);
    if (error != std::errc() || end != timestamp->data() + timestamp->size()) {
      return unauthenticated("webhook-timestamp is not a whole number of seconds");
    }
    const std::int64_t now_seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (seconds < now_seconds - kToleranceSeconds || seconds > now_seconds + kToleranceSeconds) {
      return unauthenticated("webhook-timestamp is more than 5 minutes from this server's time");
    }

    const auto candidates = read_signatures(*signature);
    if (candidates.empty()) return unauthenticated("webhook-signature holds no v1 signature");
    if (!any_matches(keys_, {*id, ".", *timestamp, ".", delivery.body}, candidates)) {
      return unauthenticated("no signature in webhook-signature matches the body");
    }
    return {};
  }

  Headers sign(std::string_view body, Time now, std::string_view message_id) const override {
    const std::string seconds =
        std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    const Digest digest = keys_.front().sign({message_id, ".", seconds, ".", body});
    return {{std::string(kId), std::string(message_id)},
            {std::string(kTimestamp), seconds},
            {std::string(kSignature), "v1," + to_base64(digest.str())}};
  }

 private:
  static constexpr std::string_view kId = "webhook-id";
  static constexpr std::string_view kTimestamp = "webhook-timestamp";
  static constexpr std::string_view kSignature = "webhook-signature";
  static constexpr std::int64_t kToleranceSeconds = 300;
  static constexpr std::size_t kMostSignatures = 16;

  // The v1 ones of a list separated by spaces; other versions are for other receivers.
  static std::vector<std::string> read_signatures(std::string_view header) {
    std::vector<std::string> out;
    while (!header.empty() && out.size() < kMostSignatures) {
      const auto space = header.find(' ');
      const auto token = header.substr(0, space);
      if (token.substr(0, 3) == "v1,") {
        if (auto bytes = from_base64(token.substr(3))) out.push_back(std::move(*bytes));
      }
      if (space == std::string_view::npos) break;
      header.remove_prefix(space + 1);
    }
    return out;
  }

  std::vector<HmacKey> keys_;
};

std::unique_ptr<const Signature> bind_standard_webhooks(const SignatureSpec& spec,
                                                        const std::vector<std::string>& secrets,
                                                        std::vector<FieldError>& errors) {
  // The standard asks for 24 to 64 bytes; shorter ones can be guessed.
  constexpr std::size_t kShortestKey = 24;
  constexpr std::string_view kPrefix = "whsec_";
  constexpr std::string_view kForm =
      "expected base64 of at least 24 random bytes, with or without \"whsec_\" before it (openssl rand -base64 32)";
  std::vector<HmacKey> keys;
  const std::size_t faults = errors.size();
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    std::string_view secret = secrets[i];
    if (secret.substr(0, kPrefix.size()) == kPrefix) secret.remove_prefix(kPrefix.size());
    const auto key = from_base64(secret);
    const std::string at = "/secrets/" + pointer_token(spec.secret) + '/' + std::to_string(i);
    if (!key) {
      errors.push_back({at, "is not base64; " + std::string(kForm)});
    } else if (key->size() < kShortestKey) {
      errors.push_back({at, "is only " + std::to_string(key->size()) + " bytes long; " + std::string(kForm)});
    } else {
      keys.emplace_back(Hash::sha256, *key);
    }
  }
  if (errors.size() != faults) return nullptr;
  return std::make_unique<StandardWebhooks>(std::move(keys));
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [kToken](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kToken.find(c) != std::string_view::npos;
  });
}

std::unique_ptr<const Signature> bind_hmac(const SignatureSpec& spec, const std::vector<std::string>& secrets,
                                           const std::map<std::string, std::string>& settings,
                                           std::vector<FieldError>& errors) {
  const std::size_t faults = errors.size();
  const auto fail = [&errors](const Word& word, std::string detail) {
    errors.push_back({"/" + pointer_token(word.setting), std::move(detail)});
  };
  const std::string& header = spec.header.in(settings);
  if (!is_header_name(header)) fail(spec.header, "expected the name of an HTTP header such as X-Signature");
  const auto hash = parse_hash(spec.algorithm.in(settings));
  if (!hash) fail(spec.algorithm, "expected sha1, sha256 or sha512");
  const std::string& encoding = spec.encoding.in(settings);
  if (encoding != "hex" && encoding != "base64") fail(spec.encoding, "expected hex or base64");
  if (errors.size() != faults) return nullptr;

  std::vector<HmacKey> keys;
  for (const auto& secret : secrets) keys.emplace_back(*hash, secret);
  return std::make_unique<HmacSignature>(std::move(keys), header, spec.prefix.in(settings), encoding == "hex");
}

Word compile_word(const Spec& spec, std::string_view key, std::string_view otherwise,
                  const std::vector<std::string>& settings) {
  const auto found = spec.find(key);
  if (!found) return {std::string(otherwise), ""};
  if (!found->value().is_object()) return {found->text().value_or(""), ""};
  found->is_object({"setting"});
  const auto setting = found->require("setting", "the name of a setting");
  const auto name = setting ? setting->one_of(settings) : std::nullopt;
  return {"", name.value_or("")};
}

}  // namespace

std::optional<std::string_view> find_value(const Headers* headers, std::string_view name) {
  if (headers == nullptr) return std::nullopt;
  for (const auto& [key, value] : *headers) {
    if (same_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<SignatureSpec> compile_signature(const Spec& spec, const std::vector<std::string>& secrets,
                                               const std::vector<std::string>& settings) {
  if (!spec.is_object({"scheme", "secret", "header", "algorithm", "encoding", "prefix"})) return std::nullopt;
  SignatureSpec out;
  const auto scheme = spec.require("scheme", "hmac or standard_webhooks");
  const auto scheme_name = scheme ? scheme->one_of({"hmac", "standard_webhooks"}) : std::nullopt;
  const auto secret = spec.require("secret", "the name of one of the secrets");
  const auto secret_name = secret ? secret->one_of(secrets) : std::nullopt;
  if (!scheme_name || !secret_name) return std::nullopt;
  out.secret = *secret_name;

  if (*scheme_name == "standard_webhooks") {
    out.scheme = SignatureSpec::Scheme::standard_webhooks;
    for (const auto* key : {"header", "algorithm", "encoding", "prefix"}) {
      if (spec.has(key)) spec.fail(key, "standard_webhooks fixes this, expected none");
    }
    return out;
  }
  spec.require("header", "the name of the header that carries the signature");
  out.header = compile_word(spec, "header", "", settings);
  out.algorithm = compile_word(spec, "algorithm", "sha256", settings);
  out.encoding = compile_word(spec, "encoding", "hex", settings);
  out.prefix = compile_word(spec, "prefix", "", settings);
  if (out.header.setting.empty() && !is_header_name(out.header.fixed)) {
    spec.fail("header", "expected the name of an HTTP header such as X-Signature");
  }
  if (out.algorithm.setting.empty() && !parse_hash(out.algorithm.fixed)) {
    spec.fail("algorithm", "expected sha1, sha256 or sha512");
  }
  if (out.encoding.setting.empty() && out.encoding.fixed != "hex" && out.encoding.fixed != "base64") {
    spec.fail("encoding", "expected hex or base64");
  }
  return out;
}

std::unique_ptr<const Signature> bind_signature(const SignatureSpec& spec, const std::vector<std::string>& secrets,
                                                const std::map<std::string, std::string>& settings,
                                                std::vector<FieldError>& errors) {
  if (spec.scheme == SignatureSpec::Scheme::standard_webhooks) return bind_standard_webhooks(spec, secrets, errors);
  return bind_hmac(spec, secrets, settings, errors);
}

}  // namespace triage::ingest
