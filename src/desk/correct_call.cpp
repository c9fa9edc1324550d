// POST /v1/cases/{id}/correct: a person says what the judge should have said of a post. The post's verdict becomes
// that, the case follows, and the correction is kept for learning.
#include <algorithm>

#include "desk/calls.h"
#include "desk/case_write.h"
#include "desk/event_log.h"
#include "triage/desk/intake.h"

namespace triage::desk {

using store::CorrectionRecord;
using store::PostLabels;
using store::PostRecord;
using store::PostState;

namespace {

std::optional<std::string> parse_any_moment(std::string_view text) {
  if (text != "in_the_moment" && text != "after_the_fact" && text != "neither") return std::nullopt;
  return std::string(text);
}

// Faults are noted in `fields`.
PostLabels labels_of(Fields& fields) {
  PostLabels labels;
  labels.moment = fields.choice("moment", parse_any_moment, "in_the_moment, after_the_fact or neither");
  labels.actionable = fields.boolean("actionable");
  labels.intent = fields.choice("intent", parse_intent, "complaint, request, question, praise or other");
  labels.topic = fields.choice("topic", parse_topic,
                               "delay, queue, staff, product, outage, delivery, billing, booking, safety or other");
  const auto priority = fields.choice("priority", parse_priority, "low, normal, high or critical");
  const auto urgency = fields.integer("urgency", 0, 3);
  if (priority) labels.urgency = static_cast<int>(*priority);
  if (urgency) labels.urgency = static_cast<int>(*urgency);
  if (priority && urgency && static_cast<std::int64_t>(*priority) != *urgency) {
    fields.fault("urgency", "says something else than priority: give one of the two");
  }
  return labels;
}

bool says_nothing(const PostLabels& labels) {
  return !labels.moment && !labels.actionable && !labels.intent && !labels.topic && !labels.urgency;
}

// What a judge said, in the words of a correction.
PostLabels labels_of(const Verdict& verdict) {
  PostLabels labels;
  labels.moment = std::string(to_string(verdict.moment));
  labels.actionable = verdict.actionable;
  labels.intent = verdict.intent;
  labels.topic = verdict.topic;
  labels.urgency = static_cast<int>(priority_of(verdict.text_urgency));
  return labels;
}

// The verdict with what the person said in it; of what they left, the judge's answer stands.
Verdict corrected(Verdict verdict, const PostLabels& labels, const std::string& name) {
  constexpr double kMiddle[] = {10, 37, 67, 90};  // of the bands of urgency
  const std::string cue = "corrected by " + name;
  std::vector<Reason> reasons;
  const auto because = [&](const char* what) {
    reasons.push_back({what, cue, 1});
    std::erase_if(verdict.reasons, [&](const Reason& reason) { return reason.what == what; });
  };
  if (labels.moment) {
    because("moment");
    verdict.moment = *labels.moment == "in_the_moment" ? Moment::in_the_moment : Moment::after_the_fact;
    // A verdict has no third value: a post about no experience is neither more than the other.
    verdict.moment_confidence = *labels.moment == "neither" ? 0.5 : 1;
  }
  if (labels.actionable) {
    because("actionable");
    verdict.actionable = *labels.actionable;
    verdict.actionable_confidence = 1;
  }
  if (labels.urgency) {
    because("urgency");
    const auto priority = static_cast<Priority>(*labels.urgency);
    if (verdict.priority != priority) verdict.urgency = verdict.text_urgency = kMiddle[*labels.urgency];
    verdict.priority = priority;
  }
  if (labels.intent) {
    because("intent");
    verdict.intent = *labels.intent;
  }
  if (labels.topic) {
    because("topic");
    verdict.topic = *labels.topic;
  }
  verdict.reasons.insert(verdict.reasons.begin(), reasons.begin(), reasons.end());
  verdict.judge = kPerson;
  return verdict;
}

Error unexpected(const char* pointer, std::string what) {
  return Error{ErrorCode::unprocessable, "the body is not what was expected", {{pointer, std::move(what)}}, {}};
}

// The post that is meant: the one named, or else the newest that was judged.
Result<PostRecord> post_meant(store::Writer& writer, const CaseId& id, const std::optional<PostId>& named) {
  std::vector<PostRecord> posts = writer.posts_of_case(id);
  const auto judged = [](const PostRecord& p) { return p.state == PostState::judged && p.verdict; };
  if (named) {
    const auto it = std::find_if(posts.begin(), posts.end(), [&](const PostRecord& p) { return p.post.id == *named; });
    if (it == posts.end()) return unexpected("/post", "expected the id of a post of this case");
    if (it->state == PostState::deleted) return unexpected("/post", "this post was deleted by its author");
    if (!judged(*it))
      return unexpected("/post", "this post was never judged: it is " + std::string(to_string(it->state)));
    return std::move(*it);
  }
  const auto it = std::find_if(posts.rbegin(), posts.rend(), judged);
  if (it == posts.rend()) return unexpected("/post", "this case has no post with a verdict any more");
  return std::move(*it);
}

}  // namespace

boost::asio::awaitable<Answer> correct_case(Call& call) {
  const auto id = path_id<CaseId>(call.request, "case");
  if (!id) co_return id.error();
  auto fields = Fields::of(call.request);
  if (!fields) co_return fields.error();
  const auto post_text = fields->text("post");
  std::optional<PostId> named;
  if (post_text) {
    named = PostId::parse(*post_text);
    if (!named) fields->fault("post", "expected the id of a post of this case");
  }
  const PostLabels labels = labels_of(*fields);
  if (auto faults = fields->faults()) co_return *faults;
  if (says_nothing(labels)) {
    co_return unexpected("", "expected at least one of moment, actionable, intent, topic, priority and urgency");
  }

  Change change = [id = *id, named, labels, caller = call.caller, if_match = if_match_of(call.request), now = call.now,
                   policy = call.policy](store::Writer& writer, Effects& effects) -> Answer {
    const auto allowed = for_write(writer, id, caller, if_match, now);
    if (!allowed) return allowed.error();
    const auto record = post_meant(writer, id, named);
    if (!record) return record.error();

    CorrectionRecord correction;
    correction.post = record->post.id;
    correction.case_id = id;
    correction.token = caller.token;
    correction.name = caller.name;
    correction.at = now;
    correction.revision = record->post.revision;
    correction.labels = labels;
    correction.judge = record->verdict->judge;
    correction.model = record->verdict->model;
    correction.said = labels_of(*record->verdict);
    // The judge learns what the text says. Where the person agrees with a priority that came from the facts beside it,
    // the text was judged well.
    if (labels.urgency == static_cast<int>(record->verdict->priority))
      correction.labels.urgency = correction.said.urgency;
    writer.keep_correction(correction);

    Renewal renewal;
    renewal.post = record->post.id;
    renewal.verdict = corrected(*record->verdict, labels, caller.name);
    renewal.event = "corrected";
    renewal.by = caller.name;
    // That a verdict was right is said in the timeline too.
    if (!renew_verdict(writer, *policy, renewal, now, effects)) {
      log_event(writer, id, now, "corrected", caller.name, {{"post", record->post.id.str()}, {"confirmed", true}});
    }
    auto c = writer.find_case(id);
    if (renew(writer, *c, caller, policy->lease, now, effects)) writer.update_case(*c);
    effects.queue = true;
    return whole_case(writer, id, caller);
  };
  co_return co_await commit(call, std::move(change));
}

}  // namespace triage::desk
