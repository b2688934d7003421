#include "engine/model/beginning.h"

#include "engine/model/instance.h"

namespace stele::model {

bool BeginsInstance(const Event& event) {
  return std::holds_alternative<InstanceStarted>(event) ||
         std::holds_alternative<InstanceForked>(event);
}

DefinitionId DefinitionBehind(const Event& event) {
  if (const auto* started = std::get_if<InstanceStarted>(&event)) return started->definition;
  if (const auto* forked = std::get_if<InstanceForked>(&event))
    return forked->state.has_value() ? forked->state->definition : DefinitionId();
  if (const auto* migrated = std::get_if<InstanceMigrated>(&event)) return migrated->definition;
  return DefinitionId();
}

}  // namespace stele::model
