// links: triage_model
// seeds: tests/fixtures/*.json
//
// Any bytes: parse_json gives a value or a clear error, what it gave survives writing and reading, and a post read from
// it is the same after a round through its JSON.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "check.h"
#include "triage/model/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto value = triage::parse_json(bytes, 64);
  if (!value) {
    CHECK(value.error().code == triage::ErrorCode::bad_request);
    CHECK(!value.error().detail.empty());
    return 0;
  }
  // The parser takes valid UTF-8 only, so that writing cannot throw.
  const auto again = triage::parse_json(value->dump(), 64);
  CHECK(again.has_value());
  CHECK(*again == *value);

  const auto post = triage::post_from_json(*value, "");
  if (!post) {
    CHECK(!post.error().fields.empty());
    return 0;
  }
  const auto same = triage::post_from_json(nlohmann::json(*post), "");
  CHECK(same.has_value());
  CHECK(nlohmann::json(*same) == nlohmann::json(*post));
  return 0;
}
