// The task type `mcp`: calls a tool of a Model Context Protocol server, or lists its tools.
// docs/tasks.md describes the configuration.
//
// Thread: the loop's. After the executor is destroyed (which ends what still runs) the loop has to
// run until it has nothing left to do.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/mcp_stdio.h"
#include "engine/tasks/program_run.h"

namespace stele::tasks {

struct McpOptions {
  ProgramOptions program;
  McpLimits limits;
  int64_t timeout_us = kDefaultMcpTimeoutUs;  // where neither step nor configuration has one
};

// REQUIRES: `loop` outlives the executor. The client may be shared with other executors.
std::unique_ptr<TaskExecutor> MakeMcpExecutor(uv_loop_t* loop, std::shared_ptr<HttpClient> client,
                                              McpOptions options);

}  // namespace stele::tasks
