// OAuth 1.0a (RFC 5849) with HMAC-SHA1: what signs a request that is made for one account of a platform. The sources
// are the RFC and X's "Creating a signature" (docs.x.com, OAuth 1.0a), which agree.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ingest/percent.h"

namespace triage::ingest {

struct OAuth1Credentials {
  std::string consumer_key;  // "client credentials" in the RFC; X calls them the API key and its secret
  std::string consumer_secret;
  std::string token;  // empty for a request that is made for no account
  std::string token_secret;
};

struct OAuth1Request {
  std::string_view method;         // in any case
  std::string_view url;            // as it is requested, query and all
  std::span<const FormPair> form;  // the fields of a form body; none where the body is anything else
};

// The signature base string (section 3.4.1) over the fields of the URL's query, those of the form, and `oauth`, the
// protocol's own parameters but for the signature and the realm. Scheme and host are written in lower case there,
// without the port that the scheme implies. Nothing where the URL is not an absolute one of http or https, or names a
// user.
std::optional<std::string> oauth1_base_string(const OAuth1Request& request, std::span<const FormPair> oauth);

// The base64 of the HMAC-SHA1 (section 3.4.2). Throws std::runtime_error where OpenSSL fails.
std::string oauth1_signature(std::string_view base_string, std::string_view consumer_secret,
                             std::string_view token_secret);

// The value of the Authorization header: OAuth oauth_consumer_key="…", … `seconds` are those since 1970, and `nonce` is
// any text that was not used before in that second. Nothing for a URL as above.
std::optional<std::string> oauth1_authorization(const OAuth1Request& request, const OAuth1Credentials& credentials,
                                                std::int64_t seconds, std::string_view nonce);

}  // namespace triage::ingest
