// links: triage_net
//
// Any text: a URL that is taken has all its parts, and no address that is written in two ways is public in one of them
// only.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "triage/net/address.h"
#include "triage/net/client.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace triage::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto url = parse_url(text)) {
    CHECK(url->scheme == "http" || url->scheme == "https");
    CHECK(!url->host.empty());
    CHECK(!url->port.empty() && url->port.find_first_not_of("0123456789") == std::string::npos);
    CHECK(url->target.starts_with('/'));
    // Nothing of it can end the request line or begin another header.
    for (const std::string* part : {&url->host, &url->port, &url->target}) {
      for (const char c : *part) CHECK(static_cast<unsigned char>(c) > 0x20 && c != 0x7f);
    }
    CHECK(url->host.find_first_of("/@?#[]") == std::string::npos);
  } else {
    CHECK(!url.error().detail.empty());
  }

  const auto address = IpAddress::parse(text);
  const bool is_public = is_public_address(text);
  CHECK(address.has_value() || !is_public);
  if (address) {
    CHECK(is_public == is_public_address(*address));
    const auto again = IpAddress::parse(address->str());
    CHECK(again.has_value() && *again == *address);
    CHECK(Network::parse(text).has_value());
    CHECK(Network::parse(text)->contains(*address));
  }
  if (const auto network = Network::parse(text); !network) CHECK(!network.error().detail.empty());
  return 0;
}
