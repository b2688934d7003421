// What operators and other systems ask of an instance. people.cc has what people do.
#include "base/json.h"
#include "engine/embed/core.h"
#include "engine/requests/operators.h"

namespace stele::embed {

namespace {

Result<Value> ParsePayload(const std::string& text) {
  if (text.empty()) return Value();
  stele::Result<Value> value = ParseJson(text);
  if (!value.has_value()) return std::unexpected(ToError(value.error()));
  return *std::move(value);
}

}  // namespace

Result<Written> Engine::Pause(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, requests::Pause(reason));
}

Result<Written> Engine::Resume(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, requests::Resume(reason));
}

Result<Written> Engine::Cancel(uint64_t instance, bool compensate, const std::string& reason) {
  return core_->Send(instance, requests::Cancel(compensate, reason));
}

Result<Written> Engine::Terminate(uint64_t instance, const std::string& reason) {
  return core_->Send(instance, requests::Terminate(reason));
}

Result<Written> Engine::Retry(uint64_t instance, const std::string& step,
                              const std::string& reason) {
  return core_->Send(instance,
                     step.empty() ? requests::Retry(reason) : requests::RetryStep(step, reason));
}

// Payloads are made on the loop, where they stay.

Result<Written> Engine::SetVariables(uint64_t instance, const std::string& variables,
                                     const std::string& reason) {
  const auto given = ParseObject(variables, "variables");
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Send(instance, [&given, &reason](const model::Instance& state,
                                                 const definition::Definition& definition) {
    return requests::AssignVariables(ToVariables(*given), "", reason)(state, definition);
  });
}

Result<Written> Engine::Signal(uint64_t instance, const std::string& name,
                               const std::string& payload) {
  const auto given = ParsePayload(payload);
  if (!given.has_value()) return std::unexpected(given.error());
  return core_->Send(
      instance, [&](const model::Instance& state, const definition::Definition& definition) {
        return requests::Signal(name, payload.empty() ? Payload() : Payload::FromValue(*given))(
            state, definition);
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
                          core->asker(), [reply](const stele::Result<Position>& answer) {
                            if (!answer.has_value())
                              return reply(std::unexpected(ToError(answer.error())));
                            reply(Written{answer->value});
                          });
  });
}

}  // namespace stele::embed
