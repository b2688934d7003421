#include "engine/requests/people.h"

#include <fmt/format.h>

#include <utility>

#include "engine/decide/human_task.h"
#include "engine/requests/find_run.h"

namespace stele::requests {

namespace {

using definition::Definition;
using model::Instance;
using model::StepRun;

// What `make` makes of the run of the task that `step` names.
template <class Make>
MakeCommand OfTask(std::string step, Make make) {
  return [step = std::move(step), make = std::move(make)](
             const Instance& instance, const Definition& definition) -> Result<model::Command> {
    const Result<RunId> run = FindTask(instance, definition, step);
    if (!run.has_value()) return std::unexpected(run.error());
    return make(*instance.FindRun(*run), definition);
  };
}

// Claiming and releasing say the same of who acts.
template <class Command>
MakeCommand Hold(std::string step, Person person) {
  return OfTask(std::move(step),
                [person = std::move(person)](const StepRun& run,
                                             const Definition&) -> Result<model::Command> {
                  return Command{run.id, person.name, person.comment, person.groups,
                                 person.as_operator};
                });
}

MakeCommand Decide(std::string step, TaskKind kind, bool approved, Person person,
                   Payload filled_in) {
  return OfTask(std::move(step),
                [kind, approved, person = std::move(person), filled_in = std::move(filled_in)](
                    const StepRun& run, const Definition& definition) -> Result<model::Command> {
                  STELE_RETURN_IF_ERROR(CheckKind(definition, run, kind));
                  return model::DecideTask{.run = run.id,
                                           .person = person.name,
                                           .approved = approved,
                                           .comment = person.comment,
                                           .variables = filled_in,
                                           .groups = person.groups,
                                           .as_operator = person.as_operator};
                });
}

}  // namespace

MakeCommand Claim(std::string step, Person person) {
  return Hold<model::ClaimTask>(std::move(step), std::move(person));
}

MakeCommand Release(std::string step, Person person) {
  return Hold<model::ReleaseTask>(std::move(step), std::move(person));
}

MakeCommand Approve(std::string step, Person person, Payload filled_in) {
  return Decide(std::move(step), TaskKind::kApproval, true, std::move(person),
                std::move(filled_in));
}

MakeCommand Reject(std::string step, Person person, Payload filled_in) {
  return Decide(std::move(step), TaskKind::kApproval, false, std::move(person),
                std::move(filled_in));
}

MakeCommand Complete(std::string step, Person person, Payload filled_in) {
  return Decide(std::move(step), TaskKind::kManual, true, std::move(person), std::move(filled_in));
}

MakeCommand FailTask(std::string step, Person person, std::string kind) {
  return OfTask(std::move(step),
                [person = std::move(person), kind = std::move(kind)](
                    const StepRun& run, const Definition&) -> Result<model::Command> {
                  if (const auto rejection = decide::RejectPerson(
                          *run.human, person.name, person.groups, person.as_operator))
                    return std::unexpected(*rejection);
                  return model::FailAttempt{
                      .run = run.id,
                      .attempt = run.attempt,
                      .kind = kind,
                      .message = person.comment.empty() ? fmt::format("Failed by {}", person.name)
                                                        : fmt::format("Failed by {}: {}",
                                                                      person.name, person.comment)};
                });
}

Result<RunId> FindTask(const Instance& instance, const Definition& definition,
                       const std::string& step) {
  return FindOpenRun(instance, definition, step, "a task that waits for people",
                     [](const StepRun& run) { return run.human != nullptr; });
}

Status CheckKind(const Definition& definition, const StepRun& run, TaskKind kind) {
  const definition::Step& step = definition.step(run.step);
  const TaskKind found = step.task_type == "approval" ? TaskKind::kApproval : TaskKind::kManual;
  if (found == kind) return {};
  return Fail(ErrorCode::kWrongState,
              found == TaskKind::kApproval
                  ? fmt::format("Expected a manual task but \"{}\" is an approval", step.id)
                  : fmt::format("Expected an approval but \"{}\" is a manual task", step.id));
}

}  // namespace stele::requests
