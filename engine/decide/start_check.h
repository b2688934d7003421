// What can be said of a start, or of a fork, before an instance is there.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"

namespace stele::decide {

// Why no instance of the definition starts with that input and these variables.
std::optional<Rejection> RejectStart(const definition::Definition& definition,
                                     const model::StartInstance& command);

// Why no instance begins as that fork asks. `ran`: the definition of the command's state. `target`:
// the one that the command names, to go on in; null: it names none, or there is no such one.
std::optional<Rejection> RejectFork(const model::ForkInstance& command,
                                    const definition::Definition& ran,
                                    const definition::Definition* target);

// What a definition's limit counts the start by: the definition's concurrency key, rendered over
// the input and the variables that the start gives. REQUIRES: the definition has one, and
// RejectStart says nothing.
Result<std::string> ConcurrencyKeyOf(const definition::Definition& definition,
                                     const model::StartInstance& command);

}  // namespace stele::decide
