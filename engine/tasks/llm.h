// The task type `llm`: one request to a server of the chat completions API. docs/tasks.md describes
// the configuration.
#pragma once

#include <memory>

#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/http.h"

namespace stele::tasks {

// The client may be shared with other executors.
std::unique_ptr<TaskExecutor> MakeLlmExecutor(std::shared_ptr<HttpClient> client,
                                              HttpOptions options = {
                                                  .timeout_us = kDefaultLlmTimeoutUs});

}  // namespace stele::tasks
