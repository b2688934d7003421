#include "engine/embed/translate.h"

#include <fmt/format.h>

#include "base/json.h"
#include "replay/standing.h"

namespace stele::embed {

namespace {

std::string CodeText(ErrorCode code) {
  return fmt::format("STL{:04}", static_cast<int>(code));
}

std::string ToText(const Payload& payload) {
  return std::string(payload.text());
}

}  // namespace

std::string Error::ToString() const {
  std::string text = code + ": " + message;
  for (const Fault& fault : faults) {
    text += fmt::format("\n{}:{}: {}: {}", fault.line, fault.column, fault.code, fault.message);
  }
  return text;
}

Error ToError(const stele::Error& error) {
  return {CodeText(error.code), error.message, {}};
}

std::unexpected<Error> Refuse(ErrorCode code, std::string message) {
  return std::unexpected(Error{CodeText(code), std::move(message), {}});
}

Error ToError(const std::vector<definition::Fault>& faults) {
  Error error{CodeText(ErrorCode::kInvalidDefinition),
              fmt::format("Expected a definition without faults but found {}", faults.size()),
              {}};
  for (const definition::Fault& fault : faults)
    error.faults.push_back(
        {CodeText(fault.code), fault.message, fault.place.line, fault.place.column});
  return error;
}

std::unexpected<Error> RefuseStopped() {
  return Refuse(ErrorCode::kShardStopped, "Expected a running engine but found it stopped");
}

std::unexpected<Error> RefuseOnLoop() {
  return Refuse(ErrorCode::kWrongThread,
                "Expected a call from a thread of the program but found the engine's loop thread, "
                "which must not wait for itself");
}

std::unexpected<Error> RefuseOnOwnThread() {
  return Refuse(ErrorCode::kWrongThread,
                "Expected Stop on a thread of the program but found one of the engine's, whose end "
                "it would wait for");
}

Result<std::optional<Value>> ParseObject(std::string_view text, std::string_view what) {
  if (text.empty()) return std::nullopt;
  stele::Result<Value> value = ParseJson(text);
  if (!value.has_value()) return std::unexpected(ToError(value.error()));
  if (!value->is_object())
    return Refuse(ErrorCode::kInvalidInput, fmt::format("Expected a JSON object as {} but found {}",
                                                        what, KindName(value->kind())));
  return std::optional(*std::move(value));
}

std::vector<model::NamedPayload> ToVariables(const std::optional<Value>& object) {
  std::vector<model::NamedPayload> variables;
  if (!object.has_value()) return variables;
  for (const Member& member : object->as_object())
    variables.push_back({member.key, Payload::FromValue(member.value)});
  return variables;
}

Instance ToInstance(const model::Instance& instance, const model::Registry& registry) {
  const model::RegisteredDefinition& definition = *registry.Find(instance.definition);
  Instance shown{.id = instance.id.value,
                 .definition = definition.name,
                 .version = definition.version,
                 .status = std::string(model::StatusOf(instance)),
                 .business_key = instance.business_key,
                 .tags = instance.tags,
                 .priority = instance.priority,
                 .started_us = instance.started.value,
                 .ended_us = instance.ended.value,
                 .kind = instance.failure.kind,
                 .message = instance.failure.message,
                 .input = ToText(instance.input),
                 .output = ToText(instance.output)};
  Object variables;
  if (!instance.scopes.empty())
    for (const model::NamedPayload& variable : instance.scopes[0].variables)
      variables.Set(variable.name, variable.value.value());
  shown.variables = ToJson(Value(std::move(variables)));
  if (!shown.ended())
    for (const replay::Waiting& waiting :
         replay::StandingOf(instance, *definition.definition).waits)
      shown.waits.push_back(
          {std::string(replay::WaitForName(waiting.what)), waiting.step, waiting.title});
  return shown;
}

}  // namespace stele::embed
