// The task type `http` (also written api, API_CALL): one request, its answer as the output.
// docs/tasks.md describes the configuration.
#pragma once

#include <memory>

#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

struct HttpOptions {
  int64_t timeout_us = kDefaultHttpTimeoutUs;     // where neither step nor configuration has one
  size_t max_response_bytes = kMaxResponseBytes;  // a configuration may lower it
};

// The client may be shared with other executors.
std::unique_ptr<TaskExecutor> MakeHttpExecutor(std::shared_ptr<HttpClient> client,
                                               HttpOptions options = {});

}  // namespace stele::tasks
