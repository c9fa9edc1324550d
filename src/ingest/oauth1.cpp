#include "ingest/oauth1.h"

#include <algorithm>

#include "ingest/encoding.h"
#include "ingest/hmac.h"

namespace triage::ingest {
namespace {

std::string with_case(std::string_view text, char first, char last, int step) {
  std::string out(text);
  for (char& c : out) {
    if (c >= first && c <= last) c = static_cast<char>(c + step);
  }
  return out;
}

std::string lower_case(std::string_view text) {
  return with_case(text, 'A', 'Z', 'a' - 'A');
}

std::string upper_case(std::string_view text) {
  return with_case(text, 'a', 'z', 'A' - 'a');
}

struct Target {
  std::string base;        // section 3.4.1.2
  std::string_view query;  // without its '?'
};

std::optional<Target> target_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const std::string scheme = lower_case(url.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  url.remove_prefix(scheme_end + 3);

  const std::string_view authority = url.substr(0, url.find_first_of("/?"));
  url.remove_prefix(authority.size());
  const std::string_view path = url.substr(0, url.find('?'));
  url.remove_prefix(path.size());

  std::string host = lower_case(authority);
  // The colons of an IPv6 address stand within its brackets.
  const auto colon = host.find(':', host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0);
  const std::string port = colon == std::string::npos ? "" : host.substr(colon + 1);
  if (colon != std::string::npos && (port.empty() || port == (scheme == "http" ? "80" : "443"))) host.resize(colon);
  if (host.empty() || host.find('@') != std::string::npos) return std::nullopt;

  Target target;
  target.base = scheme + "://" + host;
  target.base += path.empty() ? "/" : path;
  if (!url.empty()) target.query = url.substr(1);
  return target;
}

}  // namespace

std::optional<std::string> oauth1_base_string(const OAuth1Request& request, std::span<const FormPair> oauth) {
  const auto target = target_of(request.url);
  if (!target) return std::nullopt;

  // Encoded first and sorted then, by the bytes of the name and then of the value: section 3.4.1.3.2.
  std::vector<FormPair> fields;
  const auto add = [&fields](std::span<const FormPair> pairs) {
    for (const auto& [name, value] : pairs) fields.emplace_back(percent_encode(name), percent_encode(value));
  };
  add(form_decode(target->query));
  add(request.form);
  add(oauth);
  std::sort(fields.begin(), fields.end());

  std::string joined;
  for (const auto& [name, value] : fields) {
    if (!joined.empty()) joined.push_back('&');
    joined.append(name).append("=").append(value);
  }
  return upper_case(request.method) + "&" + percent_encode(target->base) + "&" + percent_encode(joined);
}

std::string oauth1_signature(std::string_view base_string, std::string_view consumer_secret,
                             std::string_view token_secret) {
  const HmacKey key(Hash::sha1, percent_encode(consumer_secret) + "&" + percent_encode(token_secret));
  return to_base64(key.sign({base_string}).str());
}

std::optional<std::string> oauth1_authorization(const OAuth1Request& request, const OAuth1Credentials& credentials,
                                                std::int64_t seconds, std::string_view nonce) {
  std::vector<FormPair> oauth{{"oauth_consumer_key", credentials.consumer_key},
                              {"oauth_nonce", std::string(nonce)},
                              {"oauth_signature_method", "HMAC-SHA1"},
                              {"oauth_timestamp", std::to_string(seconds)},
                              {"oauth_version", "1.0"}};
  if (!credentials.token.empty()) oauth.emplace_back("oauth_token", credentials.token);
  const auto base = oauth1_base_string(request, oauth);
  if (!base) return std::nullopt;
  oauth.emplace_back("oauth_signature", oauth1_signature(*base, credentials.consumer_secret, credentials.token_secret));
  std::sort(oauth.begin(), oauth.end());  // any order would do; this is the one that X's examples have

  std::string header;
  for (const auto& [name, value] : oauth) {
    header += header.empty() ? "OAuth " : ", ";
    header += percent_encode(name) + "=\"" + percent_encode(value) + "\"";
  }
  return header;
}

}  // namespace triage::ingest
