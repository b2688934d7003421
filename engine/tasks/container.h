// The task type `container` (also written docker): one run of an image by docker or podman, removed
// when the attempt is over. docs/tasks.md describes the configuration.
//
// Thread: the loop's. Destroying the executor starts the removal of the containers that still run;
// the loop has to run until it has nothing left to do.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "engine/tasks/executor.h"
#include "engine/tasks/program_run.h"

namespace stele::tasks {

// With the variables of this process that docker and podman listen to.
ProgramOptions ContainerOptionsFromProcess(std::string base_directory);

// REQUIRES: `loop` outlives the executor.
std::unique_ptr<TaskExecutor> MakeContainerExecutor(uv_loop_t* loop, ProgramOptions options);

}  // namespace stele::tasks
