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

class Signature {
 public:
  virtual ~Signature() = default;

  // The headers that it reads, for an error: "webhook-id, webhook-timestamp and webhook-signature".
  virtual std::string headers() const = 0;

  // Whether the request carries this kind of signature at all.
  virtual bool present(const Delivery& delivery) const = 0;

  // Over all secrets, always all of them. The error says what is wrong with the headers, never with which secret.
  virtual Result<void> verify(const Delivery& delivery, Time now) const = 0;

  // As the platform would, with the newest secret.
  virtual Headers sign(std::string_view body, Time now, std::string_view message_id) const = 0;
};

// A word of a source file that the configuration may set: {"setting": "header"}, or fixed.
struct Word {
  std::string fixed;
  std::string setting;  // empty: fixed
  const std::string& in(const std::map<std::string, std::string>& settings) const {
    return setting.empty() ? fixed : settings.at(setting);
  }
};

struct SignatureSpec {
  enum class Scheme { hmac, standard_webhooks };
  Scheme scheme = Scheme::hmac;
  std::string secret;  // its name among the source's secrets
  Word header;
  Word algorithm;
  Word encoding;
  Word prefix;
};

// `secrets` and `settings` are the names that the file declares.
std::optional<SignatureSpec> compile_signature(const Spec& spec, const std::vector<std::string>& secrets,
                                               const std::vector<std::string>& settings);

// Binds to secrets that are there and not empty; settings hold a value for every declared one. Notes in `errors`, at
// "/secrets/<name>/<index>" or "/<setting>", what cannot be used; null then.
std::unique_ptr<const Signature> bind_signature(const SignatureSpec& spec, const std::vector<std::string>& secrets,
                                                const std::map<std::string, std::string>& settings,
                                                std::vector<FieldError>& errors);

}  // namespace triage::ingest
