// links: triage_ingest
// seeds: tests/fixtures/*.json
//
// Any bytes: the fast reader of bodies takes what parse_json takes, makes the same of it, and says the same of the
// rest.
#include <boost/json/monotonic_resource.hpp>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "check.h"
#include "ingest/value.h"
#include "triage/model/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace triage;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  boost::json::monotonic_resource memory(3 * size);
  const auto read = ingest::read_json(bytes, &memory);
  const auto parsed = parse_json(bytes);
  CHECK(read.has_value() == parsed.has_value());
  if (read) {
    CHECK(*read == ingest::to_value(*parsed));
  } else {
    CHECK(read.error().code == parsed.error().code);
    CHECK(read.error().detail == parsed.error().detail);
  }
  return 0;
}
