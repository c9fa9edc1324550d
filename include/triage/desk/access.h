// Who calls: bearer tokens and what their roles may see. Secrets are kept as SHA-256 only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "triage/net/http.h"
#include "triage/net/runtime.h"
#include "triage/store/store.h"

namespace triage::desk {

struct Caller {
  TokenId token;
  std::string name;
  store::Role role = store::Role::agent;
  std::string team;  // "": all teams
};

// A new secret: "trg_" and 43 base64url characters, 256 random bits.
std::string make_token_secret();
std::string hash_token_secret(std::string_view secret);  // SHA-256, hex

// Whether the caller may see and work a case of that team, with those escalations.
bool may_see(const Caller& caller, const store::CaseRecord& c, const std::vector<store::EscalationRecord>& escalations);
bool called(const store::EscalationRecord& escalation, std::string_view team);  // one of its rungs so far is the team

// Tokens by their hash. A token made or revoked beside the server (`triaged token`) holds within a second.
class Access {
 public:
  Access(net::Runtime& runtime, store::Store& store);
  ~Access();

  void start();
  void stop();

  // The caller by the Authorization header. unauthenticated when there is none, or it is unknown or revoked.
  boost::asio::awaitable<Result<Caller>> authenticate(const net::Request& request);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace triage::desk
