// Attempts as objects, and the executor that keeps them: it starts each, hands on its result, and
// ends it when it is cancelled. A task type that needs a process or a conversation writes an
// Attempt and a check of its configuration; the rest is here.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/executor.h"

namespace stele::tasks {

// One attempt, from its start until nothing of it is left outside. Destroying it earlier ends what
// runs at once and tells nobody.
class Attempt {
 public:
  // Called once, from the loop, when nothing of the attempt runs any more. May destroy the attempt.
  using Finish = std::function<void(TaskResult)>;

  virtual ~Attempt() = default;
  // A failure when nothing was started; `finish` is then not called. It is never called before this
  // returns.
  virtual std::optional<TaskFailure> Begin() = 0;
  // Ends it early: `finish` follows, with a result that nobody looks at. At most once.
  virtual void Stop() = 0;
};

class AttemptExecutor final : public TaskExecutor {
 public:
  using Make = std::function<std::unique_ptr<Attempt>(TaskRequest request, Attempt::Finish finish)>;
  using Check = std::function<std::vector<std::string>(const Value& config)>;

  AttemptExecutor(Make make, Check check)
      : make_(std::move(make)), check_(std::move(check)), alive_(std::make_shared<bool>(true)) {}
  // Ends what runs.
  ~AttemptExecutor() override;

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override;
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override;
  std::vector<std::string> CheckConfig(const Value& config) const override {
    return check_(config);
  }

 private:
  struct Running {
    std::unique_ptr<Attempt> attempt;
    std::function<void(TaskResult)> done;
    std::vector<std::function<void()>> stopped;  // not empty: it was cancelled
  };
  void Finish(const AttemptKey& key, TaskResult result);

  Make make_;
  Check check_;
  std::shared_ptr<bool> alive_;  // read by what outlives this, the removal of a directory for one
  std::map<AttemptKey, Running> running_;
};

}  // namespace stele::tasks
