// What is said between the engine and a worker, as JSON. docs/tasks.md has the protocol. Used by
// workers that are programs, a message a line; an edge with other transports says the same.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/value.h"
#include "engine/tasks/worker_pool.h"

namespace stele::tasks {

// ---- To a worker ----

Value TaskMessage(const WorkerTask& task);
Value CancelMessage(LeaseId lease, std::string_view reason);
// The lease has ended: an answer would be refused.
Value EndedMessage(LeaseId lease, std::string_view reason);
// Something that the worker said was refused. `line`: where it said it, 0: unknown.
Value RefusedMessage(size_t line, const Error& error);

// ---- From a worker ----

struct CompleteMessage {
  LeaseId lease;
  Value output;
  std::string log;
};
struct FailMessage {
  LeaseId lease;
  TaskFailure failure;
  std::string log;
};
struct HeartbeatMessage {
  LeaseId lease;
  std::string detail;
};
struct LeaveMessage {};
using WorkerMessage = std::variant<CompleteMessage, FailMessage, HeartbeatMessage, LeaveMessage>;

// kInvalidInput: what was expected and what was found.
Result<WorkerMessage> ReadWorkerMessage(std::string_view json);

}  // namespace stele::tasks
