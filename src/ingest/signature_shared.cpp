// Platforms that send the secret itself along: in a header, in the address, or as a password.
#include "ingest/encoding.h"
#include "ingest/signature_schemes.h"
#include "ingest/text.h"

namespace triage::ingest {
namespace {

class TokenInHeader : public Signature {
 public:
  TokenInHeader(std::string header, std::string prefix, const std::vector<std::string>& secrets)
      : header_(std::move(header)), prefix_(std::move(prefix)), newest_(secrets.front()), secrets_(secrets) {}

  std::string headers() const override { return header_; }

  bool present(const Delivery& delivery) const override { return find_value(delivery.headers, header_).has_value(); }

  Result<void> verify(const Delivery& delivery, Time) const override {
    const auto header = find_value(delivery.headers, header_);
    if (!header) return unauthenticated("the header " + header_ + " is missing");
    if (header->size() > kLongestHeader || header->substr(0, prefix_.size()) != prefix_) {
      return unauthenticated("the token in " + header_ + " is not of the expected form");
    }
    if (secrets_.holds(header->substr(prefix_.size()))) return {};
    return unauthenticated("the token in " + header_ + " is not the secret");
  }

  Result<Headers> sign(std::string_view, Time, std::string_view) const override {
    return Headers{{header_, prefix_ + newest_}};
  }

 private:
  std::string header_;
  std::string prefix_;
  std::string newest_;
  SecretSet secrets_;
};

// For platforms that can be given an address and nothing else.
class TokenInQuery : public Signature {
 public:
  TokenInQuery(std::string parameter, const std::vector<std::string>& secrets)
      : parameter_(std::move(parameter)), secrets_(secrets) {}

  std::string headers() const override { return "the query parameter " + parameter_; }

  bool present(const Delivery& delivery) const override { return query_value(delivery, parameter_).has_value(); }

  Result<void> verify(const Delivery& delivery, Time) const override {
    const auto given = query_value(delivery, parameter_);
    if (!given) return unauthenticated("the query parameter " + parameter_ + " is missing");
    if (given->size() <= kLongestHeader && secrets_.holds(*given)) return {};
    return unauthenticated("the query parameter " + parameter_ + " is not the secret");
  }

  Result<Headers> sign(std::string_view, Time, std::string_view) const override {
    return make_error(ErrorCode::unprocessable,
                      "the secret of this source stands in its address, as the query parameter " + parameter_ +
                          ", so there is no header to sign with");
  }

 private:
  std::string parameter_;
  SecretSet secrets_;
};

// RFC 7617.
class BasicSignature : public Signature {
 public:
  BasicSignature(const std::vector<std::string>& users, const std::vector<std::string>& passwords)
      : newest_(users.front() + ':' + passwords.front()), users_(users), passwords_(passwords) {}

  std::string headers() const override { return "Authorization: Basic"; }

  bool present(const Delivery& delivery) const override { return credentials(delivery).has_value(); }

  Result<void> verify(const Delivery& delivery, Time) const override {
    const auto encoded = credentials(delivery);
    if (!encoded) return unauthenticated("the header Authorization: Basic is missing");
    const auto decoded = encoded->size() > kLongestHeader ? std::nullopt : from_base64(*encoded);
    const auto colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos)
      return unauthenticated("the credentials in Authorization are not of the expected form");
    const std::string_view pair = *decoded;
    const bool user = users_.holds(pair.substr(0, colon));
    const bool password = passwords_.holds(pair.substr(colon + 1));
    if (user && password) return {};
    return unauthenticated("the user or the password in Authorization is wrong");
  }

  Result<Headers> sign(std::string_view, Time, std::string_view) const override {
    return Headers{{"Authorization", "Basic " + to_base64(newest_)}};
  }

 private:
  static std::optional<std::string_view> credentials(const Delivery& delivery) {
    constexpr std::string_view kScheme = "Basic ";
    auto header = find_value(delivery.headers, "Authorization");
    if (!header || !same_ignoring_case(header->substr(0, kScheme.size()), kScheme)) return std::nullopt;
    header->remove_prefix(kScheme.size());
    while (!header->empty() && header->front() == ' ') header->remove_prefix(1);
    return header;
  }

  std::string newest_;
  SecretSet users_;
  SecretSet passwords_;
};

}  // namespace

std::unique_ptr<const Signature> make_token(const SignatureSpec& spec, std::string header, std::string prefix,
                                            const std::vector<std::string>& secrets) {
  if (!spec.query.empty()) return std::make_unique<TokenInQuery>(spec.query, secrets);
  return std::make_unique<TokenInHeader>(std::move(header), std::move(prefix), secrets);
}

std::unique_ptr<const Signature> make_basic(const std::vector<std::string>& users,
                                            const std::vector<std::string>& passwords) {
  return std::make_unique<BasicSignature>(users, passwords);
}

}  // namespace triage::ingest
