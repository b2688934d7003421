// What operators do to whole instances: pause, resume, step, cancel, terminate, retry; and to
// steps: skip, roll back, resolve.
#include <algorithm>

#include "cli/commands.h"
#include "cli/given.h"
#include "cli/operation.h"
#include "engine/requests/operators.h"

namespace stele::cli {

namespace {

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

int EndInstances(const Arguments& arguments, const Terminal& terminal, const MakeCommand& make,
                 std::string_view done) {
  const auto instances = InstancesOf(arguments.operands());
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  Operation operation(arguments, terminal);
  operation.EndsInstances();
  if (const Status opened = operation.Open(true); !opened.has_value())
    return Refuse(terminal, opened.error());
  return operation.Run(*instances, make, done);
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

}  // namespace

int Pause(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, Afterwards::kRecorded, "is paused",
                      requests::Pause(arguments.Get("--reason")));
}

int ResumePaused(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is resumed",
                      requests::Resume(arguments.Get("--reason")));
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
  return operation.Run(
      *instances,
      requests::Resume(arguments.Get("--reason"), waits ? 1 : static_cast<uint32_t>(steps)),
      "may take its steps");
}

int Cancel(const Arguments& arguments, const Terminal& terminal) {
  return EndInstances(arguments, terminal,
                      requests::Cancel(arguments.Has("--compensate"), arguments.Get("--reason")),
                      "is to be cancelled");
}

int Terminate(const Arguments& arguments, const Terminal& terminal) {
  return EndInstances(arguments, terminal, requests::Terminate(arguments.Get("--reason")),
                      "is terminated");
}

int Retry(const Arguments& arguments, const Terminal& terminal) {
  const std::string reason = arguments.Get("--reason");
  if (arguments.operands().size() == 1)
    return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is to be retried",
                        requests::Retry(reason));
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "tries the step again",
                      requests::RetryStep(arguments.operands()[1], reason), 1);
}

int Skip(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "skips the step",
                      requests::SkipStep(arguments.operands()[1], arguments.Get("--reason")), 1);
}

int RollBack(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is sent back",
                      requests::RollBack(arguments.Get("--from"), arguments.operands()[1],
                                         arguments.Get("--reason")),
                      1);
}

int Resolve(const Arguments& arguments, const Terminal& terminal) {
  const std::string& word = arguments.operands()[2];
  if (const auto known = requests::ParseResolution(word); !known.has_value())
    return Refuse(terminal, known.error());
  return RunOperation(arguments, terminal, Afterwards::kGoesOn, "is decided about",
                      requests::Resolve(arguments.operands()[1], word, arguments.Get("--reason")),
                      1);
}

}  // namespace stele::cli
