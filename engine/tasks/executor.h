// What a step does outside. One TaskExecutor a task type, registered by name; the runtime starts
// attempts when the record that asks for them is durable, and turns what comes back into a cause.
//
// Thread: everything here is called and answers on the shard's loop thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/payload.h"
#include "base/value.h"

namespace stele::tasks {

// Hand this to the outside: the same key means the same attempt, however often it is started.
struct AttemptKey {
  InstanceId instance;
  RunId run;
  uint32_t attempt = 1;
  auto operator<=>(const AttemptKey&) const = default;
  std::string ToString() const;  // "42-7-1": instance, run, attempt
};

struct TaskRequest {
  AttemptKey key;
  std::string_view task_type;
  std::string_view step_id;
  std::string_view definition;
  Value config;                      // rendered; secrets are in place. An object
  Value input;                       // the step's mapped input. An object
  std::vector<std::string> secrets;  // texts that must not appear in outputs, logs and errors
  int64_t timeout_us = 0;      // 0: none. The executor ends the attempt itself when it elapses
  std::string trace_parent{};  // W3C traceparent of the attempt, to be handed on; empty: none
};

struct TaskFailure {
  std::string kind;  // "exit", "http_status", "timeout", "connect", "config", "output_limit", …
  std::string message;
  bool retryable = true;  // false: no policy may retry it
  Payload details;        // an object, or absent
};

// What an attempt printed, kept with the history up to a limit.
struct TaskLog {
  std::string text;
  bool truncated = false;
};

struct TaskResult {
  std::expected<Payload, TaskFailure> outcome;  // the output is a JSON object
  TaskLog log;
  std::string worker;  // the name of the one that did it; empty: none did
};

class TaskExecutor {
 public:
  virtual ~TaskExecutor() = default;

  // Begins an attempt. `done` is called exactly once, possibly before Start returns, unless the
  // attempt is cancelled first.
  virtual void Start(TaskRequest request, std::function<void(TaskResult)> done) = 0;

  // Ends an attempt: nothing of it runs any more when `stopped` is called, and its `done` is never
  // called. Unknown keys call `stopped` at once.
  virtual void Cancel(const AttemptKey& key, std::function<void()> stopped) = 0;

  // What recovery does with an attempt that was running when the process died: start it again with
  // the same key, or count it as failed with the kind "interrupted".
  virtual bool repeats_after_crash() const { return false; }

  // What it does goes on while the engine is down: an orderly stop leaves its attempts alone, and
  // recovery starts them again with the same key. REQUIRES: repeats_after_crash, too.
  virtual bool outlives_engine() const { return false; }

  // Faults of a configuration that can be seen before anything runs: a sentence each.
  virtual std::vector<std::string> CheckConfig(const Value& config) const { return {}; }
};

// The executors of a process by task type. Owns them. Filled by main before the loop runs.
class TaskRegistry {
 public:
  void Register(std::string task_type, std::unique_ptr<TaskExecutor> executor);
  TaskExecutor* Find(std::string_view task_type) const;
  // Destroys the executors, which ends what they have outside at once.
  void Clear() { executors_.clear(); }
  std::set<std::string> types() const;

 private:
  std::map<std::string, std::unique_ptr<TaskExecutor>, std::less<>> executors_;
};

}  // namespace stele::tasks
