#include "engine/runtime/known_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/model/codec.h"
#include "engine/runtime/board.h"
#include "eventstore/for_each_record.h"

namespace stele::runtime {

namespace {

// Nothing: it was erased or purged.
Result<std::optional<model::InstanceStarted>> ReadStarted(const StartedLog& log,
                                                          InstanceId instance) {
  std::optional<model::InstanceStarted> started;
  const Status read = eventstore::ForEachRecord(
      log.store.ReadInstance(log.shard, instance, Seq(1)),
      [&](const eventstore::RecordView& record) -> Result<bool> {
        if (record.erased) return false;
        STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
          if (const auto* first = std::get_if<model::InstanceStarted>(&event)) started = *first;
        }));
        return false;
      });
  if (!read.has_value() && read.error().code != ErrorCode::kInstanceErased)
    return std::unexpected(read.error());
  return started;
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

// An instance has those that were given, and what its definition declares beside them.
bool IsSameVariables(const std::vector<model::NamedPayload>& started,
                     const std::vector<model::NamedPayload>& given,
                     const definition::Definition& definition) {
  const auto& declared = definition.bodies[0].variables;
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

}  // namespace

std::optional<Error> RefuseOtherStart(const StartedLog& log, InstanceId known,
                                      std::string_view definition,
                                      const model::StartInstance& command) {
  const auto started = ReadStarted(log, known);
  if (!started.has_value()) return started.error();
  if (!started->has_value()) return std::nullopt;
  const model::InstanceStarted& first = **started;
  const model::RegisteredDefinition& ran = *log.registry.Find(first.definition);
  std::string_view other;
  if (ran.name != definition)
    other = "definition";
  else if (!IsSameInput(first.input, command.input))
    other = "input";
  else if (first.business_key != command.business_key)
    other = "business key";
  else if (!IsSameVariables(first.variables, command.variables, *ran.definition))
    other = "value of a variable";
  if (other.empty()) return std::nullopt;
  return Error{ErrorCode::kDuplicateKey,
               fmt::format("Expected a new idempotency key for this start but instance {} was "
                           "started with \"{}\" and another {}",
                           known.value, command.idempotency_key, other)};
}

bool IsGivenKey(const model::StartInstance& command) {
  return !command.parent_instance && !FiringOf(command.idempotency_key).has_value();
}

}  // namespace stele::runtime
