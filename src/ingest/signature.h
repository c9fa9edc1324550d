// How a platform proves that a request is its own. A source file names the scheme and where its parts are; binding
// gives it the configured secrets. A bound signature is immutable and thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/spec.h"
#include "triage/ingest/source.h"

namespace triage::ingest {

// The first of that name, in any case; nothing where there is none.
std::optional<std::string_view> find_value(const Headers* headers, std::string_view name);

// The first query parameter of that name, in that case.
std::optional<std::string_view> query_value(const Delivery& delivery, std::string_view name);

class Signature {
 public:
  virtual ~Signature() = default;

  // The headers that it reads, for an error: "webhook-id, webhook-timestamp and webhook-signature".
  virtual std::string headers() const = 0;

  // Whether the request carries this kind of signature at all.
  virtual bool present(const Delivery& delivery) const = 0;

  // Over all secrets, always all of them. The error says what is wrong with the headers, never with which secret.
  virtual Result<void> verify(const Delivery& delivery, Time now) const = 0;

  // As the platform would, with the newest secret. unprocessable where what the platform adds is not a header.
  virtual Result<Headers> sign(std::string_view body, Time now, std::string_view message_id) const = 0;
};

// A word of a source file that the configuration may set: {"setting": "header"}, or fixed.
struct Word {
  std::string fixed;
  std::string setting;  // empty: fixed
  const std::string& in(const std::map<std::string, std::string>& settings) const {
    return setting.empty() ? fixed : settings.at(setting);
  }
};

// What an HMAC is made of: "{timestamp}.{body}" is three of these.
struct SignedPart {
  enum class What { literal, body, timestamp };
  What what = What::body;
  std::string literal;
};

// When the platform signed; it stands in a header of its own or in the list that the signature's header is.
struct TimestampSpec {
  std::string header;  // or
  std::string part;
  Duration unit{1000};
  Duration tolerance{5 * 60 * 1000};
};

struct SignatureSpec {
  enum class Scheme { hmac, standard_webhooks, token, basic };
  Scheme scheme = Scheme::hmac;
  std::string secret;  // its name among the source's secrets
  std::string user;    // basic: the name of the secret that is the user
  std::string query;   // token: the query parameter, in place of a header
  Word header;
  Word algorithm;
  Word encoding;
  Word prefix;
  std::string part;  // hmac: the header is a list of name=value, and this the signature's name
  std::vector<SignedPart> signed_parts{SignedPart{}};
  std::optional<TimestampSpec> timestamp;
};

// `secrets` and `settings` are the names that the file declares.
std::optional<SignatureSpec> compile_signature(const Spec& spec, const std::vector<std::string>& secrets,
                                               const std::vector<std::string>& settings);

// Binds to secrets by name, of which those that are there have at least one value and none that is empty; spec.secret
// is there. `settings` hold a value for every declared one. Notes in `errors`, at "/secrets/<name>/<index>" or
// "/<setting>", what cannot be used; null then.
std::unique_ptr<const Signature> bind_signature(const SignatureSpec& spec,
                                                const std::map<std::string, std::vector<std::string>>& secrets,
                                                const std::map<std::string, std::string>& settings,
                                                std::vector<FieldError>& errors);

}  // namespace triage::ingest
