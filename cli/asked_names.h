// Names that questions ask for. One that nothing has is more likely mistyped than meant, and an
// empty answer to it would say that all is well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/model/registry.h"
#include "projections/query.h"

namespace stele::cli {

// Those of --definition. kUnknownDefinition names the nearest.
Status CheckDefinitions(const Arguments& arguments, const model::Registry& registry);

// On standard error: that nothing is called so, and the nearest of those that there are. Nothing
// when one is, or when the name is empty.
void NoteUnknownName(const Terminal& terminal, std::string_view what, const std::string& name,
                     const std::vector<std::string>& known);

// Whether the query has a `definition:` or `step:` to look up.
bool AsksForNames(const projections::Query& query);
// The same of each of those. What a name begins with may be anything.
void NoteUnknownNames(const Terminal& terminal, const projections::Query& query,
                      const model::Registry& registry);

}  // namespace stele::cli
