// SQL steps on PostgreSQL: the statements of an attempt, one after another, on a connection of the
// pool.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <memory>

#include "engine/tasks/sql_attempt.h"
#include "engine/tasks/sql_plan.h"
#include "engine/tasks/sql_postgres_pool.h"

namespace stele::tasks {

std::unique_ptr<SqlAttempt> MakePostgresAttempt(uv_loop_t* loop, std::shared_ptr<PostgresPool> pool,
                                                SqlPlan plan, SqlAttempt::Finish finish);

}  // namespace stele::tasks
