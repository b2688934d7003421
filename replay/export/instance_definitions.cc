#include "replay/export/instance_definitions.h"

#include <optional>
#include <utility>

#include "engine/model/beginning.h"
#include "engine/model/codec.h"

namespace stele::replay {
namespace {

// Of a cause: what its record makes of the definition that the instance runs; 0: nothing.
DefinitionId DefinitionOf(const model::Event& event) {
  const auto* forked = std::get_if<model::InstanceForked>(&event);
  const bool migrates = forked != nullptr && forked->definition;
  return migrates ? forked->definition : model::DefinitionBehind(event);
}

// What a record's cause makes of it: only that is looked at.
Result<DefinitionId> DefinitionOfCause(std::string_view body) {
  std::optional<DefinitionId> found;
  const Status read = model::DecodeEach(body, [&](const model::Event& event) -> Status {
    found = DefinitionOf(event);
    return Fail(ErrorCode::kTimeout, "no more is wanted");
  });
  if (!found.has_value() && !read.has_value()) return std::unexpected(read.error());
  return found.value_or(DefinitionId());
}

}  // namespace

void InstanceDefinitions::Remember(InstanceId instance, DefinitionId definition) {
  if (young_.size() >= remembered_) old_ = std::exchange(young_, {});
  young_[instance] = definition;
}

Result<DefinitionId> InstanceDefinitions::LookUp(InstanceId instance, Position end) {
  auto cursor = source_.RecordsFrom(instance, Seq(1));
  if (!cursor.has_value()) {
    if (cursor.error().code == ErrorCode::kInstanceErased) return DefinitionId();
    return std::unexpected(cursor.error());
  }
  DefinitionId definition;
  for (;;) {
    const auto record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    if (!record->has_value() || (*record)->position >= end) return definition;
    const auto found = DefinitionOfCause((*record)->body);
    if (!found.has_value()) return std::unexpected(found.error());
    if (*found) definition = *found;
  }
}

Result<const model::RegisteredDefinition*> InstanceDefinitions::Of(
    const eventstore::RecordView& record) {
  const InstanceId instance = record.header.instance;
  if (!instance) return nullptr;
  auto definition = DefinitionOfCause(record.body);
  if (!definition.has_value()) return std::unexpected(definition.error());
  if (*definition) {
    Remember(instance, *definition);
  } else if (const auto known = young_.find(instance); known != young_.end()) {
    *definition = known->second;
  } else {
    const auto before = old_.find(instance);
    if (before != old_.end()) {
      *definition = before->second;
    } else {
      definition = LookUp(instance, record.position);
      if (!definition.has_value()) return std::unexpected(definition.error());
    }
    Remember(instance, *definition);
  }
  const model::RegisteredDefinition* registered = registry_.Find(*definition);
  return registered != nullptr && MayBeRead(*registered) ? registered : nullptr;
}

}  // namespace stele::replay
