// What a name in a definition may be: a text that a person can read, of bounded length. It holds
// for files that are loaded; a definition that is in the log stays as it is.
#pragma once

#include <string_view>

#include "engine/definition/document.h"

namespace stele::definition {

// Adds a fault at `place` when the name is longer than kMaxNameBytes, holds a control character or
// nothing but white space. `what` says whose it is: "a step's id".
void CheckName(std::string_view name, std::string_view what, Place place, Faults& faults);

// The names of the definition, its steps, bodies, variables and triggers. `root` is the file that
// it was read from and gives the places.
void CheckNames(const Definition& definition, const Node& root, Faults& faults);

}  // namespace stele::definition
