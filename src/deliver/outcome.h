// What became of one attempt, and what that makes of its row. Pure: the clock and the dice come in as values.
#pragma once

#include <optional>
#include <string>

#include "triage/deliver/deliverer.h"

namespace triage::deliver {

// Of a callback.
Outcome outcome_of(const Result<net::ClientResponse>& answer, Time now);

// Retry-After (RFC 9110, 10.2.3): seconds, or an HTTP date seen from `now`. Nothing when it is neither.
std::optional<Duration> parse_retry_after(std::string_view text, Time now);

// The row after the attempt, as it stands in the store when the outcome is recorded. A delivery is the truth whatever
// happened to the row meanwhile; a failure changes the state only of a row that waits or is being sent. `jitter` scales
// the wait.
void apply(const Outcome& outcome, const Options& options, double jitter, Time now, store::DeliveryRecord& row);

}  // namespace triage::deliver
