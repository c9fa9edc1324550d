// Names to addresses without blocking an io thread.
//
// Asio's own resolver has one background thread: a name whose DNS servers are dead holds it for half a minute, and with
// it every other endpoint's lookup. So lookups run here on threads of their own, started as they are needed up to a
// bound; a name that is being looked up is not looked up twice, so one dead name takes one thread however often it is
// asked for; and an answer is kept briefly, so a busy endpoint does not wait for DNS on each new connection.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "triage/net/address.h"

namespace triage::net {

class Resolver {
 public:
  Resolver();
  ~Resolver();  // does not wait for lookups that hang

  // The addresses of `host` (a name, or an address in any spelling that the system takes), in the system's order of
  // preference; at least one. Errors: bad_gateway with the system's reason, timeout.
  boost::asio::awaitable<Result<std::vector<IpAddress>>> resolve(std::string host, std::chrono::milliseconds timeout);

  // The one that all clients share.
  static Resolver& shared();

 private:
  struct Lookup;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace triage::net
