// What operators, other systems and people ask of an instance.
#include <fmt/format.h>

#include "base/json.h"
#include "engine/embed/core.h"

namespace stele::embed {

namespace {

using model::Command;

// The open run of a step for which `fits` holds.
template <class Fits>
stele::Result<const model::StepRun*> FindRun(const model::Instance& instance,
                                             const definition::Definition& definition,
                                             const std::string& step, Fits fits) {
  const model::StepRun* found = nullptr;
  for (const model::StepRun& run : instance.runs) {
    if (definition.step(run.step).id != step || !fits(run)) continue;
    if (found != nullptr)
      return Fail(ErrorCode::kUnknownRun,
                  fmt::format("Expected one run of \"{}\" that this can be asked of but found "
                              "several, {} and {} among them",
                              step, found->id.value, run.id.value));
    found = &run;
  }
  if (found != nullptr) return found;
  return Fail(ErrorCode::kUnknownRun,
              fmt::format("Expected an open step \"{}\" of instance {} that this can be asked of "
                          "but found none",
                          step, instance.id.value));
}

// Of an instance as a whole.
template <class T>
auto Whole(T command) {
  return [command = std::move(command)](const model::Instance&, const definition::Definition&) {
    return stele::Result<Command>(command);
  };
}

Result<Value> ParsePayload(const std::string& text) {
  if (text.empty()) return Value();
  stele::Result<Value> value = ParseJson(text);
  if (!value.has_value()) return std::unexpected(ToError(value.error()));
  return *std::move(value);
}

}  // namespace

Status Engine::Pause(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, Whole(model::PauseInstance{reason}));
}

Status Engine::Resume(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, Whole(model::ResumeInstance{reason}));
}

Status Engine::Cancel(uint64_t instance, bool compensate, const std::string& reason) {
  return core_->Send(instance, Whole(model::CancelInstance{compensate, reason}));
}

Status Engine::Terminate(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, Whole(model::TerminateInstance{reason}));
}

Status Engine::Retry(uint64_t instance, const std::string& step, const std::string& reason) {
  if (step.empty()) return core_->Send(instance, Whole(model::RetryInstance{reason}));
  return core_->Send(
      instance,
      [step, reason](const model::Instance& state,
                     const definition::Definition& definition) -> stele::Result<Command> {
        const auto run = FindRun(state, definition, step, [](const model::StepRun& each) {
          return each.state == model::RunState::kBackoff || each.state == model::RunState::kParked;
        });
        if (!run.has_value()) return std::unexpected(run.error());
        return model::RetryStep{(*run)->id, reason};
      });
}

Status Engine::SetVariables(uint64_t instance, const std::string& variables) {
  const auto given = ParseObject(variables, "variables");
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Send(instance, [&given](const model::Instance&, const definition::Definition&) {
    return stele::Result<Command>(model::AssignVariables{ScopeId(), ToVariables(*given)});
  });
}

Status Engine::Signal(uint64_t instance, const std::string& name, const std::string& payload) {
  const auto given = ParsePayload(payload);
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Send(instance, [&](const model::Instance&, const definition::Definition&) {
    return stele::Result<Command>(
        model::SendSignal{name, payload.empty() ? Payload() : Payload::FromValue(*given)});
  });
}

Status Engine::Publish(const std::string& name, const std::string& key, const std::string& payload,
                       const std::string& id) {
  const auto given = ParsePayload(payload);
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Ask<void>([&, core = core_.get()](const Core::Reply<void>& reply) {
    core->shard().Publish({.name = name,
                           .key = key,
                           .payload = payload.empty() ? Payload() : Payload::FromValue(*given),
                           .message_id = id},
                          core->options().actor, [reply](const stele::Result<Position>& answer) {
                            if (!answer.has_value())
                              return reply(std::unexpected(ToError(answer.error())));
                            reply({});
                          });
  });
}

Status Engine::Decide(uint64_t instance, const std::string& step, const Decision& decision,
                      bool approved, bool manual) {
  const auto variables = ParseObject(decision.variables, "variables");
  if (!variables.has_value()) return std::unexpected(variables.error());
  return core_->Send(
      instance,
      [&](const model::Instance& state,
          const definition::Definition& definition) -> stele::Result<Command> {
        const auto run = FindRun(state, definition, step,
                                 [](const model::StepRun& each) { return each.human != nullptr; });
        if (!run.has_value()) return std::unexpected(run.error());
        const std::string& type = definition.step((*run)->step).task_type;
        if (manual != (type == "manual"))
          return Fail(ErrorCode::kWrongState,
                      fmt::format("Expected {} task \"{}\" but found one of the type \"{}\"",
                                  manual ? "a manual" : "an approval", step, type));
        return model::DecideTask{
            .run = (*run)->id,
            .person = decision.by,
            .approved = approved,
            .comment = decision.comment,
            .variables = variables->has_value() ? Payload::FromValue(**variables) : Payload(),
            .groups = decision.groups};
      });
}

Status Engine::Complete(uint64_t instance, const std::string& step, const Decision& decision) {
  return Decide(instance, step, decision, true, true);
}

Status Engine::Approve(uint64_t instance, const std::string& step, const Decision& decision) {
  return Decide(instance, step, decision, true, false);
}

Status Engine::Reject(uint64_t instance, const std::string& step, const Decision& decision) {
  return Decide(instance, step, decision, false, false);
}

}  // namespace stele::embed
