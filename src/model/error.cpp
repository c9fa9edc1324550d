#include "triage/model/error.h"

#include <stdexcept>

namespace triage {

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

// A Result's value was asked for where there is none: a defect of the caller, so an exception.
void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  std::string what = "unchecked error at ";
  what += where.file_name();
  what += ':';
  what += std::to_string(where.line());
  what += ": ";
  what += error.detail;
  throw std::logic_error(what);
}

}  // namespace triage
