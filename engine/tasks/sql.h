// The task type `sql` (also written database): statements on SQLite or PostgreSQL, their rows as
// the output. docs/tasks.md describes the configuration.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "engine/tasks/executor.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/sql_postgres_pool.h"

namespace stele::tasks {

struct SqlOptions {
  std::string base_directory = ".";           // what relative paths of SQLite files are relative to
  int64_t timeout_us = kDefaultSqlTimeoutUs;  // where neither step nor configuration has one
  size_t max_result_bytes = kMaxSqlResultBytes;
  size_t max_sqlite_running = kMaxSqliteRunning;
  PostgresPoolOptions postgres;
};

// After the executor is destroyed the loop has to run until it has nothing to do.
std::unique_ptr<TaskExecutor> MakeSqlExecutor(uv_loop_t* loop, SqlOptions options = {});

}  // namespace stele::tasks
