// Builds the body of a callback. What a team may not see is decided here, in one place: a text that is withheld takes
// with it whatever repeats it (media, and the reasons of its verdict, whose cues are the customer's own words).
#include "triage/deliver/payload.h"

#include <cmath>

#include "triage/model/json_writer.h"

namespace triage::deliver {
namespace {

// As the API spells them (model/json.h): an urgency is cut to one digit, a weight rounded to three.
double one_digit(double urgency) {
  return std::floor(urgency * 10 + 1e-9) / 10;
}
double three_digits(double weight) {
  return std::round(weight * 1000) / 1000;
}

bool may_see_text(const Post& post, const Include& include) {
  return post.kind == PostKind::direct_message ? include.direct_message_text : include.post_text;
}

void put_if(JsonWriter& json, std::string_view key, std::string_view value) {
  if (!value.empty()) json.key(key).string(value);
}
void put_if(JsonWriter& json, std::string_view key, const std::optional<Time>& value) {
  if (value) json.key(key).time(*value);
}

void write_person(JsonWriter& json, const Author& author) {
  put_if(json, "handle", author.handle);
  put_if(json, "name", author.name);
  if (author.followers) json.key("followers").number(*author.followers);
  if (author.verified) json.key("verified").boolean(*author.verified);
}

void write_escalation(JsonWriter& json, const EscalationCallback& callback) {
  const store::EscalationRecord& escalation = *callback.escalation;
  json.begin_object();
  json.key("id").string(escalation.id.view());
  json.key("state").string(to_string(escalation.state));
  json.key("ladder").string(escalation.ladder);
  json.key("level").number(static_cast<std::int64_t>(escalation.level));
  json.key("team").string(callback.team);
  json.key("reason").string(escalation.reason);
  json.key("raised_at").time(escalation.raised_at);
  json.key("ack_by");
  escalation.ack_by ? json.time(*escalation.ack_by) : json.null();
  json.key("ack_url").string_or_null(callback.ack_url);
  put_if(json, "acknowledged_at", escalation.acknowledged_at);
  put_if(json, "resolved_at", escalation.resolved_at);
  put_if(json, "answered_by", escalation.answered_by);
  put_if(json, "note", escalation.note);
  put_if(json, "eta", escalation.eta);
  put_if(json, "action", escalation.action);
  json.end_object();
}

void write_case(JsonWriter& json, const EscalationCallback& callback, const Include& include,
                const store::PostRecord* newest) {
  const store::CaseRecord& c = *callback.c;
  json.begin_object();
  json.key("id").string(c.id.view());
  json.key("state").string(to_string(c.state));
  json.key("team").string(c.team);
  json.key("moment").string(to_string(c.moment));
  json.key("priority").string(to_string(c.priority));
  json.key("urgency").number(one_digit(c.urgency));
  json.key("topic").string(to_string(c.topic));
  json.key("intent").string(to_string(c.intent));
  json.key("site");
  c.site ? json.string(*c.site) : json.null();
  json.key("platform").string(c.platform);
  put_if(json, "brand_account", c.brand_account);
  put_if(json, "language", c.language);
  json.key("opened_at").time(c.opened_at);
  json.key("updated_at").time(c.updated_at);
  json.key("url").string_or_null(newest != nullptr ? std::string_view(newest->post.url) : std::string_view());
  if (include.author && callback.author != nullptr) {
    json.key("customer").begin_object();
    json.key("id").string(callback.author->id.view());
    write_person(json, callback.author->author);
    json.key("earlier_cases").number(static_cast<std::int64_t>(callback.author->cases));
    json.end_object();
  }
  json.end_object();
}

void write_verdict(JsonWriter& json, const Verdict& verdict, bool with_reasons) {
  json.begin_object();
  json.key("moment").string(to_string(verdict.moment));
  json.key("urgency").number(one_digit(verdict.urgency));
  json.key("priority").string(to_string(verdict.priority));
  json.key("topic").string(to_string(verdict.topic));
  json.key("reasons").begin_array();
  if (with_reasons) {
    for (const Reason& reason : verdict.reasons) {
      json.begin_object();
      json.key("for").string(reason.what);
      json.key("cue").string(reason.cue);
      json.key("weight").number(three_digits(reason.weight));
      json.end_object();
    }
  }
  json.end_array();
  json.end_object();
}

void write_post(JsonWriter& json, const store::PostRecord& record, const Include& include) {
  const Post& post = record.post;
  const bool visible = may_see_text(post, include);
  json.begin_object();
  json.key("id").string(post.id.view());
  json.key("native_id").string(post.native_id);
  json.key("platform").string(post.platform);
  json.key("kind").string(to_string(post.kind));
  if (record.state == store::PostState::own) json.key("own").boolean(true);
  json.key("url").string_or_null(post.url);
  json.key("created_at").time(post.created_at);
  json.key("text");
  visible ? json.string(post.text) : json.null();
  if (!visible) json.key("withheld").boolean(true);
  if (include.author && post.author) {
    json.key("author").begin_object();
    write_person(json, *post.author);
    json.end_object();
  }
  json.key("media").begin_array();
  if (visible) {
    for (const Media& media : post.media) {
      json.begin_object().key("type").string(media.type);
      put_if(json, "url", media.url);
      json.end_object();
    }
  }
  json.end_array();
  if (post.rating) json.key("rating").number(*post.rating);
  json.key("verdict");
  record.verdict ? write_verdict(json, *record.verdict, visible) : static_cast<void>(json.null());
  json.end_object();
}

void write_site(JsonWriter& json, const store::CaseRecord& c) {
  if (!c.site) {
    json.null();
    return;
  }
  json.begin_object().key("name").string(*c.site);
  if (c.decision.site && c.decision.site->site == *c.site) put_if(json, "cue", c.decision.site->cue);
  json.end_object();
}

}  // namespace

std::string escalation_body(const EscalationCallback& callback, const Include& include) {
  std::size_t expected = 1500;
  const store::PostRecord* newest = nullptr;
  for (const store::PostRecord* record : callback.posts) {
    if (record->state == store::PostState::deleted) continue;
    expected += 600 + record->post.text.size() + (record->verdict ? record->verdict->reasons.size() * 80 : 0);
    if (record->state != store::PostState::own) newest = record;
  }

  JsonWriter json(expected);
  json.begin_object();
  json.key("type").string(callback.type);
  json.key("timestamp").time(callback.now);
  json.key("data").begin_object();
  json.key("escalation");
  write_escalation(json, callback);
  json.key("case");
  write_case(json, callback, include, newest);
  json.key("posts").begin_array();
  for (const store::PostRecord* record : callback.posts) {
    if (record->state != store::PostState::deleted) write_post(json, *record, include);
  }
  json.end_array();
  json.key("incident").null();
  json.key("site");
  write_site(json, *callback.c);
  json.end_object();
  json.end_object();
  return json.take();
}

}  // namespace triage::deliver
