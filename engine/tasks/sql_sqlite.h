// SQL steps on SQLite: each attempt opens the file, runs its statements on libuv's pool and closes
// it. A stop is seen by SQLite's progress handler, or while it waits for a lock.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <deque>
#include <memory>
#include <string>

#include "engine/tasks/limits.h"
#include "engine/tasks/sql_attempt.h"
#include "engine/tasks/sql_plan.h"

namespace stele::tasks {

class SqliteAttempt;

// Lets only so many attempts be on the pool at once, first come first served, so that waits for a
// lock do not take all of its threads.
class SqliteQueue {
 public:
  explicit SqliteQueue(uv_loop_t* loop, size_t max_running = kMaxSqliteRunning)
      : loop_(loop), max_running_(max_running) {}

  uv_loop_t* loop() const { return loop_; }
  void Enter(SqliteAttempt* attempt);
  // False when it is not waiting (any more).
  bool Leave(SqliteAttempt* attempt);
  void Ended();

 private:
  void StartWaiting();

  uv_loop_t* loop_;
  size_t max_running_;
  size_t running_ = 0;
  std::deque<SqliteAttempt*> waiting_;
};

// Relative paths are relative to `base_directory`.
std::unique_ptr<SqlAttempt> MakeSqliteAttempt(std::shared_ptr<SqliteQueue> queue, SqlPlan plan,
                                              const std::string& base_directory,
                                              SqlAttempt::Finish finish);

}  // namespace stele::tasks
