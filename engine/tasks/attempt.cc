#include "engine/tasks/attempt.h"

#include "base/check.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

AttemptExecutor::~AttemptExecutor() {
  *alive_ = false;
}

void AttemptExecutor::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  AttemptKey key = request.key;
  CHECK(!running_.contains(key), "attempt {} runs already", key.ToString());
  Redactor redactor(request.secrets);
  std::unique_ptr<Attempt> attempt =
      make_(std::move(request), [this, alive = alive_, key](TaskResult result) {
        if (*alive) Finish(key, std::move(result));
      });
  if (std::optional<TaskFailure> failure = attempt->Begin()) {
    failure->message = redactor.Text(failure->message);
    done(TaskResult{std::unexpected(*std::move(failure)), {}});
    return;
  }
  running_.emplace(key, Running{std::move(attempt), std::move(done), {}});
}

void AttemptExecutor::Finish(const AttemptKey& key, TaskResult result) {
  auto ended = running_.extract(key);
  CHECK(!ended.empty(), "attempt {} ended twice", key.ToString());
  Running& running = ended.mapped();
  if (running.stopped.empty()) {
    running.done(std::move(result));
    return;
  }
  for (auto& stopped : running.stopped) stopped();
}

void AttemptExecutor::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  auto found = running_.find(key);
  if (found == running_.end()) {
    stopped();
    return;
  }
  bool first = found->second.stopped.empty();
  found->second.stopped.push_back(std::move(stopped));
  if (first) found->second.attempt->Stop();
}

}  // namespace stele::tasks
