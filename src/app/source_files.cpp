#include "app/source_files.h"

#include <fstream>
#include <iterator>

namespace triage::app {

Result<std::string> read_whole(const std::filesystem::path& file, const std::string& what) {
  std::error_code ignored;
  std::ifstream in(file, std::ios::binary);
  if (std::filesystem::is_directory(file, ignored) || !in) {
    return make_error(ErrorCode::not_found, "cannot read " + what + " " + file.string());
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool is_source_path(const std::string& use) {
  constexpr std::string_view kEnding = ".json";
  return use.find('/') != std::string::npos ||
         (use.size() > kEnding.size() && use.compare(use.size() - kEnding.size(), kEnding.size(), kEnding) == 0);
}

Result<std::shared_ptr<const ingest::SourceFile>> open_source_file(const std::string& use,
                                                                   const std::filesystem::path& directory) {
  if (!is_source_path(use)) return ingest::shipped_source(use);
  const std::filesystem::path path = directory / use;
  const auto text = read_whole(path, "the source file");
  if (!text) return text.error();
  auto file = ingest::parse_source_file(path.stem().string(), *text);
  if (file) return file;
  Error error = file.error();
  error.detail = path.string() + ": " + error.detail;
  return error;
}

}  // namespace triage::app
