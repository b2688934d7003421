// What people do about their tasks.
#include <fmt/format.h>

#include "engine/decide/human_task.h"
#include "engine/embed/core.h"
#include "engine/embed/find_run.h"

namespace stele::embed {

namespace {

using model::Command;

// What `make` makes of the run of the task that `step` names.
template <class Make>
auto OfTask(const std::string& step, Make make) {
  return [step, make = std::move(make)](
             const model::Instance& instance,
             const definition::Definition& definition) -> stele::Result<Command> {
    const auto run = FindRun(instance, definition, step,
                             [](const model::StepRun& each) { return each.human != nullptr; });
    if (!run.has_value()) return std::unexpected(run.error());
    return make(**run, definition);
  };
}

template <class T>
auto Hold(const Decision& who) {
  return [who](const model::StepRun& run, const definition::Definition&) -> stele::Result<Command> {
    return T{run.id, who.by, who.comment, who.groups, who.as_operator};
  };
}

}  // namespace

Result<Written> Engine::Claim(uint64_t instance, const std::string& step, const Decision& who) {
  return core_->Send(instance, OfTask(step, Hold<model::ClaimTask>(who)));
}

Result<Written> Engine::Release(uint64_t instance, const std::string& step, const Decision& who) {
  return core_->Send(instance, OfTask(step, Hold<model::ReleaseTask>(who)));
}

Result<Written> Engine::Decide(uint64_t instance, const std::string& step, const Decision& decision,
                               bool approved, bool manual) {
  const auto variables = ParseObject(decision.variables, "variables");
  if (!variables.has_value()) return std::unexpected(variables.error());
  const auto decide = [&](const model::StepRun& run,
                          const definition::Definition& definition) -> stele::Result<Command> {
    const std::string& type = definition.step(run.step).task_type;
    if (manual != (type == "manual"))
      return stele::Fail(ErrorCode::kWrongState,
                         fmt::format("Expected {} task \"{}\" but found one of the type \"{}\"",
                                     manual ? "a manual" : "an approval", step, type));
    return model::DecideTask{
        .run = run.id,
        .person = decision.by,
        .approved = approved,
        .comment = decision.comment,
        .variables = variables->has_value() ? Payload::FromValue(**variables) : Payload(),
        .groups = decision.groups,
        .as_operator = decision.as_operator};
  };
  return core_->Send(instance, OfTask(step, decide));
}

Result<Written> Engine::Complete(uint64_t instance, const std::string& step,
                                 const Decision& decision) {
  return Decide(instance, step, decision, true, true);
}

Result<Written> Engine::Approve(uint64_t instance, const std::string& step,
                                const Decision& decision) {
  return Decide(instance, step, decision, true, false);
}

Result<Written> Engine::Reject(uint64_t instance, const std::string& step,
                               const Decision& decision) {
  return Decide(instance, step, decision, false, false);
}

Result<Written> Engine::FailTask(uint64_t instance, const std::string& step,
                                 const Decision& decision, const std::string& kind) {
  const auto fail = [&](const model::StepRun& run,
                        const definition::Definition&) -> stele::Result<Command> {
    if (const auto rejection =
            decide::RejectPerson(*run.human, decision.by, decision.groups, decision.as_operator))
      return std::unexpected(*rejection);
    return model::FailAttempt{
        .run = run.id,
        .attempt = run.attempt,
        .kind = kind,
        .message = decision.comment.empty()
                       ? fmt::format("Failed by {}", decision.by)
                       : fmt::format("Failed by {}: {}", decision.by, decision.comment)};
  };
  return core_->Send(instance, OfTask(step, fail));
}

}  // namespace stele::embed
