// The source files that are built into the binary (triage_embed in CMakeLists.txt).
#include <array>

#include "triage/ingest/source.h"

extern "C" {
extern const char triage_embedded_source_generic[];
extern const char triage_embedded_source_generic_end[];
extern const char triage_embedded_source_x[];
extern const char triage_embedded_source_x_end[];
extern const char triage_embedded_source_meta[];
extern const char triage_embedded_source_meta_end[];
}

namespace triage::ingest {
namespace {

struct Shipped {
  std::string_view name;
  const char* begin;
  const char* end;
};

const std::array<Shipped, 3> kShipped{{{"generic", triage_embedded_source_generic, triage_embedded_source_generic_end},
                                       {"x", triage_embedded_source_x, triage_embedded_source_x_end},
                                       {"meta", triage_embedded_source_meta, triage_embedded_source_meta_end}}};

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
