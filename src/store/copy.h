// A whole copy of a database as one file that nobody sees before it is complete.
#pragma once

#include <filesystem>
#include <functional>

#include "store/sqlite.h"

namespace triage::store {

// Copies what `from` sees now to `file`: mode 0600, synced, one file without a log beside it. `finish` may change the
// copy before it gets its name. Refuses to overwrite, and leaves nothing behind when it fails.
Result<void> copy_database(Connection& from, const std::filesystem::path& file,
                           const std::function<void(Connection&)>& finish);

}  // namespace triage::store
