// What people do about their tasks: claim, release, approve, reject, complete, fail.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/operation.h"
#include "engine/decide/human_task.h"

namespace stele::cli {

namespace {

using definition::Definition;
using model::Instance;
using model::StepRun;

// The task that the operands name.
Result<RunId> TaskOf(const Arguments& arguments, const Instance& instance,
                     const Definition& definition) {
  return FindOpenRun(instance, definition, arguments.operands()[1], "a task that waits for people",
                     [](const StepRun& run) { return run.human != nullptr; });
}

// Runs what `make` makes of the run, for the one instance.
template <class Make>
int RunForTask(const Arguments& arguments, const Terminal& terminal, bool goes_on,
               std::string_view done, Make make) {
  const auto instances = InstancesOf({arguments.operands()[0]});
  if (!instances.has_value()) return Refuse(terminal, instances.error());
  Operation operation(arguments, terminal);
  if (const Status opened = operation.Open(goes_on); !opened.has_value())
    return Refuse(terminal, opened.error());
  return operation.Run(
      *instances,
      [&](const Instance& instance, const Definition& definition) -> Result<model::Command> {
        const Result<RunId> run = TaskOf(arguments, instance, definition);
        if (!run.has_value()) return std::unexpected(run.error());
        return make(*run, *instance.FindRun(*run), definition, operation.actor());
      },
      done);
}

// Claiming and releasing say the same of who acts.
template <class Command>
int Hold(const Arguments& arguments, const Terminal& terminal, std::string_view verb) {
  return RunForTask(arguments, terminal, false,
                    fmt::format("has its task \"{}\" {}", arguments.operands()[1], verb),
                    [&](RunId run, const StepRun&, const Definition&,
                        const std::string& person) -> Result<model::Command> {
                      return Command{run, person, arguments.Get("--comment"),
                                     arguments.All("--group"), arguments.Has("--as-operator")};
                    });
}

// What was filled in, as an object; absent when nothing was.
Result<Payload> FilledIn(const Arguments& arguments, const Definition& definition,
                         const StepRun& run) {
  const BodyIndex body = definition.step(run.step).body;
  const auto variables = GivenVariables(arguments.All("--var"), "--var NAME=VALUE",
                                        definition.bodies[body.value].variables);
  if (!variables.has_value()) return std::unexpected(variables.error());
  if (variables->empty()) return Payload();
  Object object;
  for (const model::NamedPayload& variable : *variables)
    object.Set(variable.name, variable.value.value());
  return Payload::FromValue(std::move(object));
}

enum class Decision : uint8_t { kApprove, kReject, kComplete };

// A task of the other kind is for another command.
Status CheckKind(const Definition& definition, const StepRun& run, Decision decision) {
  const definition::Step& step = definition.step(run.step);
  const bool approval = step.task_type == "approval";
  if (approval == (decision != Decision::kComplete)) return {};
  return Fail(ErrorCode::kWrongState,
              approval
                  ? fmt::format("Expected a manual task but \"{}\" is an approval; use \"stele "
                                "approve\" or \"stele reject\"",
                                step.id)
                  : fmt::format("Expected an approval but \"{}\" is a manual task; use "
                                "\"stele complete\" or \"stele fail\"",
                                step.id));
}

int Decide(const Arguments& arguments, const Terminal& terminal, Decision decision,
           std::string_view verb) {
  return RunForTask(arguments, terminal, true,
                    fmt::format("has \"{}\" {}", arguments.operands()[1], verb),
                    [&](RunId id, const StepRun& run, const Definition& definition,
                        const std::string& person) -> Result<model::Command> {
                      STELE_RETURN_IF_ERROR(CheckKind(definition, run, decision));
                      Result<Payload> filled = FilledIn(arguments, definition, run);
                      if (!filled.has_value()) return std::unexpected(filled.error());
                      return model::DecideTask{.run = id,
                                               .person = person,
                                               .approved = decision != Decision::kReject,
                                               .comment = arguments.Get("--comment"),
                                               .variables = *std::move(filled),
                                               .groups = arguments.All("--group"),
                                               .as_operator = arguments.Has("--as-operator")};
                    });
}

}  // namespace

int Claim(const Arguments& arguments, const Terminal& terminal) {
  return Hold<model::ClaimTask>(arguments, terminal, "claimed");
}

int Release(const Arguments& arguments, const Terminal& terminal) {
  return Hold<model::ReleaseTask>(arguments, terminal, "released");
}

int Approve(const Arguments& arguments, const Terminal& terminal) {
  return Decide(arguments, terminal, Decision::kApprove, "approved");
}

int Reject(const Arguments& arguments, const Terminal& terminal) {
  return Decide(arguments, terminal, Decision::kReject, "rejected");
}

int CompleteTask(const Arguments& arguments, const Terminal& terminal) {
  return Decide(arguments, terminal, Decision::kComplete, "completed");
}

int FailTask(const Arguments& arguments, const Terminal& terminal) {
  const std::string comment =
      arguments.Has("--comment") ? arguments.Get("--comment") : arguments.Get("--reason");
  return RunForTask(
      arguments, terminal, true, fmt::format("has \"{}\" failed", arguments.operands()[1]),
      [&](RunId id, const StepRun& run, const Definition&,
          const std::string& person) -> Result<model::Command> {
        if (const auto rejection = decide::RejectPerson(
                *run.human, person, arguments.All("--group"), arguments.Has("--as-operator")))
          return std::unexpected(*rejection);
        return model::FailAttempt{
            .run = id,
            .attempt = run.attempt,
            .kind = arguments.Get("--kind", "failed"),
            .message = comment.empty() ? fmt::format("Failed by {}", person)
                                       : fmt::format("Failed by {}: {}", person, comment)};
      });
}

}  // namespace stele::cli
