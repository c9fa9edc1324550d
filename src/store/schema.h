// The database's layout, as a list of steps. A database's user_version is the number of steps that were applied to it;
// a step that has been released is never changed.
#pragma once

#include <span>

#include "store/sqlite.h"

namespace triage::store {

constexpr std::int64_t kApplicationId = 0x74726731;  // "trg1", so that `file` and we know our databases

std::span<const char* const> migrations();

enum class Schema { empty, ours, foreign, newer };

// What the opened database is, judged against `steps`. Throws Unavailable when it cannot be read or is no database.
Schema inspect(Connection& connection, std::span<const char* const> steps = migrations());

// Brings an empty database or one of ours up to date, each step in a transaction of its own: a step that fails leaves
// the database at the version before it. Safe beside another process that does the same.
void migrate(Connection& connection, std::span<const char* const> steps = migrations());

}  // namespace triage::store
