#include "engine/triggers/declared.h"

#include <algorithm>
#include <map>

namespace stele::triggers {

namespace {

struct Present {
  const model::RegisteredTrigger* registered;
  StoredTrigger stored;
};

// The latest declared trigger of each name that was ever registered.
std::map<std::string, Present> LatestDeclared(const model::Registry& registry,
                                              std::string_view definition) {
  std::map<std::string, Present> latest;
  for (const model::RegisteredTrigger& trigger : registry.triggers) {
    if (trigger.definition != definition) continue;
    auto stored = StoredTrigger::FromText(trigger.config);
    if (!stored || !stored->declared) continue;
    const std::string name = stored->name;
    latest.insert_or_assign(name, Present{&trigger, *std::move(stored)});
  }
  return latest;
}

// What is written of a trigger, by its place in the section. Only sections without a fault reach
// the registry by way of validation; of others, what can be read is taken.
std::vector<DeclaredChanges::Added> Declared(const Value& section) {
  std::vector<DeclaredChanges::Added> declared;
  if (!section.is_array()) return declared;
  const TriggerSection read = ReadTriggers(section);
  if (!read.faults.empty()) return declared;
  for (size_t i = 0; i < read.triggers.size(); ++i) {
    const TriggerConfig& config = read.triggers[i];
    if (config.enabled)
      declared.push_back({{.name = config.name, .declared = true, .trigger = section.as_array()[i]},
                          std::string(KindOf(config)),
                          config.paused});
  }
  return declared;
}

}  // namespace

bool IsPaused(const model::Registry& registry, std::string_view definition) {
  return std::ranges::any_of(registry.definitions, [&](const auto& version) {
    return version.name == definition && version.state == model::DefinitionState::kPaused;
  });
}

const model::RegisteredTrigger* FindNamed(const model::Registry& registry,
                                          std::string_view definition, std::string_view name,
                                          bool by_hand) {
  for (const model::RegisteredTrigger& trigger : registry.triggers) {
    if (trigger.definition != definition || trigger.state == model::TriggerState::kRemoved)
      continue;
    const auto stored = StoredTrigger::FromText(trigger.config);
    if (stored && stored->name == name && !(by_hand && stored->declared)) return &trigger;
  }
  return nullptr;
}

DeclaredChanges PlanDeclared(const model::Registry& registry, std::string_view definition,
                             const std::function<bool(TriggerId)>& removed_by_hand) {
  DeclaredChanges changes;
  const model::RegisteredDefinition* version = registry.Startable(definition);
  if (version == nullptr && IsPaused(registry, definition)) return changes;
  std::vector<DeclaredChanges::Added> wanted;
  if (version != nullptr) wanted = Declared(version->definition->triggers);
  std::map<std::string, Present> latest = LatestDeclared(registry, definition);
  for (DeclaredChanges::Added& one : wanted) {
    const auto found = latest.find(one.stored.name);
    if (found != latest.end()) {
      const Present present = std::move(found->second);
      latest.erase(found);
      const bool gone = present.registered->state == model::TriggerState::kRemoved;
      const bool same = present.stored.trigger == one.stored.trigger;
      if (same && (!gone || removed_by_hand(present.registered->id))) continue;
      if (!gone) changes.removed.push_back(present.registered->id);
    }
    if (const auto* other = FindNamed(registry, definition, one.stored.name, true))
      changes.in_the_way.push_back(other->id);
    else
      changes.added.push_back(std::move(one));
  }
  for (const auto& [name, present] : latest)
    if (present.registered->state != model::TriggerState::kRemoved)
      changes.removed.push_back(present.registered->id);
  return changes;
}

}  // namespace stele::triggers
