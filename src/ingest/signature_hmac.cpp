// Signatures made with a key: HMAC as platforms do it, each in its own way, and as the Standard Webhooks do.
#include <array>
#include <charconv>
#include <chrono>

#include "ingest/encoding.h"
#include "ingest/signature_schemes.h"

namespace triage::ingest {
namespace {

// Calls `take` with the value of each part of that name, in a list such as "t=1633174587,s=1849…".
template <class Take>
void each_part(std::string_view list, std::string_view name, const Take& take) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view part = list.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    const auto equals = part.find('=');
    if (equals != std::string_view::npos && part.substr(0, equals) == name) take(part.substr(equals + 1));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// HMAC in one header: X-Hub-Signature-256: sha256=…. Of the body, or of the body and a timestamp.
class HmacSignature : public Signature {
 public:
  HmacSignature(const SignatureSpec& spec, std::vector<HmacKey> keys, std::string header, std::string prefix, bool hex)
      : keys_(std::move(keys)),
        header_(std::move(header)),
        prefix_(std::move(prefix)),
        hex_(hex),
        part_(spec.part),
        signed_(spec.signed_parts),
        timestamp_(spec.timestamp) {
    if (timestamp_) {
      timestamp_name_ =
          timestamp_->header.empty() ? "the part " + timestamp_->part + " of " + header_ : timestamp_->header;
    }
  }

  std::string headers() const override {
    return timestamp_ && !timestamp_->header.empty() ? header_ + " and " + timestamp_->header : header_;
  }

  bool present(const Delivery& delivery) const override { return find_value(delivery.headers, header_).has_value(); }

  Result<void> verify(const Delivery& delivery, Time now) const override {
    const auto header = find_value(delivery.headers, header_);
    if (!header) return unauthenticated("the signature header " + header_ + " is missing");
    const auto candidates = header->size() > kLongestHeader ? std::vector<std::string>() : read_signatures(*header);
    if (candidates.empty()) return unauthenticated("the signature in " + header_ + " is not of the expected form");

    std::string_view timestamp;
    if (timestamp_) {
      const auto found = read_timestamp(delivery, *header);
      if (!found) return unauthenticated(timestamp_name_ + " is missing");
      const auto recent = check_timestamp(*found, timestamp_name_, timestamp_->unit, timestamp_->tolerance, now);
      if (!recent) return recent;
      timestamp = *found;
    }
    std::array<std::string_view, kMostSignedParts> room;
    if (!any_matches(keys_, fill(room, delivery.body, timestamp), candidates)) {
      return unauthenticated("the signature in " + header_ + " does not match the body");
    }
    return {};
  }

  Result<Headers> sign(std::string_view body, Time now, std::string_view) const override {
    const std::string timestamp = timestamp_ ? timestamp_of(now, timestamp_->unit) : std::string();
    std::array<std::string_view, kMostSignedParts> room;
    const std::string digest = keys_.front().sign(fill(room, body, timestamp)).str();
    std::string value = prefix_ + (hex_ ? to_hex(digest) : to_base64(digest));
    if (!part_.empty()) value.insert(0, part_ + '=');
    if (!timestamp_) return Headers{{header_, std::move(value)}};
    if (timestamp_->header.empty()) {
      value.insert(0, timestamp_->part + '=' + timestamp + ',');
      return Headers{{header_, std::move(value)}};
    }
    return Headers{{timestamp_->header, timestamp}, {header_, std::move(value)}};
  }

 private:
  std::vector<std::string> read_signatures(std::string_view header) const {
    std::vector<std::string> out;
    const auto take = [&](std::string_view value) {
      if (out.size() >= kMostSignatures || value.substr(0, prefix_.size()) != prefix_) return;
      value.remove_prefix(prefix_.size());
      if (auto bytes = hex_ ? from_hex(value) : from_base64(value)) out.push_back(std::move(*bytes));
    };
    if (part_.empty()) {
      take(header);
    } else {
      each_part(header, part_, take);
    }
    return out;
  }

  std::optional<std::string_view> read_timestamp(const Delivery& delivery, std::string_view header) const {
    if (!timestamp_->header.empty()) return find_value(delivery.headers, timestamp_->header);
    std::optional<std::string_view> out;
    each_part(header, timestamp_->part, [&out](std::string_view value) {
      if (!out) out = value;
    });
    return out;
  }

  // What is signed, with its places filled in.
  std::span<const std::string_view> fill(std::array<std::string_view, kMostSignedParts>& room, std::string_view body,
                                         std::string_view timestamp) const {
    for (std::size_t i = 0; i < signed_.size(); ++i) {
      const auto what = signed_[i].what;
      room[i] = what == SignedPart::What::body        ? body
                : what == SignedPart::What::timestamp ? timestamp
                                                      : std::string_view(signed_[i].literal);
    }
    return std::span<const std::string_view>(room).first(signed_.size());
  }

  std::vector<HmacKey> keys_;
  std::string header_;
  std::string prefix_;
  bool hex_;
  std::string part_;
  std::vector<SignedPart> signed_;
  std::optional<TimestampSpec> timestamp_;
  std::string timestamp_name_;
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

    const auto recent = check_timestamp(*timestamp, std::string(kTimestamp), kUnit, kTolerance, now);
    if (!recent) return recent;

    const auto candidates = read_signatures(*signature);
    if (candidates.empty()) return unauthenticated("webhook-signature holds no v1 signature");
    const std::array<std::string_view, 5> parts{*id, ".", *timestamp, ".", delivery.body};
    if (!any_matches(keys_, parts, candidates)) {
      return unauthenticated("no signature in webhook-signature matches the body");
    }
    return {};
  }

  Result<Headers> sign(std::string_view body, Time now, std::string_view message_id) const override {
    const std::string seconds = timestamp_of(now, kUnit);
    const Digest digest = keys_.front().sign({message_id, ".", seconds, ".", body});
    return Headers{{std::string(kId), std::string(message_id)},
                   {std::string(kTimestamp), seconds},
                   {std::string(kSignature), "v1," + to_base64(digest.str())}};
  }

 private:
  static constexpr std::string_view kId = "webhook-id";
  static constexpr std::string_view kTimestamp = "webhook-timestamp";
  static constexpr std::string_view kSignature = "webhook-signature";
  static constexpr Duration kUnit = std::chrono::seconds(1);
  static constexpr Duration kTolerance = std::chrono::minutes(5);

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

}  // namespace

bool any_matches(const std::vector<HmacKey>& keys, std::span<const std::string_view> parts,
                 const std::vector<std::string>& candidates) {
  bool matches = false;
  for (const auto& key : keys) {
    const Digest digest = key.sign(parts);
    for (const auto& candidate : candidates) matches |= same_bytes(digest, candidate);
  }
  return matches;
}

Result<void> check_timestamp(std::string_view timestamp, const std::string& where, Duration unit, Duration tolerance,
                             Time now) {
  std::int64_t sent = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), sent);
  if (error != std::errc() || end != timestamp.data() + timestamp.size()) {
    return unauthenticated(where + " is not a whole number of " + (unit == Duration(1) ? "milliseconds" : "seconds"));
  }
  // Counted in whole units, as the sender did.
  const std::int64_t here = to_millis(now) / unit.count();
  const std::int64_t most = tolerance / unit;
  if (sent < here - most || sent > here + most) {
    const bool minutes = tolerance > std::chrono::minutes(1) && tolerance % std::chrono::minutes(1) == Duration(0);
    const std::string apart =
        minutes ? std::to_string(tolerance / std::chrono::minutes(1)) + " minutes" : format_duration(tolerance);
    return unauthenticated(where + " is more than " + apart + " from this server's time");
  }
  return {};
}

std::string timestamp_of(Time now, Duration unit) {
  return std::to_string(to_millis(now) / unit.count());
}

std::unique_ptr<const Signature> make_hmac(const SignatureSpec& spec, Hash hash, bool hex, std::string header,
                                           std::string prefix, const std::vector<std::string>& secrets) {
  std::vector<HmacKey> keys;
  for (const auto& secret : secrets) keys.emplace_back(hash, secret);
  return std::make_unique<HmacSignature>(spec, std::move(keys), std::move(header), std::move(prefix), hex);
}

std::unique_ptr<const Signature> make_standard_webhooks(std::vector<HmacKey> keys) {
  return std::make_unique<StandardWebhooks>(std::move(keys));
}

}  // namespace triage::ingest
