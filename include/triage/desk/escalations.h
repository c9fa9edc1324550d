// The escalation ladder: raised, repeated, climbed, acknowledged, resolved, ended. Each call changes rows inside the
// writer's transaction and orders its callbacks in the outbox there.
#pragma once

#include <string>
#include <string_view>

#include "triage/desk/effects.h"
#include "triage/desk/policy.h"
#include "triage/store/store.h"

namespace triage::desk {

// Raised, and neither resolved nor ended.
bool is_live(const store::EscalationRecord& e);

// A post of `c` was decided to call someone: raises the ladder, or repeats it to the present rung when it is open
// already (at most every policy.repeat_every).
void escalate(store::Writer& writer, const Policy& policy, const store::CaseRecord& c, const store::PostRecord& post,
              const store::AuthorRecord* author, const Decision& decision, bool new_case, Time now, Effects& effects);

// The next rung is due. Nothing when the escalation is no longer open.
void climb(store::Writer& writer, const Policy& policy, const EscalationId& id, std::string_view why, Time now,
           Effects& effects);

// Open escalations that stand on the rung of a team whose endpoint is switched off climb at once. To be called when an
// endpoint was switched off, and at the start, for a switch-off that a crash cut short.
void climb_past_unreachable(store::Writer& writer, const Policy& policy, Time now, Effects& effects);

struct OpsAnswer {
  std::string by;      // token name or team
  std::string note;    // free text
  std::string eta;     // RFC 3339 or free text, as ops gave it
  std::string action;  // "second desk open 09:40"
};

// Both are idempotent: a second acknowledgement only adds what it says. `conflict` when it has ended.
Result<store::EscalationRecord> acknowledge(store::Writer& writer, const Policy& policy, const EscalationId& id,
                                            const OpsAnswer& answer, Time now, Effects& effects);
Result<store::EscalationRecord> resolve_escalation(store::Writer& writer, const Policy& policy, const EscalationId& id,
                                                   const OpsAnswer& answer, Time now, Effects& effects);

// The case was resolved or closed: what is open ends, and callbacks that still wait are cancelled.
void end_escalations(store::Writer& writer, const CaseId& id, std::string_view why, Time now);

// The signed, expiring link of a callback: /v1/escalations/{id}/ack?team=…&expires=…&signature=…
std::string ack_link(const Policy& policy, const EscalationId& id, std::string_view team, Time now);
// The team it was made for; forbidden when forged or expired.
Result<std::string> check_ack_link(const Policy& policy, const EscalationId& id, std::string_view team,
                                   std::string_view expires, std::string_view signature, Time now);

}  // namespace triage::desk
