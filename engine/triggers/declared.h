// What the section `triggers:` of a definition's newest active version means for the registry:
// triggers that are new, and triggers that it does not declare any more. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/registry.h"
#include "engine/triggers/trigger_table.h"

namespace stele::triggers {

// The reason that the removal of a trigger gives when its definition declares it no more. One that
// was removed for another reason stays away until its declaration changes.
inline constexpr std::string_view kNotDeclared = "its definition does not declare it any more";

struct DeclaredChanges {
  struct Added {
    StoredTrigger stored;
    std::string kind;
    bool paused = false;
  };
  std::vector<Added> added;
  std::vector<TriggerId> removed;
  // By hand, each with the name of a declared one, which is left out while it has it.
  std::vector<TriggerId> in_the_way;
};

// `removed_by_hand` is asked about removed triggers only. A definition whose active version is only
// paused keeps what it has; triggers with a fault and those with `enabled: false` are not declared.
DeclaredChanges PlanDeclared(const model::Registry& registry, std::string_view definition,
                             const std::function<bool(TriggerId)>& removed_by_hand);

// Whether a version of the definition is paused, so that it will go on.
bool IsPaused(const model::Registry& registry, std::string_view definition);

// The trigger of the definition that has the name and is not removed, or null; `by_hand`: of those
// that no file declares.
const model::RegisteredTrigger* FindNamed(const model::Registry& registry,
                                          std::string_view definition, std::string_view name,
                                          bool by_hand = false);

}  // namespace stele::triggers
