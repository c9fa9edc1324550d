// The body of a callback, as docs/openapi.yaml states it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "triage/store/records.h"

namespace triage::deliver {

// What of a post may leave the server for a team.
struct Include {
  bool post_text = true;             // of public posts
  bool direct_message_text = false;  // of direct messages: only where a team's `include` names it
  bool author = false;               // name, handle, followers; without it a callback has no personal data but the text
};

struct EscalationCallback {
  std::string_view type;  // "escalation.raised", "escalation.repeated", …
  const store::EscalationRecord* escalation = nullptr;
  const store::CaseRecord* c = nullptr;
  const store::AuthorRecord* author = nullptr;  // null: none known
  std::vector<const store::PostRecord*> posts;  // oldest first; the deleted are left out
  std::string_view team;                        // the present rung's team
  std::string ack_url;                          // "" when there is no public address for it
  Time now{};
};

// {"type", "timestamp", "data": {"escalation": {id, level, team, reason, raised_at, ack_by, ack_url, …}, "case": {…},
// "posts": […], "incident": null, "site": {…}|null}}, valid UTF-8. About 5 µs: it runs in the writer's transaction.
std::string escalation_body(const EscalationCallback& callback, const Include& include);

}  // namespace triage::deliver
