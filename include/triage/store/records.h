// The rows of the durable truth, as the rooms see them. Plain structs.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "triage/model/decision.h"
#include "triage/model/id.h"
#include "triage/model/post.h"
#include "triage/model/verdict.h"

namespace triage::store {

// ---- customers ----------------------------------------------------------------------------------------------------

struct AuthorRecord {
  AuthorId id;
  std::string platform;
  Author author;
  Time first_seen{};
  int cases = 0;        // cases of this customer that were actionable, ever, on this platform
  bool is_new = false;  // made by this very upsert_author: there are no cases to look for
};

// ---- posts --------------------------------------------------------------------------------------------------------

enum class PostState { judged, pending, own, share, deleted };
std::string_view to_string(PostState state);
std::optional<PostState> parse_post_state(std::string_view text);

struct PostRecord {
  Post post;
  PostState state = PostState::judged;
  std::optional<AuthorId> author;
  std::optional<CaseId> case_id;  // never set for a share; for own posts when they join a case
  std::optional<Verdict> verdict;
  std::int64_t shares = 0;  // counted by the store (count_share); not written with the post
};

// What is known of a native post when an event about it arrives.
struct PostKey {
  PostId id;
  PostKind kind = PostKind::post;
  std::int64_t revision = 0;
  PostState state = PostState::judged;  // deleted: a tombstone; the post is not to be stored again
  std::optional<CaseId> case_id;
  bool any_kind = false;  // a tombstone that came first and did not say which kind it deletes
};

// A post to be judged again when there is time: a wish that outlives the process.
struct SecondLook {
  PostId post;
  int score = 0;  // the highest first
};

// What was asked for at once, of many.
struct Asked {
  std::size_t posts = 0;
  std::optional<PostId> last;  // of them; nothing when there were none
};

// ---- corrections ---------------------------------------------------------------------------------------------------

// The labels of one post, as a person or a judge gives them; by the labelling guideline.
struct PostLabels {
  std::optional<std::string> moment;  // in_the_moment, after_the_fact, neither
  std::optional<bool> actionable;
  std::optional<Intent> intent;
  std::optional<Topic> topic;
  std::optional<int> urgency;  // 0 to 3, the places of Priority
};

// What a person said of a post, and what the judge had said before any person did.
struct CorrectionRecord {
  std::int64_t seq = 0;  // given by the store; a post keeps its own when it is corrected again
  PostId post;
  CaseId case_id;
  TokenId token;
  std::string name;  // the token's, for people
  Time at{};
  std::int64_t revision = 0;  // of the text that the person read
  PostLabels labels;          // at least one
  std::string judge, model;
  PostLabels said;  // by that judge
};

struct CorrectedPost {
  CorrectionRecord correction;
  Post post;
};

// ---- cases --------------------------------------------------------------------------------------------------------

enum class CaseState { fresh /* "new" */, claimed, waiting_customer, waiting_ops, resolved, closed };
std::string_view to_string(CaseState state);
std::optional<CaseState> parse_case_state(std::string_view text);
inline bool is_open(CaseState state) {
  return state != CaseState::resolved && state != CaseState::closed;
}

enum class Outcome { resolved_in_moment, resolved_after_care, unresolved, no_action };
std::string_view to_string(Outcome outcome);
std::optional<Outcome> parse_outcome(std::string_view text);

// A lease on a case. The holder is the token.
struct Claim {
  TokenId token;
  std::string name;  // the token's name, for people
  Time until{};
};

struct CaseRecord {
  CaseId id;
  std::int64_t version = 1;  // grows with each change; the ETag
  CaseState state = CaseState::fresh;
  std::string team;
  std::optional<Claim> claim;
  std::string platform;
  std::string brand_account;
  std::optional<AuthorId> author;
  // The most urgent verdict of its posts since the brand's last reply.
  Moment moment = Moment::after_the_fact;
  Priority priority = Priority::low;
  double urgency = 0;
  Intent intent = Intent::other;
  Topic topic = Topic::other;
  std::string language;
  std::optional<std::string> site;
  bool actionable = false;  // one of its posts is
  bool overdue = false;     // past its first-response clock: stands one band higher in the queue
  Time opened_at{};
  Time updated_at{};
  Time last_post_at{};
  PostId newest_post;
  int posts_since_reply = 0;               // the customer's posts that nobody has answered
  std::optional<Time> waiting_since;       // created_at (at latest arrival) of the first of them
  std::optional<Time> first_response_due;  // while unanswered
  std::optional<Time> first_response_at;   // the brand's first reply
  std::optional<Time> resolved_at;
  std::optional<Outcome> outcome;
  std::string resolution_note;
  int reopened = 0;
  Decision decision;  // of the post that gave the verdict
};

// The band that orders the queue: priority, one higher when overdue.
Priority queue_band(const CaseRecord& c);

struct NoteRecord {
  NoteId id;
  CaseId case_id;
  Time at{};
  TokenId token;
  std::string name;
  std::string text;
};

// What happened to a case beside its posts and notes, for its timeline.
struct CaseEvent {
  std::int64_t seq = 0;  // ascending over all cases; given by the store
  CaseId case_id;
  Time at{};
  std::string type;   // "opened", "claimed", "released", "lease_ended", "resolved", "reopened", "escalated", …
  std::string actor;  // the token's name, "system", or a team
  std::string data;   // a JSON object
};

// ---- escalations and the outbox -----------------------------------------------------------------------------------

enum class EscalationState { open, acknowledged, resolved, ended };  // ended: the case was resolved or closed
std::string_view to_string(EscalationState state);
std::optional<EscalationState> parse_escalation_state(std::string_view text);

struct EscalationRecord {
  EscalationId id;
  CaseId case_id;
  std::string ladder;
  std::vector<Rung> rungs;  // as decided when it was raised
  int level = 0;            // the present rung, from 0
  EscalationState state = EscalationState::open;
  std::string reason;
  Time raised_at{};
  std::optional<Time> ack_by;          // when the next rung is called
  std::optional<Time> last_repeat_at;  // escalation.repeated at most every five minutes
  std::optional<Time> acknowledged_at;
  std::optional<Time> resolved_at;
  std::string answered_by;        // token name or team
  std::string note, eta, action;  // what ops said, for the agent to tell the customer
};

// Where a delivery goes.
struct Destination {
  enum class Kind { team /* its callback endpoint */, source /* the platform behind it */ };
  Kind kind = Kind::team;
  std::string name;
  friend auto operator<=>(const Destination&, const Destination&) = default;
};
inline Destination to_team(std::string name) {
  return {Destination::Kind::team, std::move(name)};
}
inline Destination to_source(std::string name) {
  return {Destination::Kind::source, std::move(name)};
}
std::string label(const Destination& to);  // for logs: "team airport-ops", "source x-main"

// sending: on its way, and never to be sent twice; only for what its platform would take twice.
enum class DeliveryState { waiting, sending, delivered, dead, cancelled, held };
std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view text);

struct DeliveryRecord {
  DeliveryId id;  // also the webhook-id, the same on every attempt
  Destination to;
  std::string type;  // "escalation.raised", …; to a source: "reply", "fetch"
  std::optional<CaseId> case_id;
  std::optional<EscalationId> escalation;
  // To a team: the exact bytes to send; built once, in the commit that ordered it. To a source: the document that its
  // call is made from, without secrets.
  std::string body;
  DeliveryState state = DeliveryState::waiting;
  int attempts = 0;
  Time created_at{};
  Time next_attempt_at{};
  std::optional<Time> done_at;
  int last_status = 0;     // HTTP; 0: none came
  std::string last_error;  // what went wrong last, for people
  bool in_doubt = false;   // one of the attempts may have arrived although no answer said so
};

// An endpoint that its team switched off (410, repeated), kept across restarts.
struct EndpointRecord {
  std::string team;
  bool enabled = true;
  std::string reason;
  Time changed_at{};
};

// ---- replies ------------------------------------------------------------------------------------------------------

// unknown: it was sent, and nobody knows whether it arrived.
enum class ReplyState { waiting, sent, failed, unknown };
std::string_view to_string(ReplyState state);
std::optional<ReplyState> parse_reply_state(std::string_view text);

// What an agent answered. It is sent by the delivery; when the platform tells of it as our own post, that is the same
// thing again.
struct ReplyRecord {
  ReplyId id;
  CaseId case_id;
  PostId post;         // that is answered
  std::string source;  // by which it is sent
  DeliveryId delivery;
  Time at{};
  TokenId token;
  std::string name;  // the token's, for people
  std::string text;
  ReplyState state = ReplyState::waiting;
  std::string native_id, url;  // as the platform calls it, once it is there
  std::optional<Time> sent_at;
  std::string error;  // why it failed, or has not gone yet; for people
};

// ---- pulls --------------------------------------------------------------------------------------------------------

// How far a platform was read: kept in the same commit as what was read.
struct CursorRecord {
  std::string source;
  std::string pull;    // the name of it in the source file
  std::string cursor;  // JSON: whatever the source file took from the last answer
  std::string etag, last_modified;
  Time changed_at{};
};

// ---- timetable ----------------------------------------------------------------------------------------------------

enum class DueKind { rung, first_response, lease_end };
std::string_view to_string(DueKind kind);
std::optional<DueKind> parse_due_kind(std::string_view text);

// One entry a (kind, subject): setting it again moves it.
struct Due {
  DueKind kind = DueKind::rung;
  std::string subject;  // the escalation's or case's id
  Time at{};
};

// ---- access -------------------------------------------------------------------------------------------------------

enum class Role { agent, ops, supervisor, admin };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

struct TokenRecord {
  TokenId id;
  std::string name;
  Role role = Role::agent;
  std::string team;  // "": all teams
  std::string hash;  // SHA-256 of the secret, hex
  Time created_at{};
  std::optional<Time> revoked_at;
  std::optional<Time> last_used_at;
};

struct IdempotentAnswer {
  std::string request_hash;  // of method, path and body
  int status = 0;
  std::string body;
  std::string etag;
};

// ---- queue --------------------------------------------------------------------------------------------------------

// Open cases that match every field that is set.
struct QueueFilter {
  std::vector<std::string> teams;  // empty: all
  std::optional<Moment> moment;
  std::optional<double> min_urgency;
  std::vector<Priority> priority;
  std::vector<std::string> platform;
  std::vector<std::string> site;
  std::vector<Topic> topic;
  std::vector<std::string> language;
  std::optional<std::string> assignee;  // token id or name; "none": unclaimed
  std::vector<CaseState> state;         // empty: all open ones
};

struct QueueItem {
  CaseRecord c;
  PostRecord newest;
  std::optional<AuthorRecord> author;
};

}  // namespace triage::store
