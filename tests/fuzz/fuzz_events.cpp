// links: triage_net
//
// Any bytes as an event stream: the same events in one piece, byte by byte and cut in two, and none over the limit.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "check.h"
#include "triage/net/sse_parser.h"

namespace {

using triage::net::ServerEvent;
using triage::net::SseParser;

constexpr std::size_t kEventBytes = 64;

void feed(SseParser& parser, std::string_view bytes, std::vector<ServerEvent>& events) {
  while (auto event = parser.next(bytes)) {
    CHECK(!event->event.empty());
    CHECK(event->event.size() + event->data.size() <= kEventBytes + std::string_view("message").size());
    CHECK(event->id.size() <= kEventBytes);
    CHECK(event->event.find_first_of("\r\n") == std::string::npos);
    CHECK(event->id.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    CHECK(event->data.find('\r') == std::string::npos);
    events.push_back(std::move(*event));
  }
  CHECK(bytes.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  SseParser whole(kEventBytes);
  std::vector<ServerEvent> expected;
  feed(whole, text, expected);

  const auto same = [&](const SseParser& parser, const std::vector<ServerEvent>& events) {
    CHECK(events == expected);
    CHECK(parser.last_id() == whole.last_id());
    CHECK(parser.retry() == whole.retry());
    CHECK(parser.too_large() == whole.too_large());
  };
  SseParser slow(kEventBytes);
  std::vector<ServerEvent> events;
  for (std::size_t i = 0; i < size; ++i) feed(slow, text.substr(i, 1), events);
  same(slow, events);

  const std::size_t cut = size == 0 ? 0 : data[size - 1] % (size + 1);
  SseParser halves(kEventBytes);
  events.clear();
  feed(halves, text.substr(0, cut), events);
  feed(halves, text.substr(cut), events);
  same(halves, events);
  return 0;
}
