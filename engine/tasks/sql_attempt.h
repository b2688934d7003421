// One run of an SQL step's statements against a database.
//
// Thread: the loop's.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "base/value.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

struct SqlOutcome {
  std::expected<Object, TaskFailure> output;
  std::string log;
};

// Of an attempt that was stopped.
inline TaskFailure Interrupted() {
  return {"interrupted", "Expected to run the statements but was stopped before", true, {}};
}

class SqlAttempt {
 public:
  // Called once, never before Begin returns; it may destroy the attempt.
  using Finish = std::function<void(SqlOutcome)>;

  // Ends at once what is under way; nobody is told.
  virtual ~SqlAttempt() = default;

  virtual void Begin() = 0;
  // Asks for the end. `finish` is called when nothing of it runs any more.
  virtual void Stop() = 0;
};

}  // namespace stele::tasks
