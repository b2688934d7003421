// What operators and other systems ask of an instance. people.cc has what people do.
#include <fmt/format.h>

#include "base/json.h"
#include "engine/embed/core.h"
#include "engine/embed/find_run.h"

namespace stele::embed {

namespace {

using model::Command;

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

Result<Written> Engine::Pause(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, Whole(model::PauseInstance{reason}));
}

Result<Written> Engine::Resume(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, Whole(model::ResumeInstance{reason}));
}

Result<Written> Engine::Cancel(uint64_t instance, bool compensate, const std::string& reason) {
  return core_->Send(instance, Whole(model::CancelInstance{compensate, reason}));
}

Result<Written> Engine::Terminate(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, Whole(model::TerminateInstance{reason}));
}

Result<Written> Engine::Retry(uint64_t instance, const std::string& step,
                              const std::string& reason) {
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

Result<Written> Engine::SetVariables(uint64_t instance, const std::string& variables) {
  const auto given = ParseObject(variables, "variables");
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Send(instance, [&given](const model::Instance&, const definition::Definition&) {
    return stele::Result<Command>(model::AssignVariables{ScopeId(), ToVariables(*given)});
  });
}

Result<Written> Engine::Signal(uint64_t instance, const std::string& name,
                               const std::string& payload) {
  const auto given = ParsePayload(payload);
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Send(instance, [&](const model::Instance&, const definition::Definition&) {
    return stele::Result<Command>(
        model::SendSignal{name, payload.empty() ? Payload() : Payload::FromValue(*given)});
  });
}

Result<Written> Engine::Publish(const std::string& name, const std::string& key,
                                const std::string& payload, const std::string& id) {
  const auto given = ParsePayload(payload);
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Ask<Written>([&, core = core_.get()](const Core::Reply<Written>& reply) {
    core->shard().Publish({.name = name,
                           .key = key,
                           .payload = payload.empty() ? Payload() : Payload::FromValue(*given),
                           .message_id = id},
                          core->options().actor, [reply](const stele::Result<Position>& answer) {
                            if (!answer.has_value())
                              return reply(std::unexpected(ToError(answer.error())));
                            reply(Written{answer->value});
                          });
  });
}

}  // namespace stele::embed
