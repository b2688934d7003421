// The task types that come with Stele, for an engine inside a program.
#pragma once

#include <uv.h>

#include "base/clock.h"
#include "engine/tasks/executor.h"

namespace stele::embed {

// Scripts and programs start in the working directory of the process. The loop and the clock
// outlive the registry.
void RegisterBuiltinTasks(uv_loop_t* loop, const Clock* clock, tasks::TaskRegistry& registry);

}  // namespace stele::embed
