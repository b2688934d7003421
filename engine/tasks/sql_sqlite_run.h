// The work of an SQL step on SQLite, from the opened file to the closed one. Blocks.
//
// Thread: any; it shares nothing.
#pragma once

#include <atomic>

#include "engine/tasks/sql_attempt.h"
#include "engine/tasks/sql_plan.h"

namespace stele::tasks {

// Ends soon after `stop` becomes true, with what was not committed rolled back.
// REQUIRES: `plan.path` is absolute or ":memory:".
SqlOutcome RunOnSqlite(const SqlPlan& plan, const std::atomic<bool>& stop);

}  // namespace stele::tasks
