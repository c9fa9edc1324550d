#include "net/forwarded.h"

#include <algorithm>

#include "net/text.h"

namespace triage::net {
namespace {

// "1.2.3.4", "1.2.3.4:80", "2001:db8::1", "[2001:db8::1]:80", each perhaps quoted. Nothing for "unknown" and "_hidden".
std::optional<IpAddress> parse_node(std::string_view node) {
  node = trim(node);
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = trim(node.substr(1, node.size() - 2));
  if (!node.empty() && node.front() == '[') {
    const std::size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return IpAddress::parse(node.substr(1, end - 1));
  }
  if (std::count(node.begin(), node.end(), ':') == 1) node = node.substr(0, node.find(':'));
  return IpAddress::parse(node);
}

// Splits at `separator` outside of quotes.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == separator && !quoted) {
      out.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  out.push_back(text.substr(start));
  return out;
}

using Hops = std::vector<std::optional<IpAddress>>;  // left to right; nothing where it cannot be read

Hops x_forwarded_for(const Headers& headers) {
  Hops hops;
  for (const auto& [name, value] : headers) {
    if (!iequals(name, "X-Forwarded-For")) continue;
    for (const auto item : split(value, ',')) hops.push_back(parse_node(item));
  }
  return hops;
}

Hops forwarded_for(const Headers& headers) {
  Hops hops;
  for (const auto& [name, value] : headers) {
    if (!iequals(name, "Forwarded")) continue;
    for (const auto element : split(value, ',')) {
      std::optional<IpAddress> hop;
      for (const auto pair : split(element, ';')) {
        const std::string_view text = trim(pair);
        if (istarts_with(text, "for=")) hop = parse_node(text.substr(4));
      }
      hops.push_back(hop);
    }
  }
  return hops;
}

bool contains(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(), [&](const Network& n) { return n.contains(address); });
}

IpAddress walk(const IpAddress& peer, const Hops& hops, const std::vector<Network>& trusted) {
  IpAddress at = peer;
  for (auto hop = hops.rbegin(); hop != hops.rend() && contains(trusted, at); ++hop) {
    if (!*hop) break;
    at = **hop;
  }
  return at;
}

}  // namespace

bool is_forwarding_header(std::string_view name) {
  return istarts_with(name, "x-forwarded-") || iequals(name, "forwarded") || iequals(name, "via") ||
         iequals(name, "x-real-ip");
}

Peer make_peer(const std::string& address, const std::vector<Network>& trusted) {
  Peer peer;
  // A zone (fe80::1%eth0) is no part of the address.
  peer.address = IpAddress::parse(std::string_view(address).substr(0, address.find('%'))).value_or(IpAddress{});
  peer.text = peer.address.str();
  peer.trusted = contains(trusted, peer.address);
  return peer;
}

std::string client_address(const Peer& peer, const Headers& headers, const std::vector<Network>& trusted) {
  if (!peer.trusted) return peer.text;
  const Hops x = x_forwarded_for(headers);
  const Hops standard = forwarded_for(headers);
  const IpAddress by_x = walk(peer.address, x, trusted);
  const IpAddress by_standard = walk(peer.address, standard, trusted);
  if (standard.empty()) return by_x.str();
  if (x.empty()) return by_standard.str();
  return by_x == by_standard ? by_x.str() : peer.text;
}

}  // namespace triage::net
