// Where a source file comes from: the binary, or a file of the brand's own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "triage/ingest/source.h"

namespace triage::app {

// A file whole. not_found, naming it as `what` ("the source file"), where it cannot be read.
Result<std::string> read_whole(const std::filesystem::path& file, const std::string& what);

// Whether a configuration's "use" names a file rather than a shipped source.
bool is_source_path(const std::string& use);

// `use`: a shipped source's name, or the path of a file, relative to `directory`. not_found: there is no such thing;
// otherwise as parse_source_file, with `detail` naming the file.
Result<std::shared_ptr<const ingest::SourceFile>> open_source_file(const std::string& use,
                                                                   const std::filesystem::path& directory);

}  // namespace triage::app
