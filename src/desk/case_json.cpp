#include "desk/case_json.h"

#include <algorithm>

#include "triage/model/json.h"

namespace triage::desk {

using nlohmann::ordered_json;

namespace {

ordered_json time_json(const std::optional<Time>& time) {
  return time ? ordered_json(format_time(*time)) : ordered_json(nullptr);
}

ordered_json customer_json(const std::optional<store::AuthorRecord>& author, int earlier_cases) {
  if (!author) return nullptr;
  ordered_json out{{"id", author->id.str()},
                   {"native_id", author->author.native_id},
                   {"handle", author->author.handle},
                   {"name", author->author.name}};
  out["followers"] = author->author.followers ? ordered_json(*author->author.followers) : ordered_json(nullptr);
  out["verified"] = author->author.verified ? ordered_json(*author->author.verified) : ordered_json(nullptr);
  out["first_seen"] = format_time(author->first_seen);
  out["earlier_cases"] = std::max(0, earlier_cases);
  return out;
}

// What a queue item and a whole case have in common.
ordered_json head_json(const store::CaseRecord& c) {
  ordered_json out;
  out["id"] = c.id.str();
  out["version"] = c.version;
  out["state"] = to_string(c.state);
  out["team"] = c.team;
  if (c.claim) {
    out["assignee"] = {
        {"token", c.claim->token.str()}, {"name", c.claim->name}, {"lease_until", format_time(c.claim->until)}};
  } else {
    out["assignee"] = nullptr;
  }
  out["moment"] = to_string(c.moment);
  out["priority"] = to_string(c.priority);
  out["queue_priority"] = to_string(store::queue_band(c));
  out["urgency"] = c.urgency;
  out["intent"] = to_string(c.intent);
  out["topic"] = to_string(c.topic);
  out["actionable"] = c.actionable;
  out["language"] = c.language;
  out["site"] = c.site ? ordered_json(*c.site) : ordered_json(nullptr);
  out["platform"] = c.platform;
  out["brand_account"] = c.brand_account;
  out["opened_at"] = format_time(c.opened_at);
  out["updated_at"] = format_time(c.updated_at);
  out["last_post_at"] = format_time(c.last_post_at);
  out["reopened"] = c.reopened;
  out["clocks"]["first_response"] = {{"due_at", time_json(c.first_response_due)},
                                     {"rule", c.decision.first_response_rule},
                                     {"waiting_since", time_json(c.waiting_since)},
                                     {"answered_at", time_json(c.first_response_at)},
                                     {"overdue", c.overdue}};
  return out;
}

int earlier(const store::CaseRecord& c, const std::optional<store::AuthorRecord>& author) {
  return author ? author->cases - (c.actionable ? 1 : 0) : 0;
}

}  // namespace

std::string dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json post_json(const store::PostRecord& record) {
  nlohmann::json plain = record.post;
  ordered_json out = plain;
  out["id"] = record.post.id.str();
  out["state"] = to_string(record.state);
  out["verdict"] = nullptr;
  if (record.verdict) {
    const nlohmann::json verdict = *record.verdict;
    out["verdict"] = verdict;
  }
  return out;
}

ordered_json queue_item_json(const store::QueueItem& item) {
  ordered_json out = head_json(item.c);
  out["customer"] = customer_json(item.author, earlier(item.c, item.author));
  out["posts"] = ordered_json::array({post_json(item.newest)});
  return out;
}

ordered_json escalation_json(const store::EscalationRecord& e) {
  ordered_json out{{"id", e.id.str()},
                   {"case_id", e.case_id.str()},
                   {"ladder", e.ladder},
                   {"state", to_string(e.state)},
                   {"level", e.level}};
  out["team"] = e.level >= 0 ? ordered_json(e.rungs[static_cast<std::size_t>(e.level)].team) : ordered_json(nullptr);
  out["rungs"] = ordered_json::array();
  for (const auto& rung : e.rungs)
    out["rungs"].push_back({{"after", format_duration(rung.after)}, {"team", rung.team}});
  out["reason"] = e.reason;
  out["raised_at"] = format_time(e.raised_at);
  out["ack_by"] = time_json(e.ack_by);
  out["acknowledged_at"] = time_json(e.acknowledged_at);
  out["resolved_at"] = time_json(e.resolved_at);
  out["answered_by"] = e.answered_by.empty() ? ordered_json(nullptr) : ordered_json(e.answered_by);
  out["note"] = e.note;
  out["eta"] = e.eta;
  out["action"] = e.action;
  return out;
}

ordered_json note_json(const store::NoteRecord& note) {
  return {{"id", note.id.str()}, {"at", format_time(note.at)}, {"by", note.name}, {"text", note.text}};
}

ordered_json reply_json(const store::ReplyRecord& reply) {
  ordered_json out{
      {"id", reply.id.str()}, {"state", to_string(reply.state)}, {"post", reply.post.str()}, {"source", reply.source},
      {"by", reply.name},     {"at", format_time(reply.at)},     {"text", reply.text}};
  out["sent_at"] = time_json(reply.sent_at);
  out["native_id"] = reply.native_id.empty() ? ordered_json(nullptr) : ordered_json(reply.native_id);
  out["url"] = reply.url.empty() ? ordered_json(nullptr) : ordered_json(reply.url);
  out["error"] = reply.error.empty() ? ordered_json(nullptr) : ordered_json(reply.error);
  out["delivery"] = reply.delivery.str();
  return out;
}

// Our own post is a reply from here that came back: it is told once.
bool from_here(const WholeCase& whole, const store::PostRecord& own) {
  return std::any_of(whole.replies.begin(), whole.replies.end(), [&](const store::ReplyRecord& reply) {
    return reply.source == own.post.source && reply.native_id == own.post.native_id;
  });
}

ordered_json case_json(const WholeCase& whole) {
  ordered_json out = head_json(whole.c);
  out["customer"] = customer_json(whole.author, earlier(whole.c, whole.author));
  if (whole.author) {
    auto& history = out["customer"]["history"] = ordered_json::array();
    for (const auto& c : whole.history) {
      if (c.id == whole.c.id) continue;
      history.push_back({{"id", c.id.str()},
                         {"state", to_string(c.state)},
                         {"moment", to_string(c.moment)},
                         {"priority", to_string(c.priority)},
                         {"topic", to_string(c.topic)},
                         {"platform", c.platform},
                         {"opened_at", format_time(c.opened_at)},
                         {"outcome", c.outcome ? ordered_json(to_string(*c.outcome)) : ordered_json(nullptr)}});
    }
  }
  out["posts"] = ordered_json::array();
  out["replies"] = ordered_json::array();
  std::vector<std::pair<Time, ordered_json>> replies;
  for (const auto& reply : whole.replies) replies.emplace_back(reply.at, reply_json(reply));
  for (const auto& post : whole.posts) {
    if (post.state != store::PostState::own) {
      out["posts"].push_back(post_json(post));
    } else if (!from_here(whole, post)) {
      replies.emplace_back(post.post.created_at, post_json(post));
    }
  }
  std::stable_sort(replies.begin(), replies.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [at, reply] : replies) out["replies"].push_back(std::move(reply));
  out["notes"] = ordered_json::array();
  for (const auto& note : whole.notes) out["notes"].push_back(note_json(note));
  out["escalations"] = ordered_json::array();
  for (const auto& e : whole.escalations) out["escalations"].push_back(escalation_json(e));
  const nlohmann::json decision = whole.c.decision;
  out["decision"] = decision;
  out["resolved_at"] = time_json(whole.c.resolved_at);
  out["outcome"] = whole.c.outcome ? ordered_json(to_string(*whole.c.outcome)) : ordered_json(nullptr);
  out["resolution_note"] = whole.c.resolution_note;
  return out;
}

ordered_json timeline_json(const WholeCase& whole) {
  std::vector<std::pair<Time, ordered_json>> entries;
  for (const auto& p : whole.posts) {
    const bool own = p.state == store::PostState::own;
    if (own && from_here(whole, p)) continue;
    ordered_json entry{{"at", format_time(p.post.received_at)},
                       {"type", own ? "reply" : "post"},
                       {"actor", own ? "brand" : "customer"},
                       {"post", post_json(p)}};
    entries.emplace_back(p.post.received_at, std::move(entry));
  }
  for (const auto& reply : whole.replies) {
    ordered_json entry{{"at", format_time(reply.at)}, {"type", "reply"}, {"actor", reply.name}};
    entry["reply"] = reply_json(reply);
    entries.emplace_back(reply.at, std::move(entry));
  }
  for (const auto& n : whole.notes) {
    entries.emplace_back(n.at, ordered_json{{"at", format_time(n.at)},
                                            {"type", "note"},
                                            {"actor", n.name},
                                            {"note", {{"id", n.id.str()}, {"text", n.text}}}});
  }
  for (const auto& e : whole.events) {
    ordered_json entry{{"at", format_time(e.at)}, {"type", e.type}, {"actor", e.actor}};
    entry["data"] = e.data.empty() ? ordered_json::object() : ordered_json::parse(e.data, nullptr, false);
    entries.emplace_back(e.at, std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  ordered_json items = ordered_json::array();
  for (auto& [at, entry] : entries) items.push_back(std::move(entry));
  return {{"items", std::move(items)}, {"next_cursor", nullptr}};
}

ordered_json delivery_json(const store::DeliveryRecord& d) {
  const bool to_team = d.to.kind == store::Destination::Kind::team;
  ordered_json out{{"id", d.id.str()}};
  out["team"] = to_team ? ordered_json(d.to.name) : ordered_json(nullptr);
  out["source"] = to_team ? ordered_json(nullptr) : ordered_json(d.to.name);
  out["type"] = d.type;
  out["state"] = to_string(d.state);
  out["case_id"] = d.case_id ? ordered_json(d.case_id->str()) : ordered_json(nullptr);
  out["escalation_id"] = d.escalation ? ordered_json(d.escalation->str()) : ordered_json(nullptr);
  out["attempts"] = d.attempts;
  out["created_at"] = format_time(d.created_at);
  out["next_attempt_at"] =
      d.state == store::DeliveryState::waiting ? ordered_json(format_time(d.next_attempt_at)) : ordered_json(nullptr);
  out["done_at"] = time_json(d.done_at);
  out["last_status"] = d.last_status == 0 ? ordered_json(nullptr) : ordered_json(d.last_status);
  out["last_error"] = d.last_error;
  return out;
}

}  // namespace triage::desk
