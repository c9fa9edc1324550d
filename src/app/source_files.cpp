#include "app/source_files.h"

#include <fstream>
#include <iterator>

namespace triage::app {

bool is_source_path(const std::string& use) {
  constexpr std::string_view kEnding = ".json";
  return use.find('/') != std::string::npos ||
         (use.size() > kEnding.size() && use.compare(use.size() - kEnding.size(), kEnding.size(), kEnding) == 0);
}

Result<std::shared_ptr<const ingest::SourceFile>> open_source_file(const std::string& use,
                                                                   const std::filesystem::path& directory) {
  if (!is_source_path(use)) return ingest::shipped_source(use);
  const std::filesystem::path path = directory / use;
  std::error_code ignored;
  std::ifstream in(path, std::ios::binary);
  if (std::filesystem::is_directory(path, ignored) || !in) {
    return make_error(ErrorCode::not_found, "cannot read the source file " + path.string());
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto file = ingest::parse_source_file(path.stem().string(), text);
  if (file) return file;
  Error error = file.error();
  error.detail = path.string() + ": " + error.detail;
  return error;
}

}  // namespace triage::app
