#include "triage/desk/intake.h"

#include <algorithm>

#include "desk/event_log.h"
#include "desk/outbox.h"
#include "triage/desk/case_rules.h"
#include "triage/desk/escalations.h"
#include "triage/desk/replies.h"

namespace triage::desk {

using store::AuthorRecord;
using store::CaseRecord;
using store::CaseState;
using store::DueKind;
using store::PostKey;
using store::PostRecord;
using store::PostState;

namespace {

// The response clock's entry in the timetable follows the case.
void plan_clock(store::Writer& writer, const CaseRecord& c, bool had_entry, Effects& effects) {
  if (is_open(c.state) && c.first_response_due && !c.overdue) {
    writer.set_due({DueKind::first_response, c.id.str(), *c.first_response_due});
    effects.due_at(*c.first_response_due);
  } else if (had_entry) {
    writer.clear_due(DueKind::first_response, c.id.view());
  }
}

std::optional<AuthorRecord> known_author(store::Writer& writer, const Post& post, Time now) {
  if (!post.author || (post.author->native_id.empty() && post.author->handle.empty())) return std::nullopt;
  return writer.upsert_author(post.platform, *post.author, now);
}

Admitted accepted(const PostRecord& record) {
  Admitted out;
  out.id = record.post.id;
  out.native_id = record.post.native_id;
  out.case_id = record.case_id;
  if (record.verdict) {
    out.moment = record.verdict->moment;
    out.priority = record.verdict->priority;
  }
  return out;
}

Admitted duplicate(const PostKey& key, const Post& post) {
  Admitted out;
  out.what = Admitted::What::duplicate;
  out.id = key.id;
  out.native_id = post.native_id;
  out.case_id = key.case_id;
  return out;
}

Admitted admit_deletion(store::Writer& writer, const Event& event, Time now, Effects& effects) {
  Admitted out;
  const Post& post = event.post;
  out.native_id = post.native_id;
  bool found = false;
  bool changed = false;
  for (const PostKey& key : writer.find_posts(post.source, post.platform, post.native_id)) {
    if (event.kind_known && key.kind != post.kind) continue;
    found = true;
    out.id = key.id;
    out.case_id = key.case_id;
    if (key.state == PostState::deleted) continue;
    changed = true;
    writer.delete_post(key.id, now);
    if (!key.case_id) continue;
    withdraw_replies(writer, *key.case_id, key.id, now, effects);
    auto c = writer.find_case(*key.case_id);
    if (!c) continue;
    log_event(writer, c->id, now, "post.deleted", "customer", {{"post", key.id.str()}});
    const auto posts = writer.posts_of_case(c->id);
    if (std::any_of(posts.begin(), posts.end(), speaks)) {
      rejudge(*c, posts, now);
    } else if (is_open(c->state) && !c->claim) {
      // Nothing is left to answer to. An agent who holds the case decides for themselves.
      resolve(*c, store::Outcome::no_action, "the customer deleted every post of this case", now);
      c->state = CaseState::closed;
      end_escalations(writer, c->id, "the customer deleted every post of the case", now);
      writer.clear_due(DueKind::first_response, c->id.view());
      log_event(writer, c->id, now, "closed", "system", {{"why", "every post was deleted"}});
    }
    writer.update_case(*c);
    effects.queue = true;
  }
  if (!found) {
    writer.insert_tombstone(post.source, post.platform,
                            event.kind_known ? std::optional<PostKind>(post.kind) : std::nullopt, post.native_id, now);
    for (const PostKey& key : writer.find_posts(post.source, post.platform, post.native_id)) {
      if (event.kind_known ? !key.any_kind && key.kind == post.kind : key.any_kind) out.id = key.id;
    }
    changed = true;
  }
  if (!changed) out.what = Admitted::What::duplicate;
  return out;
}

// Our own post joins its case and answers it. Should it be a reply from here, it says that this has arrived.
Admitted put_own(store::Writer& writer, PostRecord& record, Time now, Effects& effects,
                 const std::function<void()>& store_post) {
  const Post& post = record.post;
  record.state = PostState::own;
  record.case_id = writer.case_of_conversation(post.platform, post.brand_account, post.conversation_id,
                                               post.in_reply_to, std::nullopt);
  const auto reply =
      record.case_id ? reply_of_own_post(writer, *record.case_id, post) : std::optional<store::ReplyRecord>();
  store_post();
  if (reply) {
    reply_sent(writer, reply->id, post.native_id, post.url, now, effects);
  } else if (record.case_id) {
    if (auto c = writer.find_case(*record.case_id)) {
      add_reply(*c, post.created_at, now);
      writer.clear_due(DueKind::first_response, c->id.view());
      writer.update_case(*c);
      log_event(writer, c->id, now, "replied", "brand", {{"post", post.id.str()}});
      effects.queue = true;
    }
  }
  return accepted(record);
}

// The others who are in the same trouble at the same place: one look at an index, and only for a post to which it can
// matter.
void look_for_crowd(store::Reader& reader, const Policy& policy, const Post& post, const Verdict& verdict,
                    const std::optional<AuthorId>& author, Context& context) {
  constexpr int kMost = 50;
  if (!verdict.actionable || verdict.moment != Moment::in_the_moment || !(policy.factors.crowd > 0)) return;
  if (policy.router.plan().sites.empty()) return;
  const auto at = policy.router.locate(post);
  if (!at) return;
  context.site = at->site;
  context.crowd = reader.crowd(at->site, verdict.topic, author, post.created_at - kCrowdWithin,
                               post.created_at + kCrowdWithin, kMost);
}

// Puts a judged post on its case: the heart of the way through. `record` is stored by the caller.
void put_on_case(store::Writer& writer, const Policy& policy, PostRecord& record,
                 const std::optional<AuthorRecord>& author, Verdict verdict, Time now, Effects& effects,
                 const std::function<void()>& store_post) {
  const Post& post = record.post;

  std::vector<CaseRecord> candidates;
  if (author && !author->is_new) candidates = writer.cases_of_author(author->id, post.platform, post.brand_account, 8);
  std::optional<CaseId> conversation;
  const bool in_conversation = !post.conversation_id.empty() || !post.in_reply_to.empty();
  if (in_conversation && (!author || !candidates.empty())) {
    std::optional<AuthorId> only;
    if (author) only = author->id;
    conversation =
        writer.case_of_conversation(post.platform, post.brand_account, post.conversation_id, post.in_reply_to, only);
    if (conversation && !author) {
      if (auto c = writer.find_case(*conversation)) candidates.push_back(std::move(*c));
    }
  }

  const Placement placed = place(post, verdict.actionable, candidates, conversation, policy);
  CaseRecord* existing = placed.index ? &candidates[*placed.index] : nullptr;
  const bool reopens = placed.how == Joining::reopens;
  Context context = context_of(post, existing, author ? &*author : nullptr, reopens);
  look_for_crowd(writer, policy, post, verdict, record.author, context);
  verdict = classify::weigh(std::move(verdict), post, context, policy.factors);
  const Decision decision = policy.router.decide(post, verdict, now);

  CaseRecord opened;
  CaseRecord* c = existing;
  if (!existing) {
    opened = open_case(post, record.author, verdict, decision, now);
    c = &opened;
    writer.insert_case(opened);
    if (author && verdict.actionable) writer.count_case_of_author(author->id);
    plan_clock(writer, opened, false, effects);
  } else {
    const bool was_actionable = c->actionable;
    const auto due_before = c->first_response_due;
    const bool overdue_before = c->overdue;
    add_post(*c, post, verdict, decision, reopens, now);
    if (author && verdict.actionable && (!was_actionable || reopens)) writer.count_case_of_author(author->id);
    writer.update_case(*c);
    if (c->first_response_due != due_before || c->overdue != overdue_before) plan_clock(writer, *c, true, effects);
    if (reopens) log_event(writer, c->id, now, "reopened", "customer", {{"post", post.id.str()}});
  }
  record.case_id = c->id;
  record.verdict = std::move(verdict);
  record.state = PostState::judged;
  store_post();
  if (record.verdict->actionable || !decision.ladder.empty()) effects.queue = true;
  escalate(writer, policy, *c, record, author ? &*author : nullptr, decision, existing == nullptr, now, effects);
}

// Whether a post's ladder was raised already: for it, or after it for another post of its case.
bool was_escalated(store::Writer& writer, const CaseId& id, const Post& post, const std::string& ladder) {
  const auto escalations = writer.escalations_of_case(id);
  return std::any_of(escalations.begin(), escalations.end(), [&](const store::EscalationRecord& e) {
    return e.ladder == ladder && (is_live(e) || e.raised_at >= post.received_at);
  });
}

// Stores a post whose verdict of the text is new, and lets its case follow.
void take_new_verdict(store::Writer& writer, const Policy& policy, PostRecord& record, CaseRecord& c,
                      Verdict text_verdict, Time now, Effects& effects) {
  const Post& post = record.post;
  const std::optional<AuthorRecord> author =
      record.author ? writer.author(*record.author) : std::optional<AuthorRecord>();
  Context context = context_of(post, &c, author ? &*author : nullptr, false);
  if (context.earlier_posts_in_case > 0) --context.earlier_posts_in_case;  // itself
  look_for_crowd(writer, policy, post, text_verdict, record.author, context);
  // A person has weighed the facts beside the text already.
  const bool final_word = text_verdict.judge == kPerson;
  const Verdict verdict =
      final_word ? std::move(text_verdict) : classify::weigh(std::move(text_verdict), post, context, policy.factors);
  const Decision decision = policy.router.decide(post, verdict, now);
  record.verdict = verdict;
  writer.update_post(record);

  c.updated_at = now;
  if (is_open(c.state) || c.state == CaseState::closed) {
    const bool was_actionable = c.actionable;
    const auto due_before = c.first_response_due;
    const auto posts = writer.posts_of_case(c.id);
    rejudge(c, posts, now);
    follow(c, post, verdict, decision, now);
    const bool any =
        std::any_of(posts.begin(), posts.end(), [](const PostRecord& p) { return speaks(p) && p.verdict->actionable; });
    const auto escalations = writer.escalations_of_case(c.id);
    const bool called = std::any_of(escalations.begin(), escalations.end(), [](const auto& e) { return is_live(e); });
    if (!any && c.state == CaseState::fresh && !called) close_unactionable(c, now);
    if (author && !was_actionable && c.actionable) writer.count_case_of_author(author->id);
    if (c.first_response_due != due_before) plan_clock(writer, c, true, effects);
    if (!decision.ladder.empty() && !was_escalated(writer, c.id, post, decision.ladder)) {
      writer.update_case(c);
      escalate(writer, policy, c, record, author ? &*author : nullptr, decision, false, now, effects);
      effects.queue = true;
      return;
    }
  }
  writer.update_case(c);
  effects.queue = true;
}

Admitted admit_edit(store::Writer& writer, const Policy& policy, const PostKey& key, const Judged& judged, Time now,
                    Effects& effects) {
  auto record = writer.post(key.id);
  if (!record) return duplicate(key, judged.event.post);
  const PostId id = record->post.id;
  const Time received = record->post.received_at;
  record->post = judged.event.post;
  record->post.id = id;
  record->post.received_at = received;

  if (key.state == PostState::own || (!judged.verdict && judged.event.kind != EventKind::own_post)) {
    writer.update_post(*record);
    return accepted(*record);
  }
  if (judged.event.kind == EventKind::own_post) {
    if (key.state != PostState::pending) {
      record->state = PostState::own;
      writer.update_post(*record);
      return accepted(*record);
    }
    // What we had asked for turned out to be ours.
    become_own(writer, *record, now, effects);
    return put_own(writer, *record, now, effects, [&] { writer.update_post(*record); });
  }
  std::optional<AuthorRecord> author = known_author(writer, record->post, now);
  if (author) record->author = author->id;
  const bool was_pending = std::exchange(record->state, PostState::judged) == PostState::pending;
  auto c = key.case_id ? writer.find_case(*key.case_id) : std::nullopt;
  if (c) {
    if (author && !c->author) {  // nobody knew whose post it was
      c->author = author->id;
      if (c->actionable) writer.count_case_of_author(author->id);
    }
    take_new_verdict(writer, policy, *record, *c, *judged.verdict, now, effects);
    log_event(writer, c->id, now, was_pending ? "post.fetched" : "post.edited", was_pending ? "system" : "customer",
              {{"post", id.str()}});
  } else {
    // It was pending: its text has come now.
    put_on_case(writer, policy, *record, author, *judged.verdict, now, effects, [&] { writer.update_post(*record); });
  }
  if (judged.second_look) writer.ask_second_look({id, second_look_score(*judged.verdict)});
  return accepted(*record);
}

// Asks the platform for the text of a post that is known by its id; what comes is admitted as that post.
Result<void> order_fetch(store::Writer& writer, const Policy& policy, const Post& post, const PostId& id, Time now,
                         Effects& effects) {
  if (!policy.platforms) return make_error(ErrorCode::unprocessable, "the source cannot fetch it");
  Post wanted = post;
  wanted.id = id;
  auto body = policy.platforms->plan_fetch(wanted);
  if (!body) return body.error();
  store::DeliveryRecord d;
  d.to = store::to_source(post.source);
  d.type = "fetch";
  d.body = std::move(*body);
  put_in_outbox(writer, std::move(d), now, effects);
  return {};
}

// Of a post that nobody has read: somebody should.
Verdict unread(std::string_view why) {
  constexpr double kNormal = 37;  // the middle of the band
  Verdict verdict;
  verdict.actionable = true;
  verdict.language = "und";
  verdict.text_urgency = verdict.urgency = kNormal;
  verdict.priority = priority_of(kNormal);
  verdict.reasons.push_back({"actionable", "its text could not be had: " + std::string(why), 1});
  verdict.judge = "none";
  return verdict;
}

nlohmann::json answers_of(const Verdict& verdict) {
  return {{"moment", to_string(verdict.moment)},
          {"actionable", verdict.actionable},
          {"intent", to_string(verdict.intent)},
          {"topic", to_string(verdict.topic)},
          {"priority", to_string(verdict.priority)},
          {"urgency", verdict.urgency},
          {"judge", verdict.judge},
          {"model", verdict.model}};
}

bool same_answers(const Verdict& a, const Verdict& b) {
  return a.moment == b.moment && a.actionable == b.actionable && a.intent == b.intent && a.topic == b.topic &&
         a.priority == b.priority;
}

}  // namespace

Admitted admit(store::Writer& writer, const Policy& policy, const Judged& judged, Time now, Effects& effects) {
  const Event& event = judged.event;
  const Post& post = event.post;
  if (event.kind == EventKind::deletion) return admit_deletion(writer, event, now, effects);

  // What was deleted, perhaps before it came, is found too and stays as it is.
  if (const auto key = writer.find_post(post.source, post.platform, post.kind, post.native_id)) {
    const bool fetched = key->state == PostState::pending && event.kind != EventKind::pending;
    if (event.kind == EventKind::pending && key->state == PostState::judged) {
      order_fetch(writer, policy, post, key->id, now, effects);  // there is something new about it
    }
    const bool newer =
        post.revision > key->revision && key->state != PostState::deleted && event.kind != EventKind::pending;
    if (fetched || newer) return admit_edit(writer, policy, *key, judged, now, effects);
    return duplicate(*key, post);
  }
  if (event.kind == EventKind::own_post || event.kind == EventKind::pending) {
    // Ours from here, under whatever kind the platform tells of it.
    for (const PostKey& key : writer.find_posts(post.source, post.platform, post.native_id)) {
      if (key.state == PostState::own) return duplicate(key, post);
    }
  }
  PostRecord record;
  record.post = post;
  switch (event.kind) {
    case EventKind::own_post:
      return put_own(writer, record, now, effects, [&] { writer.insert_post(record); });
    case EventKind::share:
      record.state = PostState::share;
      writer.insert_post(record);
      writer.count_share(post.platform, event.shared_native);
      return accepted(record);
    case EventKind::pending:
      record.state = PostState::pending;
      writer.insert_post(record);
      if (const auto ordered = order_fetch(writer, policy, post, post.id, now, effects); !ordered) {
        show_unread(writer, policy, post.id, ordered.error().detail, now, effects);
        if (const auto shown = writer.post(post.id)) return accepted(*shown);
      }
      return accepted(record);
    case EventKind::post:
    case EventKind::deletion:
      break;
  }
  const std::optional<AuthorRecord> author = known_author(writer, post, now);
  if (author) record.author = author->id;
  put_on_case(writer, policy, record, author, *judged.verdict, now, effects, [&] { writer.insert_post(record); });
  if (judged.second_look) writer.ask_second_look({post.id, second_look_score(*judged.verdict)});
  return accepted(record);
}

void show_unread(store::Writer& writer, const Policy& policy, const PostId& id, std::string_view why, Time now,
                 Effects& effects) {
  auto record = writer.post(id);
  if (!record || record->state != PostState::pending || record->case_id) return;
  const std::optional<AuthorRecord> author = known_author(writer, record->post, now);
  if (author) record->author = author->id;
  put_on_case(writer, policy, *record, author, unread(why), now, effects, [&] {
    record->state = PostState::pending;  // its text may still come
    writer.update_post(*record);
  });
}

int second_look_score(const Verdict& verdict) {
  const double sure = std::min(verdict.moment_confidence, verdict.actionable_confidence);
  return static_cast<int>(verdict.text_urgency + 100 * (1 - sure));
}

bool renew_verdict(store::Writer& writer, const Policy& policy, const Renewal& renewal, Time now, Effects& effects) {
  auto record = writer.post(renewal.post);
  if (!record || record->state != PostState::judged || !record->verdict) return false;
  const Verdict before = *record->verdict;
  if (before.judge == kPerson && renewal.verdict.judge != kPerson) return false;
  auto c = record->case_id ? writer.find_case(*record->case_id) : std::nullopt;
  if (!c) return false;
  take_new_verdict(writer, policy, *record, *c, renewal.verdict, now, effects);
  if (same_answers(before, *record->verdict)) return false;
  nlohmann::json data = renewal.data;
  data["post"] = renewal.post.str();
  data["before"] = answers_of(before);
  data["after"] = answers_of(*record->verdict);
  log_event(writer, c->id, now, renewal.event, renewal.by, data);
  return true;
}

void when_due(store::Writer& writer, const Policy& policy, const store::Due& due, Time now, Effects& effects) {
  if (due.kind == DueKind::rung) {
    if (const auto id = EscalationId::parse(due.subject)) {
      climb(writer, policy, *id, "nobody acknowledged in time", now, effects);
    }
    return;
  }
  const auto id = CaseId::parse(due.subject);
  auto c = id ? writer.find_case(*id) : std::nullopt;
  if (!c) return;
  if (due.kind == DueKind::first_response) {
    if (!is_open(c->state) || !c->first_response_due || c->overdue) return;
    mark_overdue(*c, now);
    writer.update_case(*c);
    log_event(writer, c->id, now, "overdue", "system",
              {{"clock", "first_response"}, {"rule", c->decision.first_response_rule}});
  } else {
    if (!c->claim) return;
    if (c->claim->until > now) {  // it was renewed
      writer.set_due({DueKind::lease_end, c->id.str(), c->claim->until});
      effects.due_at(c->claim->until);
      return;
    }
    log_event(writer, c->id, now, "lease_ended", "system", {{"holder", c->claim->name}});
    c->claim.reset();
    if (c->state == CaseState::claimed) c->state = unclaimed(*c);
    c->updated_at = now;
    writer.update_case(*c);
  }
  effects.queue = true;
}

}  // namespace triage::desk
