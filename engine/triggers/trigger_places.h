// The faults of a definition's section `triggers:`, each at its place in the file.
#pragma once

#include <string_view>
#include <vector>

#include "engine/definition/load.h"

namespace stele::triggers {

// `text` is the file that the definition was loaded from. A fault whose place cannot be found
// stands at the section, or at no place at all.
std::vector<definition::Fault> FaultsOfTriggers(const definition::Definition& definition,
                                                std::string_view text, definition::Syntax syntax);

// The same of a file that is no definition, because other things in it are wrong. What is no list
// or no mapping is left out: the definition's own faults say so.
std::vector<definition::Fault> FaultsOfTriggers(std::string_view text, definition::Syntax syntax);

}  // namespace stele::triggers
