#include "triage/desk/case_rules.h"

#include <algorithm>

namespace triage::desk {

using store::CaseRecord;
using store::CaseState;

namespace {

// Clocks run from the post's time, at the latest from its arrival.
Time clock_start(const Post& post) {
  return std::min(post.created_at, post.received_at);
}

void take_verdict(CaseRecord& c, const Verdict& verdict, const Decision& decision) {
  c.moment = verdict.moment;
  c.priority = verdict.priority;
  c.urgency = verdict.urgency;
  c.intent = verdict.intent;
  c.topic = verdict.topic;
  c.language = verdict.language;
  if (decision.site) c.site = decision.site->site;
  if (!c.claim) c.team = decision.team;
  c.decision = decision;
}

void start_clock(CaseRecord& c, const Post& post, const Decision& decision, Time now) {
  if (!c.waiting_since) c.waiting_since = clock_start(post);
  if (!decision.first_response) return;
  const Time due = clock_start(post) + *decision.first_response;
  if (!c.first_response_due || due < *c.first_response_due) c.first_response_due = due;
  if (*c.first_response_due <= now) c.overdue = true;
}

void stop_clock(CaseRecord& c) {
  c.first_response_due.reset();
  c.waiting_since.reset();
  c.overdue = false;
  c.posts_since_reply = 0;
}

}  // namespace

Placement place(const Post& post, bool actionable, const std::vector<CaseRecord>& candidates,
                const std::optional<CaseId>& conversation, const Policy& policy) {
  auto in_time = [&](const CaseRecord& c) { return post.created_at - c.last_post_at <= policy.join_within; };
  auto joinable = [](const CaseRecord& c) { return c.state != CaseState::resolved && !c.resolved_at; };

  // The conversation speaks before the clock does.
  for (const bool by_conversation : {true, false}) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const CaseRecord& c = candidates[i];
      if (!joinable(c)) continue;
      const bool same = conversation && *conversation == c.id;
      if (by_conversation ? same : in_time(c)) return {Joining::joins, i};
    }
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const CaseRecord& c = candidates[i];
    if (!c.resolved_at || post.created_at - *c.resolved_at > policy.reopen_within) continue;
    return {actionable ? Joining::reopens : Joining::joins, i};
  }
  return {};
}

Context context_of(const Post& post, const CaseRecord* c, const store::AuthorRecord* author, bool reopens) {
  Context context;
  context.reopened = reopens;
  if (author) context.earlier_cases = author->cases;
  if (c) {
    context.earlier_posts_in_case = c->posts_since_reply;
    if (c->actionable) context.earlier_cases = std::max(0, context.earlier_cases - 1);
    if (c->waiting_since) {
      const auto waited = std::chrono::duration<double, std::ratio<3600>>(post.created_at - *c->waiting_since);
      if (waited.count() > 0) context.waiting_hours = waited.count();
    }
    if (is_open(c->state)) {
      const auto open = std::chrono::duration<double, std::ratio<3600>>(post.created_at - c->opened_at);
      if (open.count() > 0) context.case_hours = open.count();
    }
  }
  return context;
}

CaseRecord open_case(const Post& post, const std::optional<AuthorId>& author, const Verdict& verdict,
                     const Decision& decision, Time now) {
  CaseRecord c;
  c.id = CaseId::make(now);
  c.platform = post.platform;
  c.brand_account = post.brand_account;
  c.author = author;
  c.opened_at = now;
  c.updated_at = now;
  c.last_post_at = post.created_at;
  c.newest_post = post.id;
  c.actionable = verdict.actionable;
  c.posts_since_reply = 1;
  take_verdict(c, verdict, decision);
  if (verdict.actionable) {
    start_clock(c, post, decision, now);
  } else {
    c.state = CaseState::closed;
  }
  return c;
}

void add_post(CaseRecord& c, const Post& post, const Verdict& verdict, const Decision& decision, bool reopens,
              Time now) {
  const bool first_since_reply = c.posts_since_reply == 0;
  const bool first_actionable = verdict.actionable && !c.actionable;
  c.updated_at = now;
  if (post.created_at >= c.last_post_at) {
    c.last_post_at = post.created_at;
    c.newest_post = post.id;
  }
  if (reopens) {
    c.resolved_at.reset();
    c.outcome.reset();
    c.resolution_note.clear();
    c.claim.reset();
    ++c.reopened;
    c.first_response_at.reset();
  }
  ++c.posts_since_reply;

  // A thank-you after a complaint must not hide the complaint: only the first post since a reply, or a more urgent
  // one, speaks for the case.
  if (reopens || first_actionable || verdict.urgency > c.urgency || (first_since_reply && verdict.actionable)) {
    take_verdict(c, verdict, decision);
  }
  if (!verdict.actionable) return;
  c.actionable = true;
  if (reopens || c.state == CaseState::closed || c.state == CaseState::waiting_customer) {
    c.state = c.claim ? CaseState::claimed : CaseState::fresh;
  }
  start_clock(c, post, decision, now);
}

bool speaks(const store::PostRecord& post) {
  return (post.state == store::PostState::judged || post.state == store::PostState::pending) && post.verdict;
}

void rejudge(CaseRecord& c, const std::vector<store::PostRecord>& posts, Time now) {
  c.updated_at = now;
  const store::PostRecord* first = nullptr;
  for (const auto& p : posts) {
    if (!speaks(p)) continue;
    if (!first || p.verdict->urgency > first->verdict->urgency) first = &p;
  }
  if (!first) return;
  const Verdict& v = *first->verdict;
  c.moment = v.moment;
  c.priority = v.priority;
  c.urgency = v.urgency;
  c.intent = v.intent;
  c.topic = v.topic;
  c.language = v.language;
}

void follow(CaseRecord& c, const Post& post, const Verdict& verdict, const Decision& decision, Time now) {
  if (verdict.urgency >= c.urgency) take_verdict(c, verdict, decision);
  if (!verdict.actionable) return;
  c.actionable = true;
  if (c.state == CaseState::closed) c.state = CaseState::fresh;
  // Once the brand has answered, no first answer is awaited.
  if (c.posts_since_reply > 0) start_clock(c, post, decision, now);
}

void close_unactionable(CaseRecord& c, Time now) {
  c.updated_at = now;
  c.actionable = false;
  c.state = CaseState::closed;
  c.first_response_due.reset();
  c.waiting_since.reset();
  c.overdue = false;
}

CaseState unclaimed(const CaseRecord& c) {
  const bool answered = c.first_response_at && c.posts_since_reply == 0;
  return answered ? CaseState::waiting_customer : CaseState::fresh;
}

void add_reply(CaseRecord& c, Time replied_at, Time now) {
  c.updated_at = now;
  if (!c.first_response_at) c.first_response_at = replied_at;
  stop_clock(c);
  if (is_open(c.state)) c.state = CaseState::waiting_customer;  // also for its holder, who keeps it
}

void resolve(CaseRecord& c, store::Outcome outcome, std::string note, Time now) {
  c.state = CaseState::resolved;
  c.outcome = outcome;
  c.resolution_note = std::move(note);
  c.resolved_at = now;
  c.updated_at = now;
  c.claim.reset();
  stop_clock(c);
}

void mark_overdue(CaseRecord& c, Time now) {
  c.overdue = true;
  c.updated_at = now;
}

}  // namespace triage::desk
