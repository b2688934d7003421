#include "engine/model/registry.h"

#include <algorithm>
#include <array>

#include "base/instance_ranges.h"

namespace stele::model {

namespace {

constexpr std::array<std::string_view, 4> kDefinitionStates = {"draft", "active", "paused",
                                                               "retired"};
constexpr std::array<std::string_view, 3> kTriggerStates = {"active", "paused", "removed"};

template <class State, size_t N>
std::optional<State> FindState(const std::array<std::string_view, N>& names,
                               std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<State>(found - names.begin());
}

// The last one for which `wanted` holds, or null.
template <class Wanted>
const RegisteredDefinition* Last(const std::vector<RegisteredDefinition>& definitions,
                                 Wanted wanted) {
  for (auto at = definitions.rbegin(); at != definitions.rend(); ++at)
    if (wanted(*at)) return &*at;
  return nullptr;
}

}  // namespace

std::string_view DefinitionStateName(DefinitionState state) {
  return kDefinitionStates[static_cast<size_t>(state)];
}

std::optional<DefinitionState> FindDefinitionState(std::string_view name) {
  return FindState<DefinitionState>(kDefinitionStates, name);
}

std::string_view TriggerStateName(TriggerState state) {
  return kTriggerStates[static_cast<size_t>(state)];
}

std::optional<TriggerState> FindTriggerState(std::string_view name) {
  return FindState<TriggerState>(kTriggerStates, name);
}

const RegisteredDefinition* Registry::Find(DefinitionId id) const {
  if (!id || id.value > definitions.size()) return nullptr;
  return &definitions[id.value - 1];
}

const RegisteredTrigger* Registry::Find(TriggerId id) const {
  if (!id || id.value > triggers.size()) return nullptr;
  return &triggers[id.value - 1];
}

const RegisteredDefinition* Registry::Latest(std::string_view name) const {
  return Last(definitions, [&](const RegisteredDefinition& one) { return one.name == name; });
}

const RegisteredDefinition* Registry::Startable(std::string_view name) const {
  return Last(definitions, [&](const RegisteredDefinition& one) {
    return one.name == name && one.state == DefinitionState::kActive;
  });
}

const RegisteredDefinition* Registry::Version(std::string_view name, uint32_t version) const {
  return Last(definitions, [&](const RegisteredDefinition& one) {
    return one.name == name && one.version == version;
  });
}

bool Registry::IsRemoved(InstanceId instance) const {
  return Contains(purge.instances, instance) || Contains(erased, instance);
}

bool Registry::IsErased(InstanceId instance) const {
  return Contains(erased, instance);
}

}  // namespace stele::model
