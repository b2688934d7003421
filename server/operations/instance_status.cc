// What an instance is, as it is shown.
#include "engine/model/names.h"
#include "replay/to_json.h"
#include "server/operations/instances.h"

namespace stele::server {

namespace {

Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Value TimeOrNull(TimeUs time) {
  return time ? Value(time.value) : Value();
}

Value PayloadOrNull(const Payload& payload) {
  return payload.has_value() ? payload.value() : Value();
}

Value OriginOf(const InstanceStatus& status) {
  if (!status.origin) return Value();
  return Object{{"instance", static_cast<int64_t>(status.origin.value)},
                {"seq", static_cast<int64_t>(status.origin_seq.value)}};
}

}  // namespace

InstanceStatus StatusOf(const model::Instance& instance,
                        const model::RegisteredDefinition& definition,
                        const replay::LacksWorker& lacks_worker) {
  const replay::Standing standing =
      replay::StandingOf(instance, *definition.definition, lacks_worker);
  return {.id = instance.id,
          .definition = definition.name,
          .version = definition.version,
          .status = replay::StatusWord(instance, standing),
          .business_key = instance.business_key,
          .idempotency_key = instance.idempotency_key,
          .tags = instance.tags,
          .priority = instance.priority,
          .parent = instance.parent_instance,
          .origin = instance.origin,
          .origin_seq = instance.origin_seq,
          .started = instance.started,
          .ended = instance.ended,
          .deadline = instance.deadline,
          .failure = replay::FailureOf(instance),
          .input = instance.input,
          .output = instance.output,
          .variables = instance.scopes[0].variables,
          .waiting_for = replay::StandingToJson(standing),
          .seq = instance.seq,
          .position = instance.position};
}

Object ToJson(const InstanceStatus& status) {
  Array tags;
  for (const std::string& tag : status.tags) tags.emplace_back(tag);
  Object variables;
  for (const model::NamedPayload& variable : status.variables)
    variables.Set(variable.name, variable.value.value());
  Value error;
  if (!status.failure.kind.empty())
    error = Object{{"kind", status.failure.kind}, {"message", status.failure.message}};
  return Object{
      {"id", static_cast<int64_t>(status.id.value)},
      {"definition", status.definition},
      {"version", static_cast<int64_t>(status.version)},
      {"status", status.status},
      {"business_key", TextOrNull(status.business_key)},
      {"idempotency_key", TextOrNull(status.idempotency_key)},
      {"tags", std::move(tags)},
      {"priority", static_cast<int64_t>(status.priority)},
      {"parent", status.parent ? Value(static_cast<int64_t>(status.parent.value)) : Value()},
      {"origin", OriginOf(status)},
      {"started", status.started.value},
      {"ended", TimeOrNull(status.ended)},
      {"deadline", TimeOrNull(status.deadline)},
      {"input", PayloadOrNull(status.input)},
      {"variables", std::move(variables)},
      {"output", PayloadOrNull(status.output)},
      {"error", std::move(error)},
      {"waiting_for", status.waiting_for},
      {"seq", static_cast<int64_t>(status.seq.value)},
      {"position", static_cast<int64_t>(status.position.value)}};
}

}  // namespace stele::server
