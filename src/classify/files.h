// Whole files, read and written whole.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "triage/model/error.h"

namespace triage::classify {

// not_found with the system's reason where it cannot be read.
Result<std::string> read_file(const std::filesystem::path& file);

// Written beside its place, synced and renamed: at `file` stands the old content or the new, never a part.
Result<void> write_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace triage::classify
