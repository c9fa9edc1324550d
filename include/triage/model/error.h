// The one error type of the project. Expected failures are values of it, carried to the edge and turned into RFC 9457
// problem details there (net/problem.h).
#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace triage {

enum class ErrorCode {
  bad_request,          // 400: cannot be read at all
  unauthenticated,      // 401: no credentials, or wrong ones
  forbidden,            // 403: known, but not allowed
  not_found,            // 404
  method_not_allowed,   // 405
  conflict,             // 409: somebody else holds it, or the state does not allow it
  precondition_failed,  // 412: If-Match is stale
  too_large,            // 413
  unsupported_media,    // 415
  unprocessable,        // 422: readable, but a field is wrong
  too_many_requests,    // 429
  header_too_large,     // 431
  internal,             // 500: a defect of ours
  bad_gateway,          // 502
  unavailable,          // 503: overloaded, draining, disk full
  timeout,              // 504 or 408, by context
};

// One field at fault. `pointer` is an RFC 6901 JSON pointer into the document that was read ("" is the whole).
struct FieldError {
  std::string pointer;
  std::string detail;  // what is there and what was expected
};

// A member's name as a token of such a pointer: "~" and "/" are escaped.
std::string pointer_token(std::string_view name);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string detail;  // a sentence for a person; never holds a secret
  std::vector<FieldError> fields;
  std::optional<std::chrono::seconds> retry_after;
};

// Called by Result::value() on an error: throws std::logic_error. Check first.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

template <class T>
using Result = boost::system::result<T, Error>;

inline Error make_error(ErrorCode code, std::string detail) {
  return Error{code, std::move(detail), {}, std::nullopt};
}

}  // namespace triage
