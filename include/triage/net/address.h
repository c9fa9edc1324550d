// IP addresses and networks, IPv4 and IPv6 alike. No name resolution, no sockets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "triage/model/error.h"

namespace triage::net {

// An address as 16 bytes; IPv4 (and IPv4 mapped into IPv6, which is the same host) is ::ffff:a.b.c.d.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  // Dotted quad or RFC 4291 text, without a port, brackets or a zone.
  static std::optional<IpAddress> parse(std::string_view text);
  bool is_v4() const;
  std::string str() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

// A CIDR network: "10.0.0.0/8", "fd00::/8"; an address alone is a network of one.
class Network {
 public:
  // The error says what is wrong and what was expected. Bits beyond the prefix are ignored.
  static Result<Network> parse(std::string_view text);

  bool contains(const IpAddress& address) const;

 private:
  IpAddress base_;
  unsigned prefix_ = 128;  // counted in the 16-byte form
  bool v4_ = false;        // ::/0 is every IPv6 address and no IPv4 one
};

// True for an address that the public internet routes to: not loopback, private (RFC 1918), link-local, carrier NAT,
// unique local, multicast, unspecified, documentation or reserved, nor an IPv4 one of these mapped or embedded in IPv6
// (IANA special-purpose registries, RFC 6890; every entry of theirs counts as not public).
bool is_public_address(std::string_view ip);
bool is_public_address(const IpAddress& address);

}  // namespace triage::net
