#include "triage/desk/escalations.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "desk/digest.h"
#include "desk/event_log.h"
#include "desk/outbox.h"

namespace triage::desk {

using store::CaseRecord;
using store::DeliveryRecord;
using store::EscalationRecord;
using store::EscalationState;
using store::PostRecord;

namespace {

// Callbacks carry the case's story, but not an endless one.
constexpr std::size_t kPostsInCallback = 10;

const std::string& team_of(const EscalationRecord& e) {
  return e.rungs[static_cast<std::size_t>(e.level)].team;
}

// Orders one callback to `team` about `e`. A team without a callback is told nothing: its people see the case's
// escalations in the console.
void order(store::Writer& writer, const Policy& policy, std::string_view type, const EscalationRecord& e,
           const CaseRecord& c, const store::AuthorRecord* author, const std::vector<const PostRecord*>& posts,
           const std::string& team, Time now, Effects& effects) {
  const auto found = policy.teams.find(team);
  if (found == policy.teams.end() || !found->second.has_callback) return;
  deliver::EscalationCallback callback;
  callback.type = type;
  callback.escalation = &e;
  callback.c = &c;
  callback.author = author;
  callback.posts = posts;
  callback.team = team;
  callback.ack_url = ack_link(policy, e.id, team, now);
  callback.now = now;

  DeliveryRecord d;
  d.to = store::to_team(team);
  d.type = std::string(type);
  d.case_id = c.id;
  d.escalation = e.id;
  d.body = deliver::escalation_body(callback, found->second.include);
  put_in_outbox(writer, std::move(d), now, effects);
}

// The same for a case read from the store, with all that its story needs.
void order(store::Writer& writer, const Policy& policy, std::string_view type, const EscalationRecord& e,
           const CaseRecord& c, const std::string& team, Time now, Effects& effects) {
  const auto posts = writer.posts_of_case(c.id);
  std::optional<store::AuthorRecord> author;
  if (c.author) author = writer.author(*c.author);
  std::vector<const PostRecord*> last;
  for (std::size_t i = posts.size() > kPostsInCallback ? posts.size() - kPostsInCallback : 0; i < posts.size(); ++i) {
    last.push_back(&posts[i]);
  }
  order(writer, policy, type, e, c, author ? &*author : nullptr, last, team, now, effects);
}

// Whether nothing reaches the team that stands on the present rung: its endpoint is switched off.
bool unreachable(store::Writer& writer, const EscalationRecord& e) {
  if (e.level < 0) return false;
  const auto endpoints = writer.endpoints();
  return std::any_of(endpoints.begin(), endpoints.end(), [&](const store::EndpointRecord& endpoint) {
    return !endpoint.enabled && endpoint.team == team_of(e);
  });
}

// Sets when the next rung is called: at its time, or at once where the present one cannot be reached. After an
// acknowledgement nobody is.
void plan_next_rung(store::Writer& writer, EscalationRecord& e, Time now, Effects& effects) {
  const auto next = static_cast<std::size_t>(e.level + 1);
  if (e.state != EscalationState::open || next >= e.rungs.size()) {
    e.ack_by.reset();
    writer.clear_due(store::DueKind::rung, e.id.view());
    return;
  }
  e.ack_by = e.raised_at + e.rungs[next].after;
  if (*e.ack_by > now && unreachable(writer, e)) e.ack_by = now;
  writer.set_due({store::DueKind::rung, e.id.str(), *e.ack_by});
  effects.due_at(*e.ack_by);
}

nlohmann::json answer_json(const EscalationRecord& e, const OpsAnswer& answer) {
  nlohmann::json data{{"escalation", e.id.str()}, {"ladder", e.ladder}};
  if (!answer.note.empty()) data["note"] = answer.note;
  if (!answer.eta.empty()) data["eta"] = answer.eta;
  if (!answer.action.empty()) data["action"] = answer.action;
  return data;
}

void keep_answer(EscalationRecord& e, const OpsAnswer& answer) {
  e.answered_by = answer.by;
  if (!answer.note.empty()) e.note = answer.note;
  if (!answer.eta.empty()) e.eta = answer.eta;
  if (!answer.action.empty()) e.action = answer.action;
}

Result<std::pair<EscalationRecord, CaseRecord>> load_live(store::Writer& writer, const EscalationId& id) {
  auto e = writer.escalation(id);
  if (!e) return make_error(ErrorCode::not_found, "no such escalation");
  auto c = writer.find_case(e->case_id);
  if (!c) return make_error(ErrorCode::not_found, "the escalation's case is gone");
  if (e->state == EscalationState::ended) {
    return make_error(ErrorCode::conflict, "the escalation has ended: its case was resolved or closed");
  }
  return std::pair{std::move(*e), std::move(*c)};
}

// Everyone called so far learns how it went, so that two teams do not work on one thing.
void tell_called(store::Writer& writer, const Policy& policy, std::string_view type, const EscalationRecord& e,
                 const CaseRecord& c, Time now, Effects& effects) {
  std::vector<std::string> told;
  for (int level = 0; level <= e.level; ++level) {
    const std::string& team = e.rungs[static_cast<std::size_t>(level)].team;
    if (std::find(told.begin(), told.end(), team) != told.end()) continue;
    told.push_back(team);
    order(writer, policy, type, e, c, team, now, effects);
  }
}

void touch_case(store::Writer& writer, CaseRecord& c, Time now, Effects& effects) {
  c.updated_at = now;
  writer.update_case(c);
  effects.queue = true;
}

std::string link_signature(const Policy& policy, const EscalationId& id, std::string_view team,
                           std::string_view expires) {
  std::string signed_text = "ack\n";
  signed_text.append(id.view()).append("\n").append(team).append("\n").append(expires);
  return hmac_sha256_hex(policy.link_key, signed_text);
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char ch : text) {
    const auto c = static_cast<unsigned char>(ch);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '_' || c == '.' || c == '~';
    if (unreserved) {
      out += ch;
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

}  // namespace

bool is_live(const EscalationRecord& e) {
  return e.state == EscalationState::open || e.state == EscalationState::acknowledged;
}

void escalate(store::Writer& writer, const Policy& policy, const CaseRecord& c, const PostRecord& post,
              const store::AuthorRecord* author, const Decision& decision, bool new_case, Time now, Effects& effects) {
  if (decision.ladder.empty() || decision.rungs.empty()) return;

  if (!new_case) {
    for (auto& e : writer.escalations_of_case(c.id)) {
      if (e.ladder != decision.ladder || !is_live(e)) continue;
      if (e.level < 0) return;  // nobody was called yet: the first call will carry this post
      const Time last = e.last_repeat_at.value_or(e.raised_at);
      if (now - last < policy.repeat_every) return;
      e.last_repeat_at = now;
      writer.update_escalation(e);
      order(writer, policy, "escalation.repeated", e, c, team_of(e), now, effects);
      log_event(writer, c.id, now, "escalation.repeated", "system",
                {{"escalation", e.id.str()}, {"team", team_of(e)}, {"post", post.post.id.str()}});
      return;
    }
  }

  EscalationRecord e;
  e.id = EscalationId::make(now);
  e.case_id = c.id;
  e.ladder = decision.ladder;
  e.rungs = decision.rungs;
  e.reason = decision.why;
  e.raised_at = now;
  e.level = -1;
  while (static_cast<std::size_t>(e.level + 1) < e.rungs.size() &&
         e.rungs[static_cast<std::size_t>(e.level + 1)].after <= Duration::zero()) {
    ++e.level;
  }
  plan_next_rung(writer, e, now, effects);
  writer.insert_escalation(e);
  for (int level = 0; level <= e.level; ++level) {
    const std::string& team = e.rungs[static_cast<std::size_t>(level)].team;
    if (new_case) {
      order(writer, policy, "escalation.raised", e, c, author, {&post}, team, now, effects);
    } else {
      order(writer, policy, "escalation.raised", e, c, team, now, effects);
    }
  }
  log_event(writer, c.id, now, "escalation.raised", "system",
            {{"escalation", e.id.str()}, {"ladder", e.ladder}, {"level", e.level}, {"why", decision.why}});
}

void climb(store::Writer& writer, const Policy& policy, const EscalationId& id, std::string_view why, Time now,
           Effects& effects) {
  auto e = writer.escalation(id);
  if (!e || e->state != EscalationState::open) return;
  if (static_cast<std::size_t>(e->level + 1) >= e->rungs.size()) return;
  auto c = writer.find_case(e->case_id);
  if (!c) return;
  ++e->level;
  plan_next_rung(writer, *e, now, effects);
  order(writer, policy, "escalation.raised", *e, *c, team_of(*e), now, effects);
  writer.update_escalation(*e);
  log_event(writer, c->id, now, "escalation.climbed", "system",
            {{"escalation", e->id.str()}, {"level", e->level}, {"team", team_of(*e)}, {"why", std::string(why)}});
  touch_case(writer, *c, now, effects);
}

void climb_past_unreachable(store::Writer& writer, const Policy& policy, Time now, Effects& effects) {
  for (const store::EndpointRecord& endpoint : writer.endpoints()) {
    if (endpoint.enabled) continue;
    store::Page page;
    page.limit = 500;
    for (;;) {
      const auto open = writer.escalations(EscalationState::open, endpoint.team, page);
      for (const auto& e : open) {
        if (e.level < 0 || team_of(e) != endpoint.team) continue;
        climb(writer, policy, e.id, "the endpoint of " + endpoint.team + " is switched off", now, effects);
      }
      if (open.size() < page.limit) break;
      page.after = open.back().id.str();
    }
  }
}

Result<EscalationRecord> acknowledge(store::Writer& writer, const Policy& policy, const EscalationId& id,
                                     const OpsAnswer& answer, Time now, Effects& effects) {
  auto loaded = load_live(writer, id);
  if (!loaded) return loaded.error();
  auto& [e, c] = *loaded;
  keep_answer(e, answer);
  const bool first = e.state == EscalationState::open;
  if (first) {
    e.state = EscalationState::acknowledged;
    e.acknowledged_at = now;
    plan_next_rung(writer, e, now, effects);
    tell_called(writer, policy, "escalation.acknowledged", e, c, now, effects);
  }
  writer.update_escalation(e);
  log_event(writer, c.id, now, "escalation.acknowledged", answer.by, answer_json(e, answer));
  touch_case(writer, c, now, effects);
  return e;
}

Result<EscalationRecord> resolve_escalation(store::Writer& writer, const Policy& policy, const EscalationId& id,
                                            const OpsAnswer& answer, Time now, Effects& effects) {
  auto loaded = load_live(writer, id);
  if (!loaded) return loaded.error();
  auto& [e, c] = *loaded;
  keep_answer(e, answer);
  const bool first = e.state != EscalationState::resolved;
  if (first) {
    e.state = EscalationState::resolved;
    if (!e.acknowledged_at) e.acknowledged_at = now;
    e.resolved_at = now;
    plan_next_rung(writer, e, now, effects);
    writer.cancel_deliveries(e.id, now, "the escalation was resolved");
    tell_called(writer, policy, "escalation.resolved", e, c, now, effects);
  }
  writer.update_escalation(e);
  log_event(writer, c.id, now, "escalation.resolved", answer.by, answer_json(e, answer));
  touch_case(writer, c, now, effects);
  return e;
}

void end_escalations(store::Writer& writer, const CaseId& id, std::string_view why, Time now) {
  for (auto& e : writer.escalations_of_case(id)) {
    if (!is_live(e)) continue;
    e.state = EscalationState::ended;
    e.ack_by.reset();
    e.resolved_at = now;
    writer.update_escalation(e);
    writer.clear_due(store::DueKind::rung, e.id.view());
    writer.cancel_deliveries(e.id, now, why);
    log_event(writer, id, now, "escalation.ended", "system", {{"escalation", e.id.str()}, {"why", std::string(why)}});
  }
}

std::string ack_link(const Policy& policy, const EscalationId& id, std::string_view team, Time now) {
  if (policy.public_url.empty()) return {};
  const auto expires = std::to_string(to_millis(now + policy.link_ttl) / 1000);
  return policy.public_url + "/v1/escalations/" + id.str() + "/ack?team=" + percent_encode(team) +
         "&expires=" + expires + "&signature=" + link_signature(policy, id, team, expires);
}

Result<std::string> check_ack_link(const Policy& policy, const EscalationId& id, std::string_view team,
                                   std::string_view expires, std::string_view signature, Time now) {
  const std::string expected = link_signature(policy, id, team, expires);
  if (policy.link_key.empty() || signature.size() != expected.size() ||
      CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) != 0) {
    return make_error(ErrorCode::forbidden, "this link is not one of ours, or it was changed");
  }
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (error != std::errc() || end != expires.data() + expires.size() || to_millis(now) / 1000 > seconds) {
    return make_error(ErrorCode::forbidden, "this link has expired; ask for the escalation in the console");
  }
  return std::string(team);
}

}  // namespace triage::desk
