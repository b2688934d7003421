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

// The command for the first `count` operands, all of them by default.
int RunOperation(const Arguments& arguments, const Terminal& terminal, MakeCommand make,
                 const OperationPlan& plan, size_t count = SIZE_MAX) {
  const std::vector<std::string>& operands = arguments.operands();
  const auto end = operands.begin() + static_cast<ptrdiff_t>(std::min(count, operands.size()));
  const auto instances = InstancesOf({operands.begin(), end});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  return Operate(arguments, terminal, *instances, ForAnybody(std::move(make)), plan);
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
  return RunOperation(arguments, terminal, requests::Pause(arguments.Get("--reason")),
                      {.done = "is paused"});
}

int ResumePaused(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, requests::Resume(arguments.Get("--reason")),
                      {.goes_on = true, .done = "is resumed"});
}

int StepOn(const Arguments& arguments, const Terminal& terminal) {
  OperationPlan plan{.goes_on = true, .done = "may take its steps"};
  int64_t steps = 1;
  if (arguments.operands().size() > 1) {
    const std::string& word = arguments.operands()[1];
    const auto given = ParseNumber(word, "the steps to take", 1, 1'000'000);
    if (!given.has_value()) return Refuse(terminal, given.error());
    steps = *given;
  }
  // Recorded only, nothing comes to rest in between: so many of what is held now start at once.
  const bool waits = !arguments.Has("--no-wait");
  if (waits) {
    plan.times = steps;
    plan.again = HoldsSomething;
  }
  const auto at_once = static_cast<uint32_t>(waits ? 1 : steps);
  return RunOperation(arguments, terminal, requests::Resume(arguments.Get("--reason"), at_once),
                      plan, 1);
}

int Cancel(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal,
                      requests::Cancel(arguments.Has("--compensate"), arguments.Get("--reason")),
                      {.goes_on = true, .ends = true, .done = "is to be cancelled"});
}

int Terminate(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal, requests::Terminate(arguments.Get("--reason")),
                      {.goes_on = true, .ends = true, .done = "is terminated"});
}

int Retry(const Arguments& arguments, const Terminal& terminal) {
  const std::string reason = arguments.Get("--reason");
  if (arguments.operands().size() == 1)
    return RunOperation(arguments, terminal, requests::Retry(reason),
                        {.goes_on = true, .done = "is to be retried"});
  return RunOperation(arguments, terminal, requests::RetryStep(arguments.operands()[1], reason),
                      {.goes_on = true, .done = "tries the step again"}, 1);
}

int Skip(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal,
                      requests::SkipStep(arguments.operands()[1], arguments.Get("--reason")),
                      {.goes_on = true, .done = "skips the step"}, 1);
}

int RollBack(const Arguments& arguments, const Terminal& terminal) {
  return RunOperation(arguments, terminal,
                      requests::RollBack(arguments.Get("--from"), arguments.operands()[1],
                                         arguments.Get("--reason")),
                      {.goes_on = true, .done = "is sent back"}, 1);
}

int Resolve(const Arguments& arguments, const Terminal& terminal) {
  const std::string& word = arguments.operands()[2];
  if (const auto known = requests::ParseResolution(word); !known.has_value())
    return Refuse(terminal, known.error());
  return RunOperation(arguments, terminal,
                      requests::Resolve(arguments.operands()[1], word, arguments.Get("--reason")),
                      {.goes_on = true, .done = "is decided about"}, 1);
}

}  // namespace stele::cli
