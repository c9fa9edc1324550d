// Reading the schemes of a source file, and giving them the configured secrets.
#include "ingest/signature.h"

#include <algorithm>

#include "ingest/encoding.h"
#include "ingest/signature_schemes.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

using Scheme = SignatureSpec::Scheme;
using Secrets = std::map<std::string, std::vector<std::string>>;

// --- reading ---

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

constexpr std::string_view kHeaderForm = "expected the name of an HTTP header such as X-Signature";

void compile_header(const Spec& spec, const std::vector<std::string>& settings, SignatureSpec& out) {
  out.header = compile_word(spec, "header", "", settings);
  if (out.header.setting.empty() && !is_header_name(out.header.fixed)) spec.fail("header", std::string(kHeaderForm));
}

// A name in a list of name=value.
std::string compile_part(const Spec& spec) {
  const auto name = spec.text();
  if (!name) return "";
  if (name->empty() || name->find_first_of("=, ") != std::string::npos) {
    spec.fail("expected the name of one of the header's parts, such as \"t\" of t=1633174587,s=1849");
    return "";
  }
  return *name;
}

// From "timestamp", and "unit" and "tolerance" beside it.
std::optional<TimestampSpec> compile_timestamp(const Spec& spec) {
  const auto place = spec.find("timestamp");
  if (!place) {
    for (const auto* key : {"unit", "tolerance"}) {
      if (spec.has(key)) spec.fail(key, "expected none without \"timestamp\"");
    }
    return std::nullopt;
  }
  TimestampSpec out;
  if (!place->is_object({"header", "part"})) return out;
  if (place->has("header") == place->has("part")) place->fail("expected either a header or a part");
  if (const auto header = place->find("header")) {
    out.header = header->text().value_or("");
    if (!is_header_name(out.header)) header->fail(std::string(kHeaderForm));
  }
  if (const auto part = place->find("part")) {
    out.part = compile_part(*part);
    if (!spec.has("part")) part->fail("the header is not a list of parts; expected \"part\" of the signature too");
  }
  if (const auto unit = spec.find("unit")) {
    if (unit->one_of({"seconds", "milliseconds"}) == "milliseconds") out.unit = std::chrono::milliseconds(1);
  }
  if (const auto tolerance = spec.find("tolerance")) {
    const auto text = tolerance->text();
    const auto duration = text ? parse_duration(*text) : Result<Duration>(out.tolerance);
    if (!duration) {
      tolerance->fail(duration.error().detail);
    } else if (*duration < std::chrono::seconds(1)) {
      tolerance->fail("expected at least 1s");
    } else {
      out.tolerance = *duration;
    }
  }
  return out;
}

// "{timestamp}.{body}"
std::vector<SignedPart> compile_signed(const Spec& spec, bool timestamp) {
  constexpr std::string_view kForm = "expected text with {body} in it, and {timestamp} where there is one";
  using What = SignedPart::What;
  std::vector<SignedPart> out;
  const auto text = spec.text();
  if (!text) return out;
  std::size_t bodies = 0;
  std::size_t timestamps = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto open = rest.find('{');
    if (open > 0) out.push_back({What::literal, std::string(rest.substr(0, open))});
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    const auto place = rest.substr(open, close == std::string_view::npos ? close : close - open + 1);
    if (place == "{body}") {
      out.push_back({What::body, ""});
      ++bodies;
    } else if (place == "{timestamp}") {
      out.push_back({What::timestamp, ""});
      ++timestamps;
    } else {
      spec.fail(std::string(kForm) + ", found \"" + std::string(place) + "\"");
      return out;
    }
    rest.remove_prefix(open + place.size());
  }
  if (bodies != 1 || out.size() > kMostSignedParts) spec.fail(std::string(kForm));
  if (timestamps > 0 && !timestamp) spec.fail("{timestamp} is signed, expected \"timestamp\" to say where it is");
  if (timestamps == 0 && timestamp) spec.fail("expected {timestamp} too: one that is not signed proves nothing");
  return out;
}

void compile_hmac(const Spec& spec, const std::vector<std::string>& settings, SignatureSpec& out) {
  spec.require("header", "the name of the header that carries the signature");
  compile_header(spec, settings, out);
  out.algorithm = compile_word(spec, "algorithm", "sha256", settings);
  out.encoding = compile_word(spec, "encoding", "hex", settings);
  out.prefix = compile_word(spec, "prefix", "", settings);
  if (out.algorithm.setting.empty() && !parse_hash(out.algorithm.fixed)) {
    spec.fail("algorithm", "expected sha1, sha256 or sha512");
  }
  if (out.encoding.setting.empty() && out.encoding.fixed != "hex" && out.encoding.fixed != "base64") {
    spec.fail("encoding", "expected hex or base64");
  }
  if (const auto part = spec.find("part")) out.part = compile_part(*part);
  out.timestamp = compile_timestamp(spec);
  if (const auto what = spec.find("signed")) {
    out.signed_parts = compile_signed(*what, spec.has("timestamp"));
  } else if (spec.has("timestamp")) {
    spec.fail("signed", "missing, expected what is signed, such as \"{timestamp}.{body}\"");
  }
}

void compile_token(const Spec& spec, const std::vector<std::string>& settings, SignatureSpec& out) {
  if (spec.has("header") == spec.has("query")) {
    spec.fail("expected either a header or a query parameter that carries the token");
    return;
  }
  if (const auto query = spec.find("query")) {
    out.query = query->text().value_or("");
    if (out.query.empty()) query->fail("expected the name of a query parameter");
    if (spec.has("prefix")) spec.fail("prefix", "expected none: a query parameter is the token alone");
    return;
  }
  compile_header(spec, settings, out);
  out.prefix = compile_word(spec, "prefix", "", settings);
}

// --- binding ---

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
  return make_standard_webhooks(std::move(keys));
}

// The header, checked where the configuration sets it.
std::string bind_header(const SignatureSpec& spec, const std::map<std::string, std::string>& settings,
                        std::vector<FieldError>& errors) {
  const std::string& header = spec.header.in(settings);
  if (!is_header_name(header)) errors.push_back({"/" + pointer_token(spec.header.setting), std::string(kHeaderForm)});
  return header;
}

std::unique_ptr<const Signature> bind_hmac(const SignatureSpec& spec, const std::vector<std::string>& secrets,
                                           const std::map<std::string, std::string>& settings,
                                           std::vector<FieldError>& errors) {
  const std::size_t faults = errors.size();
  const auto fail = [&errors](const Word& word, std::string detail) {
    errors.push_back({"/" + pointer_token(word.setting), std::move(detail)});
  };
  std::string header = bind_header(spec, settings, errors);
  const auto hash = parse_hash(spec.algorithm.in(settings));
  if (!hash) fail(spec.algorithm, "expected sha1, sha256 or sha512");
  const std::string& encoding = spec.encoding.in(settings);
  if (encoding != "hex" && encoding != "base64") fail(spec.encoding, "expected hex or base64");
  if (errors.size() != faults) return nullptr;
  return make_hmac(spec, *hash, encoding == "hex", std::move(header), spec.prefix.in(settings), secrets);
}

std::unique_ptr<const Signature> bind_token(const SignatureSpec& spec, const std::vector<std::string>& secrets,
                                            const std::map<std::string, std::string>& settings,
                                            std::vector<FieldError>& errors) {
  if (!spec.query.empty()) return make_token(spec, "", "", secrets);
  const std::size_t faults = errors.size();
  std::string header = bind_header(spec, settings, errors);
  if (errors.size() != faults) return nullptr;
  return make_token(spec, std::move(header), spec.prefix.in(settings), secrets);
}

std::unique_ptr<const Signature> bind_basic(const SignatureSpec& spec, const Secrets& secrets,
                                            std::vector<FieldError>& errors) {
  const std::string at = "/secrets/" + pointer_token(spec.user);
  const auto users = secrets.find(spec.user);
  if (users == secrets.end()) {
    errors.push_back({at, "missing, expected the user that the secret " + spec.secret + " is the password of"});
    return nullptr;
  }
  const std::size_t faults = errors.size();
  for (std::size_t i = 0; i < users->second.size(); ++i) {
    if (users->second[i].find(':') == std::string::npos) continue;
    errors.push_back({at + '/' + std::to_string(i), "a user of HTTP Basic cannot have a ':' in it"});
  }
  if (errors.size() != faults) return nullptr;
  return make_basic(users->second, secrets.at(spec.secret));
}

}  // namespace

Error unauthenticated(std::string detail) {
  return make_error(ErrorCode::unauthenticated, std::move(detail));
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [kToken](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kToken.find(c) != std::string_view::npos;
  });
}

std::optional<std::string_view> find_value(const Headers* headers, std::string_view name) {
  if (headers == nullptr) return std::nullopt;
  for (const auto& [key, value] : *headers) {
    if (same_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> query_value(const Delivery& delivery, std::string_view name) {
  if (delivery.query == nullptr) return std::nullopt;
  for (const auto& [key, value] : *delivery.query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::optional<SignatureSpec> compile_signature(const Spec& spec, const std::vector<std::string>& secrets,
                                               const std::vector<std::string>& settings) {
  static const std::vector<std::string> kSchemes{"hmac", "standard_webhooks", "token", "basic"};
  const auto scheme = spec.require("scheme", or_list(kSchemes));
  const auto name = scheme ? scheme->one_of(kSchemes) : std::nullopt;
  bool read = false;
  if (name == "hmac") {
    read = spec.is_object({"scheme", "secret", "header", "algorithm", "encoding", "prefix", "part", "signed",
                           "timestamp", "unit", "tolerance"});
  } else if (name == "token") {
    read = spec.is_object({"scheme", "secret", "header", "query", "prefix"});
  } else if (name == "basic") {
    read = spec.is_object({"scheme", "user", "secret"});
  } else if (name == "standard_webhooks") {
    read = spec.is_object({"scheme", "secret"});
  } else if (!spec.value().is_object()) {
    spec.expected("an object");
  }
  const auto secret = spec.require("secret", "the name of one of the secrets");
  const auto secret_name = secret ? secret->one_of(secrets) : std::nullopt;
  if (!read || !secret_name) return std::nullopt;

  SignatureSpec out;
  out.secret = *secret_name;
  if (*name == "hmac") {
    compile_hmac(spec, settings, out);
  } else if (*name == "token") {
    out.scheme = Scheme::token;
    compile_token(spec, settings, out);
  } else if (*name == "basic") {
    out.scheme = Scheme::basic;
    const auto user = spec.require("user", "the name of the secret that is the user");
    if (user) out.user = user->one_of(secrets).value_or("");
  } else {
    out.scheme = Scheme::standard_webhooks;
  }
  return out;
}

std::unique_ptr<const Signature> bind_signature(const SignatureSpec& spec, const Secrets& secrets,
                                                const std::map<std::string, std::string>& settings,
                                                std::vector<FieldError>& errors) {
  const auto& own = secrets.at(spec.secret);
  switch (spec.scheme) {
    case Scheme::hmac:
      return bind_hmac(spec, own, settings, errors);
    case Scheme::standard_webhooks:
      return bind_standard_webhooks(spec, own, errors);
    case Scheme::token:
      return bind_token(spec, own, settings, errors);
    case Scheme::basic:
      return bind_basic(spec, secrets, errors);
  }
  return nullptr;
}

}  // namespace triage::ingest
