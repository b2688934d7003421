#include "engine/runtime/definition_state.h"

#include <fmt/format.h>

#include <string_view>

namespace stele::runtime {

namespace {

using model::DefinitionState;

Error NotIn(const model::RegisteredDefinition& definition, std::string_view expected) {
  return {ErrorCode::kDefinitionState,
          fmt::format("Expected \"{}\" version {} to be {} but found it {}{}{}", definition.name,
                      definition.version, expected, model::DefinitionStateName(definition.state),
                      definition.reason.empty() ? "" : ": ", definition.reason)};
}

}  // namespace

std::optional<Error> RefuseState(const model::RegisteredDefinition& definition) {
  if (definition.state == DefinitionState::kActive) return std::nullopt;
  return NotIn(definition, "active");
}

std::optional<Error> RefuseForkState(const model::RegisteredDefinition& definition, bool is_own) {
  const bool is_retired = definition.state == DefinitionState::kRetired;
  if (definition.state == DefinitionState::kPaused || (is_retired && !is_own))
    return NotIn(definition, "one that forks may go on in");
  return std::nullopt;
}

Result<const definition::Definition*> TargetOf(const model::Registry& registry,
                                               const model::Command& command) {
  DefinitionId named;
  if (const auto* migrate = std::get_if<model::MigrateInstance>(&command))
    named = migrate->definition;
  if (const auto* fork = std::get_if<model::ForkInstance>(&command)) named = fork->definition;
  const model::RegisteredDefinition* target = named ? registry.Find(named) : nullptr;
  if (target == nullptr) return nullptr;
  if (target->state == DefinitionState::kRetired)
    return std::unexpected(NotIn(*target, "one that instances may migrate to"));
  return target->definition.get();
}

}  // namespace stele::runtime
