// What every call that works on one case begins and ends with: whether the caller may change it now, the holder's
// lease, and the whole case as the answer.
#pragma once

#include <optional>
#include <string>

#include "desk/call.h"

namespace triage::desk {

// The If-Match header.
std::optional<std::string> if_match_of(const net::Request& request);

// The case for a write: there, the caller's to see, unheld or held by the caller, and not newer than If-Match says.
Result<store::CaseRecord> for_write(store::Writer& writer, const CaseId& id, const Caller& caller,
                                    const std::optional<std::string>& if_match, Time now);

// Each write of the holder renews the lease. Whether it did: then the case is to be updated.
bool renew(store::Writer& writer, store::CaseRecord& c, const Caller& caller, Duration lease, Time now,
           Effects& effects);

// The whole case after a change, for the answer.
Answer whole_case(store::Writer& writer, const CaseId& id, const Caller& caller);

}  // namespace triage::desk
