// The names of the records' enumerations, as the database and the wire spell them, and the queue's bands.
#include "triage/store/records.h"

#include <algorithm>

#include "model/names.h"

namespace triage::store {
namespace {

constexpr Names<PostState, 5> kPostStates{{{PostState::judged, "judged"},
                                           {PostState::pending, "pending"},
                                           {PostState::own, "own"},
                                           {PostState::share, "share"},
                                           {PostState::deleted, "deleted"}}};

constexpr Names<CaseState, 6> kCaseStates{{{CaseState::fresh, "new"},
                                           {CaseState::claimed, "claimed"},
                                           {CaseState::waiting_customer, "waiting_customer"},
                                           {CaseState::waiting_ops, "waiting_ops"},
                                           {CaseState::resolved, "resolved"},
                                           {CaseState::closed, "closed"}}};

constexpr Names<Outcome, 4> kOutcomes{{{Outcome::resolved_in_moment, "resolved_in_moment"},
                                       {Outcome::resolved_after_care, "resolved_after_care"},
                                       {Outcome::unresolved, "unresolved"},
                                       {Outcome::no_action, "no_action"}}};

constexpr Names<EscalationState, 4> kEscalationStates{{{EscalationState::open, "open"},
                                                       {EscalationState::acknowledged, "acknowledged"},
                                                       {EscalationState::resolved, "resolved"},
                                                       {EscalationState::ended, "ended"}}};

constexpr Names<DeliveryState, 6> kDeliveryStates{{{DeliveryState::waiting, "waiting"},
                                                   {DeliveryState::sending, "sending"},
                                                   {DeliveryState::delivered, "delivered"},
                                                   {DeliveryState::dead, "dead"},
                                                   {DeliveryState::cancelled, "cancelled"},
                                                   {DeliveryState::held, "held"}}};

constexpr Names<ReplyState, 4> kReplyStates{{{ReplyState::waiting, "waiting"},
                                             {ReplyState::sent, "sent"},
                                             {ReplyState::failed, "failed"},
                                             {ReplyState::unknown, "unknown"}}};

constexpr Names<DueKind, 3> kDueKinds{
    {{DueKind::rung, "rung"}, {DueKind::first_response, "first_response"}, {DueKind::lease_end, "lease_end"}}};

constexpr Names<Role, 4> kRoles{
    {{Role::agent, "agent"}, {Role::ops, "ops"}, {Role::supervisor, "supervisor"}, {Role::admin, "admin"}}};

}  // namespace

std::string_view to_string(PostState state) {
  return name_of(kPostStates, state);
}
std::optional<PostState> parse_post_state(std::string_view text) {
  return value_of(kPostStates, text);
}

std::string_view to_string(CaseState state) {
  return name_of(kCaseStates, state);
}
std::optional<CaseState> parse_case_state(std::string_view text) {
  return value_of(kCaseStates, text);
}

std::string_view to_string(Outcome outcome) {
  return name_of(kOutcomes, outcome);
}
std::optional<Outcome> parse_outcome(std::string_view text) {
  return value_of(kOutcomes, text);
}

std::string_view to_string(EscalationState state) {
  return name_of(kEscalationStates, state);
}
std::optional<EscalationState> parse_escalation_state(std::string_view text) {
  return value_of(kEscalationStates, text);
}

std::string_view to_string(ReplyState state) {
  return name_of(kReplyStates, state);
}
std::optional<ReplyState> parse_reply_state(std::string_view text) {
  return value_of(kReplyStates, text);
}

std::string label(const Destination& to) {
  return (to.kind == Destination::Kind::team ? "team " : "source ") + to.name;
}

std::string_view to_string(DeliveryState state) {
  return name_of(kDeliveryStates, state);
}
std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  return value_of(kDeliveryStates, text);
}

std::string_view to_string(DueKind kind) {
  return name_of(kDueKinds, kind);
}
std::optional<DueKind> parse_due_kind(std::string_view text) {
  return value_of(kDueKinds, text);
}

std::string_view to_string(Role role) {
  return name_of(kRoles, role);
}
std::optional<Role> parse_role(std::string_view text) {
  return value_of(kRoles, text);
}

Priority queue_band(const CaseRecord& c) {
  if (!c.overdue) return c.priority;
  return static_cast<Priority>(std::min(static_cast<int>(c.priority) + 1, static_cast<int>(Priority::critical)));
}

}  // namespace triage::store
