// The GET with which a platform checks that an address is ours. It answers only a token of the platform's own pattern:
// signing whatever is asked would sign forged bodies.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/hmac.h"
#include "ingest/spec.h"
#include "triage/ingest/source.h"

namespace triage::ingest {

struct HandshakeSpec {
  enum class Kind { none, echo, verify_token, hmac_answer };
  enum class Accepts { token, uuid };  // [A-Za-z0-9_-]{1,128}, or a UUID

  Kind kind = Kind::none;
  Accepts accepts = Accepts::token;
  std::string token;                          // the query parameter that is answered
  std::map<std::string, std::string> expect;  // query parameters that must have these values
  std::string verify;                         // verify_token: the query parameter that must be the secret
  std::string secret;                         // its name
  Hash algorithm = Hash::sha256;
  std::string encoding = "hex";
  std::string content_type = "text/plain";
  std::string body = "{token}";  // {token} and {answer} are filled in
};

std::optional<HandshakeSpec> compile_handshake(const Spec& spec, const std::vector<std::string>& secrets);

// `secrets` are those of spec.secret, newest first; a handshake that needs one and has none is not offered.
Result<Answer> answer_handshake(const HandshakeSpec& spec, const std::vector<std::string>& secrets,
                                const Delivery& delivery);

}  // namespace triage::ingest
