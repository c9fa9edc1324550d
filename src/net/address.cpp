#include "triage/net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace triage::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool same_prefix(const IpAddress& a, const IpAddress& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + static_cast<std::ptrdiff_t>(whole), b.bytes.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (a.bytes[whole] & mask) == (b.bytes[whole] & mask);
}

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", text.substr(0, 64));
}

Network known(std::string_view text) {
  return Network::parse(text).value();
}

// The IPv4 address that stands at `offset` within an IPv6 one.
IpAddress embedded_v4(const IpAddress& address, std::size_t offset) {
  IpAddress out;
  std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(offset), 4, out.bytes.begin() + 12);
  return out;
}

bool is_public_v4(const IpAddress& address) {
  static const std::array kSpecial{
      known("0.0.0.0/8"),                                  // this network
      known("10.0.0.0/8"),                                 // private
      known("100.64.0.0/10"),                              // carrier NAT
      known("127.0.0.0/8"),                                // loopback
      known("169.254.0.0/16"),                             // link-local, and the metadata services of clouds
      known("172.16.0.0/12"),                              // private
      known("192.0.0.0/24"),                               // IETF protocol assignments
      known("192.0.2.0/24"),                               // documentation
      known("192.31.196.0/24"), known("192.175.48.0/24"),  // AS112
      known("192.52.193.0/24"),                            // AMT
      known("192.88.99.0/24"),                             // 6to4 relays
      known("192.168.0.0/16"),                             // private
      known("198.18.0.0/15"),                              // benchmarking
      known("198.51.100.0/24"), known("203.0.113.0/24"),   // documentation
      known("224.0.0.0/4"),                                // multicast
      known("240.0.0.0/4"),                                // reserved, broadcast
  };
  return std::none_of(kSpecial.begin(), kSpecial.end(), [&](const Network& n) { return n.contains(address); });
}

bool is_public_v6(const IpAddress& address) {
  static const Network kNat64 = known("64:ff9b::/96");
  static const Network k6to4 = known("2002::/16");
  static const Network kGlobal = known("2000::/3");  // all that is allocated as global unicast
  static const std::array kSpecial{
      known("2001::/23"),          // IETF protocol assignments: Teredo, benchmarking, ORCHID, AMT, AS112
      known("2001:db8::/32"),      // documentation
      known("2620:4f:8000::/48"),  // AS112
      known("3fff::/20"),          // documentation
  };
  if (kNat64.contains(address)) return is_public_v4(embedded_v4(address, 12));
  if (k6to4.contains(address)) return is_public_v4(embedded_v4(address, 2));
  if (!kGlobal.contains(address)) return false;
  return std::none_of(kSpecial.begin(), kSpecial.end(), [&](const Network& n) { return n.contains(address); });
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  IpAddress out;
  if (inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1) return out;
  std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
  if (inet_pton(AF_INET, copy.c_str(), out.bytes.data() + 12) == 1) return out;
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

std::string IpAddress::str() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4()) {
    inet_ntop(AF_INET, bytes.data() + 12, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  }
  return text.data();
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) {
    return make_error(ErrorCode::unprocessable,
                      quoted(text) + " is not a network: expected an address with a prefix length, such as 10.0.0.0/8");
  }
  Network out;
  out.base_ = *base;
  out.v4_ = base->is_v4();
  if (slash == std::string_view::npos) return out;

  const std::string_view digits = text.substr(slash + 1);
  const unsigned longest = out.v4_ ? 32 : 128;
  unsigned prefix = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (ec != std::errc() || end != digits.data() + digits.size() || prefix > longest) {
    return make_error(ErrorCode::unprocessable,
                      fmt::format("{} is not a network: expected a prefix length from 0 to {}", quoted(text), longest));
  }
  out.prefix_ = out.v4_ ? prefix + 96 : prefix;
  return out;
}

bool Network::contains(const IpAddress& address) const {
  return address.is_v4() == v4_ && same_prefix(address, base_, prefix_);
}

bool is_public_address(const IpAddress& address) {
  return address.is_v4() ? is_public_v4(address) : is_public_v6(address);
}

bool is_public_address(std::string_view ip) {
  const auto address = IpAddress::parse(ip);
  return address && is_public_address(*address);
}

}  // namespace triage::net
