// Whether a command can be done, asked without doing it.
#pragma once

#include <optional>

#include "base/error.h"
#include "base/ids.h"
#include "engine/model/command.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"

namespace stele::requests {

// What the instance's state has against the command, decided on a copy; nothing: it can be done as
// long as nothing else happens. What the shard refuses by itself (it is full, it stops, the
// instance was removed) is not asked. REQUIRES: the registry holds the definition that the instance
// runs.
std::optional<Rejection> TryCommand(const model::Instance& instance,
                                    const model::Registry& registry, TimeUs now,
                                    const model::Command& command);

}  // namespace stele::requests
