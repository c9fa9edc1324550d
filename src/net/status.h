// HTTP status codes: their phrases, and problem documents for those that no ErrorCode stands for.
#pragma once

#include <string_view>

#include "triage/net/http.h"

namespace triage::net {

// "Not Found" for 404; "" for a code that we do not know.
std::string_view reason_phrase(int status);

// As problem(error), with another status: 408 where ErrorCode::timeout would say 504.
Response problem_with_status(int status, const Error& error);

}  // namespace triage::net
