#include "ingest/handshake.h"

#include <algorithm>

#include "ingest/encoding.h"
#include "ingest/signature.h"
#include "triage/model/id.h"

namespace triage::ingest {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string fill(std::string_view text, std::string_view token, std::string_view answer) {
  std::string out;
  while (true) {
    const auto open = text.find('{');
    out.append(text.substr(0, open));
    if (open == std::string_view::npos) return out;
    text.remove_prefix(open);
    if (text.substr(0, 7) == "{token}") {
      out.append(token);
      text.remove_prefix(7);
    } else if (text.substr(0, 8) == "{answer}") {
      out.append(answer);
      text.remove_prefix(8);
    } else {
      out.push_back('{');
      text.remove_prefix(1);
    }
  }
}

}  // namespace

std::optional<HandshakeSpec> compile_handshake(const Spec& spec, const std::vector<std::string>& secrets) {
  if (!spec.is_object({"kind", "token", "accepts", "expect", "verify", "secret", "algorithm", "encoding", "answer"})) {
    return std::nullopt;
  }
  HandshakeSpec out;
  const auto kind = spec.require("kind", "none, echo, verify_token or hmac_answer");
  const auto name = kind ? kind->one_of({"none", "echo", "verify_token", "hmac_answer"}) : std::nullopt;
  if (!name) return std::nullopt;
  using Kind = HandshakeSpec::Kind;
  out.kind = *name == "none"           ? Kind::none
             : *name == "echo"         ? Kind::echo
             : *name == "verify_token" ? Kind::verify_token
                                       : Kind::hmac_answer;
  if (out.kind == Kind::none) return out;

  if (const auto token = spec.require("token", "the name of the query parameter to answer")) {
    out.token = token->text().value_or("");
  }
  if (const auto accepts = spec.find("accepts")) {
    if (accepts->one_of({"token", "uuid"}) == "uuid") out.accepts = HandshakeSpec::Accepts::uuid;
  }
  if (const auto expect = spec.find("expect")) {
    for (const auto& [key, value] : expect->members("an object of query parameters and their values")) {
      out.expect[key] = value.text().value_or("");
    }
  }
  if (out.kind != Kind::echo) {
    const auto secret = spec.require("secret", "the name of one of the secrets");
    if (secret) out.secret = secret->one_of(secrets).value_or("");
  }
  if (out.kind == Kind::verify_token) {
    if (const auto verify = spec.require("verify", "the name of the query parameter that holds the verify token")) {
      out.verify = verify->text().value_or("");
    }
  }
  if (out.kind == Kind::hmac_answer) {
    if (const auto algorithm = spec.find("algorithm")) {
      if (const auto hash = algorithm->one_of({"sha1", "sha256", "sha512"})) out.algorithm = *parse_hash(*hash);
    }
    if (const auto encoding = spec.find("encoding")) out.encoding = encoding->one_of({"hex", "base64"}).value_or("hex");
  }
  if (const auto answer = spec.find("answer")) {
    answer->is_object({"content_type", "body"});
    if (const auto type = answer->find("content_type")) out.content_type = type->text().value_or("");
    if (const auto body = answer->find("body")) out.body = body->text().value_or("");
  }
  return out;
}

Result<Answer> answer_handshake(const HandshakeSpec& spec, const std::vector<std::string>& secrets,
                                const Delivery& delivery) {
  using Kind = HandshakeSpec::Kind;
  const bool needs_secret = spec.kind == Kind::verify_token || spec.kind == Kind::hmac_answer;
  if (spec.kind == Kind::none || (needs_secret && secrets.empty())) {
    return make_error(ErrorCode::method_not_allowed, "this source has no handshake, only POST is answered");
  }
  for (const auto& [name, wanted] : spec.expect) {
    const auto value = query_value(delivery, name);
    if (!value || *value != wanted) {
      return make_error(ErrorCode::bad_request, "expected the query parameter " + name + "=" + wanted);
    }
  }
  const auto token = query_value(delivery, spec.token);
  if (!token) return make_error(ErrorCode::bad_request, "the query parameter " + spec.token + " is missing");
  const bool uuid = spec.accepts == HandshakeSpec::Accepts::uuid;
  if (!(uuid ? is_uuid(*token) : is_token(*token))) {
    return make_error(ErrorCode::bad_request, "the query parameter " + spec.token +
                                                  " is not a token of this platform, " +
                                                  (uuid ? "expected a UUID" : "expected [A-Za-z0-9_-]{1,128}"));
  }
  if (spec.kind == Kind::verify_token) {
    const auto given = query_value(delivery, spec.verify);
    if (!given) return make_error(ErrorCode::bad_request, "the query parameter " + spec.verify + " is missing");
    if (!SecretSet(secrets).holds(*given)) {
      return make_error(ErrorCode::forbidden, "the query parameter " + spec.verify + " is not the verify token");
    }
  }
  std::string answer;
  if (spec.kind == Kind::hmac_answer) {
    const std::string digest = HmacKey(spec.algorithm, secrets.front()).sign({*token}).str();
    answer = spec.encoding == "hex" ? to_hex(digest) : to_base64(digest);
  }
  return Answer{200, spec.content_type, fill(spec.body, *token, answer)};
}

}  // namespace triage::ingest
