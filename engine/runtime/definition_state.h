// What the state of a version says against what is asked: nothing starts in one that is not active,
// and nothing migrates into one that is retired.
//
// Thread: the loop's.
#pragma once

#include <optional>

#include "base/error.h"
#include "engine/model/command.h"
#include "engine/model/registry.h"

namespace stele::runtime {

// kDefinitionState: no instance of it starts.
std::optional<Error> RefuseState(const model::RegisteredDefinition& definition);

// The version that a migration or a fork names; null: the command is none, or there is no such
// version. kDefinitionState: it is retired.
Result<const definition::Definition*> TargetOf(const model::Registry& registry,
                                               const model::Command& command);

}  // namespace stele::runtime
