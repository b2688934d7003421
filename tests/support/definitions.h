// Definitions for tests, from text.
#pragma once

#include <memory>
#include <string_view>

#include "engine/definition/load.h"

namespace stele::test {

// Loads YAML of any dialect. A definition with faults ends the test program, naming them.
std::shared_ptr<const definition::Definition> Load(std::string_view yaml);

}  // namespace stele::test
