// parse_url: strict, because what it lets through is where a signed callback with customers' words in it goes. An error
// never quotes the URL: some carry their secret in the path.
#include <algorithm>
#include <charconv>

#include "net/text.h"
#include "triage/net/client.h"

namespace triage::net {
namespace {

Error bad(std::string detail) {
  return make_error(ErrorCode::unprocessable, "not a URL that can be called: " + detail);
}

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A DNS name as it stands in a URL: labels of letters, digits, '-' and '_'. Dotted quads look the same.
bool is_host_name(std::string_view host) {
  if (host.size() > 253) return false;
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  while (true) {
    const std::string_view label = host.substr(0, host.find('.'));
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_'; })) {
      return false;
    }
    if (label.size() == host.size()) return true;
    host.remove_prefix(label.size() + 1);
  }
}

bool is_target_char(char c) {
  return is_alnum(c) || std::string_view("-._~:/?[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  for (const std::string_view scheme : {"https", "http"}) {
    if (istarts_with(text, scheme) && text.substr(scheme.size(), 3) == "://") {
      url.scheme = scheme;
      text.remove_prefix(scheme.size() + 3);
      break;
    }
  }
  if (url.scheme.empty()) return bad("expected it to start with https:// or http://");

  const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, end);
  const std::string_view target = text.substr(end);
  if (authority.find('@') != std::string_view::npos) return bad("it must not hold user information (name:password@)");

  std::string_view host = authority;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad("the [ of its host is not closed");
    host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
    const auto address = IpAddress::parse(host);
    if (!address || host.find(':') == std::string_view::npos) return bad("what stands in [] is not an IPv6 address");
  } else {
    host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(host.size());
    if (!is_host_name(host)) return bad("its host is not a name or an address");
  }
  std::transform(host.begin(), host.end(), std::back_inserter(url.host), lower);

  url.port = url.scheme == "https" ? "443" : "80";
  if (!authority.empty()) {
    const std::string_view digits = authority.substr(1);
    unsigned port = 0;
    const auto [last, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (authority.front() != ':' || ec != std::errc() || last != digits.data() + digits.size() || port < 1 ||
        port > 65535) {
      return bad("its port is not a number from 1 to 65535");
    }
    url.port = std::to_string(port);
  }

  if (target.find('#') != std::string_view::npos) return bad("it must not have a fragment (#)");
  if (!std::all_of(target.begin(), target.end(), is_target_char)) {
    return bad("its path or query has a character that must be percent-encoded");
  }
  std::string decoded;
  if (!percent_decode(target, false, decoded)) return bad("its percent-encoding is broken");
  url.target = target;
  if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
  return url;
}

}  // namespace triage::net
