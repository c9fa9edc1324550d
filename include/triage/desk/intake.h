// Admission of posts: an event and its verdict become a stored post on its case, with the decision carried out, all
// inside one unit of work.
#pragma once

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

// What the timetable asks: rungs climb, response clocks run out, leases end.
void when_due(store::Writer& writer, const Policy& policy, const store::Due& due, Time now, Effects& effects);

}  // namespace triage::desk
