// The task type `agent`: work for an agent, which a worker brings. What the agent is told is its
// configuration; the members that Stele knows are checked, others are the agent's own.
// docs/tasks.md describes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/tasks/executor.h"
#include "engine/tasks/worker_pool.h"

namespace stele::tasks {

inline constexpr std::string_view kAgentType = "agent";

// Faults of a configuration, a sentence each; templates are open until `rendered`.
std::vector<std::string> CheckAgentConfig(const Value& config, bool rendered);

std::unique_ptr<TaskExecutor> MakeAgentExecutor(std::shared_ptr<WorkerPool> pool);

}  // namespace stele::tasks
