#include "engine/tasks/llm.h"

#include <utility>

#include "engine/tasks/llm_plan.h"
#include "engine/tasks/request_executor.h"

namespace stele::tasks {

std::unique_ptr<TaskExecutor> MakeLlmExecutor(std::shared_ptr<HttpClient> client,
                                              HttpOptions options) {
  HttpPlan defaults;
  defaults.request.timeout_us = options.timeout_us;
  defaults.request.max_response_bytes = options.max_response_bytes;
  return std::make_unique<RequestExecutor>(std::move(client), std::move(defaults), &PlanLlm);
}

}  // namespace stele::tasks
