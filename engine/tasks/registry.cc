#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

std::string AttemptKey::ToString() const {
  return fmt::format("{}-{}-{}", instance.value, run.value, attempt);
}

void TaskRegistry::Register(std::string task_type, std::unique_ptr<TaskExecutor> executor) {
  CHECK(executor != nullptr, "no executor for {}", task_type);
  auto [place, added] = executors_.try_emplace(std::move(task_type), std::move(executor));
  CHECK(added, "two executors for {}", place->first);
}

TaskExecutor* TaskRegistry::Find(std::string_view task_type) const {
  auto found = executors_.find(task_type);
  return found == executors_.end() ? nullptr : found->second.get();
}

std::set<std::string> TaskRegistry::types() const {
  std::set<std::string> types;
  for (const auto& [type, executor] : executors_) types.insert(type);
  return types;
}

}  // namespace stele::tasks
