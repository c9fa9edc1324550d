// A case's columns in the order in which they are read.
#pragma once

#include "store/sqlite.h"

#define TRIAGED_CASE_COLUMNS                                                                                     \
  "id, version, state, team, claim_token, claim_name, claim_until, platform, brand_account, author_id, moment,"  \
  " priority, urgency, intent, topic, language, site, actionable, overdue, opened_at, updated_at, last_post_at," \
  " newest_post, posts_since_reply, waiting_since, first_response_due, first_response_at, resolved_at, outcome," \
  " resolution_note, reopened, decision"

namespace triage::store {

CaseRecord read_case(Query& row);  // the row's columns are TRIAGED_CASE_COLUMNS

}  // namespace triage::store
