#include "cli/given_start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "base/json.h"
#include "cli/given.h"
#include "cli/text.h"
#include "engine/definition/limits.h"

namespace stele::cli {

namespace {

void WarnOfUnknown(const Terminal& terminal, const definition::Definition& definition,
                   const std::vector<model::NamedPayload>& variables) {
  const auto& declared = definition.bodies[0].variables;
  if (declared.empty()) return;
  std::vector<std::string> names;
  for (const definition::Variable& variable : declared) names.push_back(variable.name);
  for (const model::NamedPayload& variable : variables)
    if (std::ranges::find(names, variable.name) == names.end())
      terminal.PrintNote(fmt::format("warning: expected one of the variables {} but found \"{}\"",
                                     fmt::join(names, ", "), variable.name));
}

}  // namespace

Result<model::StartInstance> ReadStart(const Arguments& arguments, const Terminal& terminal,
                                       const definition::Definition& definition, TimeUs now) {
  model::StartInstance command;
  Result<Payload> input = GivenObject(arguments, "--input");
  if (!input.has_value()) return std::unexpected(input.error());
  command.input = *std::move(input);
  auto variables =
      GivenVariables(arguments.All("--var"), "--var NAME=VALUE", definition.bodies[0].variables);
  if (!variables.has_value()) return std::unexpected(variables.error());
  WarnOfUnknown(terminal, definition, *variables);
  command.variables = *std::move(variables);
  command.business_key = arguments.Get("--business-key");
  command.idempotency_key = arguments.Get("--idempotency-key");
  command.tags = arguments.All("--tag");
  command.paused = arguments.Has("--paused") || arguments.Has("--step-by-step");
  const char* const around = std::getenv("TRACEPARENT");
  command.trace_parent = arguments.Get("--trace-parent", around == nullptr ? "" : around);
  if (arguments.Has("--unique") && command.business_key.empty())
    return Fail(ErrorCode::kUsage, "Expected --business-key beside --unique but found none");
  const auto priority =
      GivenNumber(arguments, "--priority", definition::kMinPriority, definition::kMaxPriority);
  if (!priority.has_value()) return std::unexpected(priority.error());
  command.priority = static_cast<int32_t>(priority->value_or(definition.priority));
  const auto deadline = GivenMoment(arguments, "--deadline", now);
  if (!deadline.has_value()) return std::unexpected(deadline.error());
  command.deadline = *deadline;
  return command;
}

Status CheckVersion(const Arguments& arguments, bool is_file) {
  if (!is_file || !arguments.Has("--version")) return {};
  return Fail(ErrorCode::kUsage,
              "Expected the name of a definition beside --version but found a file");
}

void ReportStarted(const Arguments& arguments, const Terminal& terminal, InstanceId instance,
                   const std::string& definition, bool known) {
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(Object{{"instance", static_cast<int64_t>(instance.value)},
                                                 {"definition", definition},
                                                 {"status", "started"},
                                                 {"known", known}})) +
                   "\n");
  } else {
    terminal.Print(
        fmt::format("instance {} of {} is started\n", instance.value, Clean(definition)));
  }
}

std::string KnownStartNote(InstanceId instance) {
  return fmt::format("instance {} was started with the same idempotency key before",
                     instance.value);
}

}  // namespace stele::cli
