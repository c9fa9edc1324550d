// Who the client is when proxies stand between. Only what a trusted proxy has written is believed.
#pragma once

#include <string>
#include <vector>

#include "triage/net/address.h"
#include "triage/net/http.h"

namespace triage::net {

// True for a header that a proxy adds: Forwarded, Via, X-Real-IP, X-Forwarded-*.
bool is_forwarding_header(std::string_view name);

// The other end of one connection, worked out once at accept.
struct Peer {
  IpAddress address;
  std::string text;
  bool trusted = false;  // is one of the trusted proxies
};

Peer make_peer(const std::string& address, const std::vector<Network>& trusted);

// The client's address: X-Forwarded-For (or Forwarded) read from the right for as long as the hop that wrote an entry
// is trusted. Where both headers are there and disagree, one of them came through unchecked from outside, so neither is
// believed and the answer is the peer.
std::string client_address(const Peer& peer, const Headers& headers, const std::vector<Network>& trusted);

}  // namespace triage::net
