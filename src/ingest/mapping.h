// From a platform's body to events, by the rules of a source file. Pure and total: whatever a body holds, the outcome
// is events and a count of what was ignored, never an exception.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/spec.h"
#include "ingest/value.h"
#include "triage/ingest/source.h"

namespace triage::ingest {

// What the mapping knows of the configured source. `config` holds a value (or null) for each name that the file may
// refer to by {"config": name}, in the order that it was compiled with.
struct MappingContext {
  std::string_view source;
  const std::vector<Value>& config;
  Time now{};
};

class Mapping {
 public:
  virtual ~Mapping() = default;

  // Adds to `out`. Stops with unprocessable where one request would hold too many events.
  // `trace`: says in out.trace what became of what.
  virtual Result<void> map(const Value& body, const MappingContext& context, bool trace, Mapped& out) const = 0;
};

// What an id and an address must be that a platform gives: an id of at most 256 bytes, and an address that a browser
// may be sent to. Empty where it is none.
std::string read_id(const Value* value);
std::string read_url(const Value* value);

// `events` is the list of groups of rules. `config` gives the names that {"config": …} may use, and their place.
std::unique_ptr<const Mapping> compile_mapping(const Spec& events, const std::string& platform,
                                               const std::map<std::string, std::size_t>& config);

}  // namespace triage::ingest
