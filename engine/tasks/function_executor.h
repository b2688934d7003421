// A task that is a function of this process: for stubs (`--stub`), tests and benchmarks.
//
// Thread: the loop's. The function answers before Start returns, so nothing is ever left to cancel.
#pragma once

#include <functional>
#include <utility>

#include "engine/tasks/executor.h"

namespace stele::tasks {

class FunctionExecutor final : public TaskExecutor {
 public:
  using Function = std::function<TaskResult(const TaskRequest&)>;

  explicit FunctionExecutor(Function function, bool repeats_after_crash = true)
      : function_(std::move(function)), repeats_after_crash_(repeats_after_crash) {}

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override {
    done(function_(request));
  }
  void Cancel(const AttemptKey&, std::function<void()> stopped) override { stopped(); }
  bool repeats_after_crash() const override { return repeats_after_crash_; }

 private:
  Function function_;
  bool repeats_after_crash_;
};

// Completes every attempt with the same output.
inline FunctionExecutor::Function Always(Payload output) {
  return [output = std::move(output)](const TaskRequest&) { return TaskResult{output, {}}; };
}

}  // namespace stele::tasks
