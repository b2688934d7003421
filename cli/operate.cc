// What operators do to whole instances: pause, resume, step, cancel, terminate, retry; and to
// steps: skip, roll back, resolve.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/operation.h"

namespace stele::cli {

namespace {

using definition::Definition;
using model::Instance;
using model::RunState;
using model::StepRun;

enum class Afterwards : uint8_t { kRecorded, kGoesOn };

// Opens, and runs the command for the first `count` operands, all of them by default.
int RunOperation(const Arguments& arguments, const Terminal& terminal, Afterwards afterwards,
                 std::string_view done, const MakeCommand& make, size_t count = SIZE_MAX) {
  const std::vector<std::string>& operands = arguments.operands();
  const auto end = operands.begin() + static_cast<ptrdiff_t>(std::min(count, operands.size()));
  const auto instances = InstancesOf({operands.begin(), end});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  Operation operation(arguments, terminal);
  if (const Status opened = operation.Open(afterwards == Afterwards::kGoesOn); !opened.has_value())
    return Refuse(terminal, opened.error());
  return operation.Run(*instances, make, done);
}

MakeCommand Always(model::Command command) {
  return [command = std::move(command)](const Instance&, const Definition&) { return command; };
}

int EndInstances(const Arguments& arguments, const Terminal& terminal, model::Command command,
                 std::string_view done) {
  const auto instances = InstancesOf(arguments.operands());
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  Operation operation(arguments, terminal);
  operation.EndsInstances();
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  return operation.Run(*instances, Always(std::move(command)), done);
}

// Of an instance that is at rest: whether another step of it would start something.
bool HoldsSomething(const Instance& instance) {
  if (model::HasEnded(instance.status) || !instance.paused) return false;
  if (instance.runs.empty()) return true;  // all that is held is its end, or a step
  for (const model::Scope& scope : instance.scopes)
    if (!scope.held_steps.empty()) return true;
  return std::ranges::any_of(instance.runs, [](const StepRun& run) {
    return run.state == RunState::kHeld || run.state == RunState::kFailing;
  });
}

bool IsAny(const StepRun&) {
  return true;
}

}  // namespace

int Pause(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, Afterwards::kRecorded, "is paused",
                      Always(model::PauseInstance{arguments.Get("--reason")}));
}

int ResumePaused(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is resumed",
                      Always(model::ResumeInstance{arguments.Get("--reason"), 0}));
}

int StepOn(const Arguments& arguments, const Terminal& terminal) {
  int64_t steps = 1;
  if (arguments.operands().size() > 1) {
    const std::string& word = arguments.operands()[1];
    const auto given = ParseNumber(word, "the steps to take", 1, 1'000'000);
    if (!given.has_value()) return Refuse(terminal, given.error());
    steps = *given;
  }
  const auto instances = InstancesOf({arguments.operands()[0]});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  Operation operation(arguments, terminal);
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  // Recorded only, nothing comes to rest in between: so many of what is held now start at once.
  const bool waits = !arguments.Has("--no-wait");
  if (waits) operation.Repeat(steps, HoldsSomething);
  return operation.Run(*instances,
                       Always(model::ResumeInstance{arguments.Get("--reason"),
                                                    waits ? 1 : static_cast<uint32_t>(steps)}),
                       "may take its steps");
}

int Cancel(const Arguments& arguments, const Terminal& terminal) {
  return EndInstances(
      arguments, terminal,
      model::CancelInstance{arguments.Has("--compensate"), arguments.Get("--reason")},
      "is to be cancelled");
}

int Terminate(const Arguments& arguments, const Terminal& terminal) {
  return EndInstances(arguments, terminal, model::TerminateInstance{arguments.Get("--reason")},
                      "is terminated");
}

int Retry(const Arguments& arguments, const Terminal& terminal) {
  const std::string reason = arguments.Get("--reason");
  if (arguments.operands().size() == 1)
    return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is to be retried",
                        Always(model::RetryInstance{reason}));
  const auto make = [&](const Instance& instance,
                        const Definition& definition) -> Result<model::Command> {
    const auto waits = [](const StepRun& run) {
      return run.state == RunState::kBackoff || run.state == RunState::kParked;
    };
    const Result<RunId> run = FindOpenRun(instance, definition, arguments.operands()[1],
                                          "waiting for a retry or an operator", waits);
    if (!run.has_value()) return std::unexpected(run.error());
    return model::RetryStep{*run, reason};
  };
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "tries the step again", make, 1);
}

int Skip(const Arguments& arguments, const Terminal& terminal) {
  const auto make = [&](const Instance& instance,
                        const Definition& definition) -> Result<model::Command> {
    const Result<RunId> run =
        FindOpenRun(instance, definition, arguments.operands()[1], "open", IsAny);
    if (!run.has_value()) return std::unexpected(run.error());
    return model::SkipStep{*run, arguments.Get("--reason")};
  };
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "skips the step", make, 1);
}

int RollBack(const Arguments& arguments, const Terminal& terminal) {
  const auto make = [&](const Instance& instance,
                        const Definition& definition) -> Result<model::Command> {
    const std::string& target = arguments.operands()[1];
    const definition::Step* to = definition.FindStep(target);
    if (to == nullptr)
      return Fail(ErrorCode::kUnknownRun,
                  fmt::format("Expected a step of \"{}\" to go back to but found \"{}\"",
                              definition.name, target));
    model::RollBack command{RunId(), definition.IndexOf(*to), arguments.Get("--reason")};
    if (arguments.Has("--from")) {
      const Result<RunId> from =
          FindOpenRun(instance, definition, arguments.Get("--from"), "open", IsAny);
      if (!from.has_value()) return std::unexpected(from.error());
      command.from_run = *from;
    }
    return command;
  };
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is sent back", make, 1);
}

int Resolve(const Arguments& arguments, const Terminal& terminal) {
  const std::string& word = arguments.operands()[2];
  const std::optional<model::Resolution> resolution = FindResolution(word);
  if (!resolution.has_value())
    return Refuse(terminal, {ErrorCode::kUsage,
                             fmt::format("Expected retry, skip or fail but found \"{}\"", word)});
  const auto make = [&](const Instance& instance,
                        const Definition& definition) -> Result<model::Command> {
    const auto parked = [](const StepRun& run) { return run.state == RunState::kParked; };
    const Result<RunId> run = FindOpenRun(instance, definition, arguments.operands()[1],
                                          "waiting for an operator", parked);
    if (!run.has_value()) return std::unexpected(run.error());
    return model::ResolveIncident{*run, *resolution, arguments.Get("--reason")};
  };
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is decided about", make, 1);
}

}  // namespace stele::cli
