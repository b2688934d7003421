// From the configuration of an mcp step to which server is asked for what.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/http_plan.h"

namespace stele::tasks {

struct McpPlan {
  enum class Action : uint8_t { kCallTool, kListTools };
  Action action = Action::kCallTool;
  std::string tool;
  Object arguments;
  bool retry_tool_errors = false;
  int64_t timeout_us = 0;  // the configuration's, of the whole attempt; 0: it names none

  // The server: a program that is started, or (when that is empty) an address.
  std::string command;
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string working_directory;  // as written; empty: where `stele` was called
  HttpPlan http;
};

// Faults: a sentence each. `input` is the step's: the arguments where the configuration has none.
std::expected<McpPlan, std::vector<std::string>> ReadMcpPlan(const Value& config,
                                                             const Value& input,
                                                             ConfigReader::Mode mode);

}  // namespace stele::tasks
