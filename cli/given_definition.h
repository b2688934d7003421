// A definition that a user gives to try: a file, or a registered version.
#pragma once

#include <expected>
#include <memory>

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/definition/definition.h"
#include "engine/model/registry.h"

namespace stele::cli {

// Of --definition FILE|NAME[@N], with --version N beside a name; null without it. A registered one
// is the registry's own. The exit code, when it is refused: it is told.
std::expected<std::shared_ptr<const definition::Definition>, int> GivenDefinition(
    const Arguments& arguments, const Terminal& terminal, const model::Registry& registry);

}  // namespace stele::cli
