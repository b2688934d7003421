// What a definition's limit is counted by, before an instance is there.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"

namespace stele::decide {

// The definition's concurrency key, rendered over the input and the variables that the start gives.
// REQUIRES: the definition has one.
Result<std::string> ConcurrencyKeyOf(const definition::Definition& definition,
                                     const model::StartInstance& command);

}  // namespace stele::decide
