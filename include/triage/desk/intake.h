// Admission of posts: an event and its verdict become a stored post on its case, with the decision carried out, all
// inside one unit of work.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "triage/desk/effects.h"
#include "triage/desk/policy.h"
#include "triage/store/store.h"

namespace triage::desk {

// An event with its text's verdict (set for posts with text).
struct Judged {
  Event event;
  std::optional<Verdict> verdict;
  bool second_look = false;  // the verdict is a hasty one: the post is to be judged again when there is time
};

struct Admitted {
  enum class What { accepted, duplicate } what = What::accepted;
  PostId id;
  std::string native_id;
  std::optional<CaseId> case_id;
  std::optional<Moment> moment;
  std::optional<Priority> priority;
};

// Idempotent on (source, platform, kind, native id): a newer revision edits, an older or equal one is a duplicate, a
// deletion leaves a tombstone even when it comes first.
Admitted admit(store::Writer& writer, const Policy& policy, const Judged& judged, Time now, Effects& effects);

// A pending post whose text cannot be had, or not soon: it is put on its case with a verdict that says so, for an agent
// to look at on the platform. When its text comes after all it is judged. Nothing when it is on a case already.
void show_unread(store::Writer& writer, const Policy& policy, const PostId& id, std::string_view why, Time now,
                 Effects& effects);

// How pressing it is to judge such a post again: the most urgent and the least certain first.
int second_look_score(const Verdict& verdict);

// A post's new verdict, and why there is one: the type of the event, who gave it, what else the timeline is to keep.
struct Renewal {
  PostId post;
  Verdict verdict;  // of the text; a person's: of everything, taken as it is
  std::string_view event = "judged_again";
  std::string_view by = "system";
  nlohmann::json data = nlohmann::json::object();
};

// Gives a judged post another verdict. The case follows: its priority and place in the queue, its routing, its clock;
// what is urgent now and was not escalated yet is escalated. Where the answers differ (not only how sure they are) the
// timeline says from what to what. Returns whether they do. A verdict by a person ("person") is changed by a person
// only; a post that is gone or was never judged is left alone.
bool renew_verdict(store::Writer& writer, const Policy& policy, const Renewal& renewal, Time now, Effects& effects);

// What the timetable asks: rungs climb, response clocks run out, leases end.
void when_due(store::Writer& writer, const Policy& policy, const store::Due& due, Time now, Effects& effects);

}  // namespace triage::desk
