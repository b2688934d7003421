// From the configuration of an `llm` step to a request of the chat completions API
// (https://platform.openai.com/docs/api-reference/chat/create), and from its answer to an output.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/http_plan.h"

namespace stele::tasks {

// A plan whose judge reads the answer, or a sentence a fault.
std::expected<HttpPlan, std::vector<std::string>> PlanLlm(const Value& config, const Value& input,
                                                          ConfigReader::Mode mode, HttpPlan plan);

// {text, json?, tool_calls?, finish_reason, usage, model}, or the failure "http_status" or
// "llm_output" (retryable: the next answer may be another). `wants_json`: the text has to be JSON.
std::expected<Payload, TaskFailure> JudgeCompletion(const HttpPlan& plan,
                                                    const HttpClient::Response& response,
                                                    const Redactor& redactor, bool wants_json);

}  // namespace stele::tasks
