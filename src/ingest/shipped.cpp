// The source files that are built into the binary. CMakeLists.txt finds them, embeds each and lists them, in the order
// of their names, in triaged_sources.inc.
#include "triage/ingest/source.h"

#define TRIAGED_SOURCE(name, symbol) \
  extern const char(symbol)[];       \
  extern const char symbol##_end[];
extern "C" {
#include "triaged_sources.inc"
}
#undef TRIAGED_SOURCE

namespace triage::ingest {
namespace {

struct Shipped {
  std::string_view name;
  const char* begin;
  const char* end;
};

#define TRIAGED_SOURCE(name, symbol) {name, symbol, symbol##_end},
const Shipped kShipped[] = {
#include "triaged_sources.inc"
};
#undef TRIAGED_SOURCE

}  // namespace

std::vector<std::string> shipped_source_names() {
  std::vector<std::string> names;
  for (const auto& file : kShipped) names.emplace_back(file.name);
  return names;
}

Result<std::shared_ptr<const SourceFile>> shipped_source(std::string_view name) {
  for (const auto& file : kShipped) {
    if (file.name != name) continue;
    const auto size = static_cast<std::size_t>(file.end - file.begin);
    return parse_source_file(name, std::string_view(file.begin, size));
  }
  std::string known;
  for (const auto& file : kShipped) known += (known.empty() ? "" : ", ") + std::string(file.name);
  return make_error(ErrorCode::not_found, "there is no source \"" + std::string(name) + "\", expected one of " + known);
}

}  // namespace triage::ingest
