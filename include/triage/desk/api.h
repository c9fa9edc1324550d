// The agents' and operations teams' REST calls. Knows cases, neither sockets nor SQL.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "triage/desk/access.h"
#include "triage/desk/effects.h"
#include "triage/desk/policy.h"
#include "triage/net/server.h"
#include "triage/net/signal.h"
#include "triage/store/store.h"

namespace triage::desk {

// True when the call may go on; the seconds to wait otherwise.
using RateCheck = std::function<std::optional<std::chrono::seconds>(std::string_view key)>;

struct ApiContext {
  store::Store& store;
  const PolicyHolder& policy;
  Access& access;
  net::Signal& queue_changed;  // raised after each commit that changed cases
  TellEffects tell;
  RateCheck token_rate;    // by token
  RateCheck address_rate;  // by address, for calls without a valid token
  std::size_t body_bytes = 1 << 20;
};

// The routes below /v1 but the hooks. The context must outlive the server that serves them.
std::vector<net::Route> api_routes(std::shared_ptr<const ApiContext> context);

// The same door (token, rate, errors) for a call of another room, open to every role.
net::Handler for_any_token(std::shared_ptr<const ApiContext> context, net::Handler handler);

}  // namespace triage::desk
