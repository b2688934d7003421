#include "engine/runtime/known_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/model/codec.h"
#include "engine/runtime/board.h"
#include "eventstore/for_each_record.h"

namespace stele::runtime {

namespace {

// The first event; nothing: it was erased or purged.
Result<std::optional<model::Event>> ReadFirst(const StartedLog& log, InstanceId instance) {
  std::optional<model::Event> first;
  const Status read =
      eventstore::ForEachRecord(log.store.ReadInstance(log.shard, instance, Seq(1)),
                                [&](const eventstore::RecordView& record) -> Result<bool> {
                                  if (record.erased) return false;
                                  auto events = model::Decode(record.body);
                                  if (!events.has_value()) return std::unexpected(events.error());
                                  if (!events->empty()) first = std::move(events->front());
                                  return false;
                                });
  if (!read.has_value() && read.error().code != ErrorCode::kInstanceErased)
    return std::unexpected(read.error());
  return first;
}

bool IsEmpty(const Payload& payload) {
  return !payload.has_value() ||
         (payload.value().is_object() && payload.value().as_object().empty());
}

// No input is an empty one.
bool IsSameInput(const Payload& a, const Payload& b) {
  if (IsEmpty(a) || IsEmpty(b)) return IsEmpty(a) && IsEmpty(b);
  return a.text() == b.text() || a.value() == b.value();
}

bool IsSameValue(const Value& value, const Payload& payload) {
  return payload.has_value() ? payload.value() == value : value.is_null();
}

// An instance has those that were given, and what is declared beside them.
bool IsSameVariables(const std::vector<model::NamedPayload>& started,
                     const std::vector<model::NamedPayload>& given,
                     const std::vector<definition::Variable>& declared) {
  const auto is_as_asked = [&](const model::NamedPayload& variable) {
    const auto asked = std::ranges::find(given, variable.name, &model::NamedPayload::name);
    if (asked != given.end()) return IsSameValue(asked->value.value(), variable.value);
    const auto initial = std::ranges::find(declared, variable.name, &definition::Variable::name);
    return initial != declared.end() && IsSameValue(initial->initial, variable.value);
  };
  const auto is_there = [&](const model::NamedPayload& asked) {
    return std::ranges::find(started, asked.name, &model::NamedPayload::name) != started.end();
  };
  return std::ranges::all_of(started, is_as_asked) && std::ranges::all_of(given, is_there);
}

Error OtherThan(InstanceId known, const std::string& key, std::string_view other) {
  return {ErrorCode::kDuplicateKey,
          fmt::format("Expected a new idempotency key for this start but instance {} was started "
                      "with \"{}\" and another {}",
                      known.value, key, other)};
}

Error OtherForkThan(InstanceId known, const std::string& key, std::string_view other) {
  return {ErrorCode::kDuplicateKey,
          fmt::format("Expected a new idempotency key for this fork but \"{}\" belongs to another "
                      "request: instance {} was begun with it and another {}",
                      key, known.value, other)};
}

}  // namespace

std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      std::string_view definition,
                                      const model::StartInstance& command) {
  const auto begun = ReadFirst(log, known);
  if (!begun.has_value()) return begun.error();
  if (!begun->has_value()) return std::nullopt;
  const auto* first = std::get_if<model::InstanceStarted>(&**begun);
  if (first == nullptr) return OtherThan(known, command.idempotency_key, "instance's state");
  const model::RegisteredDefinition& ran = *log.registry.Find(first->definition);
  std::string_view other;
  if (ran.name != definition)
    other = "definition";
  else if (!IsSameInput(first->input, command.input))
    other = "input";
  else if (first->business_key != command.business_key)
    other = "business key";
  else if (!IsSameVariables(first->variables, command.variables,
                            ran.definition->bodies[0].variables))
    other = "value of a variable";
  if (other.empty()) return std::nullopt;
  return OtherThan(known, command.idempotency_key, other);
}

std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      const model::StartInstance& command) {
  const model::RegisteredDefinition* definition = log.registry.Find(command.definition);
  return RefuseOtherStart(log, known, definition == nullptr ? std::string_view() : definition->name,
                          command);
}

std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      const model::ForkInstance& command) {
  const auto begun = ReadFirst(log, known);
  if (!begun.has_value()) return begun.error();
  if (!begun->has_value()) return std::nullopt;
  const auto* first = std::get_if<model::InstanceForked>(&**begun);
  std::string_view other;
  if (first == nullptr || first->origin != command.origin ||
      first->origin_seq != command.origin_seq)
    other = "instance's state";
  else if (first->definition != command.definition || first->plan != command.plan)
    other = "definition";
  else if (first->business_key != command.business_key)
    other = "business key";
  else if (!IsSameVariables(first->variables, command.variables, /*declared=*/{}))
    other = "value of a variable";
  else if (first->ends_origin != command.ends_origin)
    other = "fate of its origin";
  if (other.empty()) return std::nullopt;
  return OtherForkThan(known, command.idempotency_key, other);
}

bool IsGivenKey(const model::StartInstance& command) {
  return !command.parent_instance && !FiringOf(command.idempotency_key).has_value();
}

}  // namespace stele::runtime
