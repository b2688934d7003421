// What the state of a version says against what is asked: nothing starts in one that is not active,
// and nothing migrates into one that is retired. A fork goes on in a draft, as what migrates does:
// it is how one instance is mended before anything starts so.
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

// kDefinitionState: no fork goes on in it. `is_own`: it is the one that the origin ran there, in
// which what runs goes on also when it is retired.
std::optional<Error> RefuseForkState(const model::RegisteredDefinition& definition, bool is_own);

// The version that a migration or a fork names; null: the command is none, or there is no such
// version. kDefinitionState: it is retired.
Result<const definition::Definition*> TargetOf(const model::Registry& registry,
                                               const model::Command& command);

}  // namespace stele::runtime
