#include "cli/stubs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/step_types.h"
#include "engine/tasks/function_executor.h"

namespace stele::cli {

Result<std::vector<Stub>> ParseStubs(const std::vector<std::string>& words) {
  std::vector<Stub> stubs;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected --stub STEP_OR_TYPE=JSON but found \"{}\"", word));
    Result<Value> output = ParseJson(std::string_view(word).substr(equals + 1));
    if (!output.has_value() || !output->is_object())
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected a JSON object as the output of --stub {} but found {}",
                              word.substr(0, equals), word.substr(equals + 1)));
    const std::string name = word.substr(0, equals);
    if (std::ranges::find(stubs, name, &Stub::name) != stubs.end())
      return Fail(ErrorCode::kUsage, fmt::format("Expected one --stub {} but found two", name));
    stubs.push_back({name, *std::move(output)});
  }
  return stubs;
}

void RegisterStubs(const std::vector<Stub>& stubs, tasks::TaskRegistry& registry) {
  const auto executor = [](const Stub& stub) {
    return std::make_unique<tasks::FunctionExecutor>(
        tasks::Always(Payload::FromValue(stub.output)));
  };
  for (const Stub& stub : stubs) {
    registry.Register("step:" + stub.name, executor(stub));
    const auto type = definition::FindStepType(stub.name);
    const std::string task_type = type.has_value() ? type->task_type : stub.name;
    if (registry.Find(task_type) == nullptr) registry.Register(task_type, executor(stub));
  }
}

Status CheckStubs(const std::vector<Stub>& stubs, const definition::Definition& definition) {
  for (const Stub& stub : stubs) {
    const bool names_one = std::ranges::any_of(
        definition.steps, [&](const auto& step) { return definition::IsCalled(step, stub.name); });
    if (!names_one)
      return Fail(ErrorCode::kUsage,
                  fmt::format("Expected a task or a task type of the workflow for --stub but found "
                              "\"{}\"",
                              stub.name));
  }
  return {};
}

}  // namespace stele::cli
