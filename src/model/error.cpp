// What happens when a Result's value is asked for where there is none: a defect of the caller, so an exception.
#include "triage/model/error.h"

#include <stdexcept>

namespace triage {

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
