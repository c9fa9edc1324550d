// What the desk goes by: the configured rules, as one immutable value that a reload replaces whole.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "triage/classify/classifier.h"
#include "triage/deliver/payload.h"
#include "triage/desk/platforms.h"
#include "triage/route/router.h"

namespace triage::desk {

struct Team {
  bool has_callback = false;
  std::string callback_url;  // for people: never with a secret in it
  deliver::Include include;
};

struct Policy {
  Policy(route::Plan plan) : router(std::move(plan)) {}

  route::Router router;
  std::map<std::string, Team, std::less<>> teams;
  std::shared_ptr<const Platforms> platforms;  // null: none can be answered or asked
  classify::FactorWeights factors;
  Duration join_within = std::chrono::hours(24);    // of the case's last post
  Duration reopen_within = std::chrono::hours(72);  // of its resolution
  Duration repeat_every = std::chrono::minutes(5);  // escalation.repeated at most so often
  Duration lease = std::chrono::seconds(300);
  Duration lease_max = std::chrono::hours(8);
  Duration queue_wait_max = std::chrono::seconds(60);
  Duration writer_wait = std::chrono::milliseconds(1500);
  std::string public_url;  // without a slash at its end; "" when there is none
  std::string link_key;    // signs acknowledge links; secret
  Duration link_ttl = std::chrono::hours(48);
};

// The policy in force. Thread-safe; readers keep what they got.
class PolicyHolder {
 public:
  explicit PolicyHolder(std::shared_ptr<const Policy> policy) : policy_(std::move(policy)) {}

  std::shared_ptr<const Policy> get() const {
    std::lock_guard lock(mutex_);
    return policy_;
  }
  void set(std::shared_ptr<const Policy> policy) {
    std::lock_guard lock(mutex_);
    policy_.swap(policy);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Policy> policy_;
};

}  // namespace triage::desk
