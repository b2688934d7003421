#include "engine/tasks/mcp_plan.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "base/json.h"
#include "engine/tasks/argument_text.h"

namespace stele::tasks {
namespace {

void ReadAction(ConfigReader& reader, McpPlan& plan) {
  std::string fallback = "call_tool";
  std::string action = reader.Text("action").value_or(fallback);
  plan.tool = reader.Text("tool").value_or("");
  if (reader.IsOpen(Value(action))) return;
  if (action == "list_tools") {
    plan.action = McpPlan::Action::kListTools;
    for (std::string_view key : {"tool", "arguments"}) {
      if (reader.Has(key)) {
        reader.AddFault(
            fmt::format("Expected no `{}` with the action list_tools but found it", key));
      }
    }
  } else if (action != fallback) {
    reader.AddFault(fmt::format(
        "Expected `action` to be call_tool or list_tools but found \"{}\"; what a server offers is "
        "called by its name in `tool`",
        action));
  } else if (plan.tool.empty()) {
    reader.AddFault("Expected `tool` but found none");
  }
}

void ReadArguments(ConfigReader& reader, const Value& input, McpPlan& plan) {
  const Value* arguments = reader.Any("arguments");
  if (arguments == nullptr) {
    if (input.is_object()) plan.arguments = input.as_object();
  } else if (arguments->is_object()) {
    plan.arguments = arguments->as_object();
  } else if (!reader.IsOpen(*arguments)) {
    reader.AddFault(
        fmt::format("Expected `arguments` to be an object but found {}", ToJson(*arguments)));
  }
}

void ReadProgram(ConfigReader& reader, McpPlan& plan) {
  plan.command = ReadArgument(reader, "command").value_or("");
  plan.args = reader.TextList("args");
  for (const std::string& argument : plan.args) {
    if (argument.contains('\0')) reader.AddFault("Expected `args` without NUL");
  }
  bool both = reader.Has("environment") && reader.Has("env");
  if (both) reader.AddFault("Expected one of `environment` and `env` but found both");
  std::string_view key = reader.Has("env") ? "env" : "environment";
  plan.environment = reader.TextMap(key);
  CheckVariables(reader, key, plan.environment);
  plan.working_directory = reader.Text("working_directory").value_or("");
  plan.timeout_us = reader.DurationUs("timeout");
}

void ReadAddress(ConfigReader& reader, McpPlan& plan) {
  ReadTransport(reader, "url", plan.http);
  plan.timeout_us = plan.http.timeout_us;
  for (std::string_view key : {"follow_redirects", "expect", "success_status"}) {
    if (!reader.Has(key)) continue;
    reader.AddFault(fmt::format("Expected no `{}` in an mcp step but found it", key));
  }
}

}  // namespace

std::expected<McpPlan, std::vector<std::string>> ReadMcpPlan(const Value& config,
                                                             const Value& input,
                                                             ConfigReader::Mode mode) {
  ConfigReader reader(config, mode);
  McpPlan plan;
  ReadChoice(reader, "executor", {"mcp"}, "mcp");
  bool has_command = reader.Has("command");
  bool has_url = reader.Has("url");
  if (has_command && has_url) {
    reader.AddFault("Expected one of `command` and `url` but found both");
  } else if (!has_command && !has_url) {
    reader.AddFault(
        "Expected `command` (a server to start) or `url` (one to call) but found neither");
  }
  // Both readers make their keys known; where neither is named, all keys are.
  if (!has_url || has_command) ReadProgram(reader, plan);
  if (!has_command || has_url) ReadAddress(reader, plan);
  ReadAction(reader, plan);
  ReadArguments(reader, input, plan);
  plan.retry_tool_errors = reader.Bool("retry_tool_errors", false);
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return plan;
}

}  // namespace stele::tasks
