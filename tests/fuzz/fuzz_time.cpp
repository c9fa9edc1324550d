// links: triage_model
//
// Any text: a time or duration that is taken is the same after a round through its text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "triage/model/id.h"
#include "triage/model/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace triage;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto time = parse_time(text)) {
    const auto again = parse_time(format_time(*time));
    CHECK(again.has_value() && *again == *time);
  }
  if (const auto duration = parse_duration(text)) {
    CHECK(duration->count() >= 0);
    const auto again = parse_duration(format_duration(*duration));
    CHECK(again.has_value() && *again == *duration);
  }
  if (const auto id = PostId::parse(text)) CHECK(PostId::parse(id->view()) == id);
  return 0;
}
