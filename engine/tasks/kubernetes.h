// The task type `kubernetes` (also written k8s): one call of kubectl. docs/tasks.md describes the
// configuration.
//
// Thread: the loop's. After the executor is destroyed (which kills what still runs) the loop has to
// run until it has nothing left to do.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "engine/tasks/executor.h"
#include "engine/tasks/program_run.h"

namespace stele::tasks {

// With the variables of this process that kubectl and its credential plugins listen to.
ProgramOptions KubernetesOptionsFromProcess(std::string base_directory);

// REQUIRES: `loop` outlives the executor.
std::unique_ptr<TaskExecutor> MakeKubernetesExecutor(uv_loop_t* loop, ProgramOptions options);

}  // namespace stele::tasks
