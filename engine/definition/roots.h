// The names that every expression of a workflow knows (docs/expressions.md); what a file names so
// would be hidden by them.
#pragma once

#include <string_view>

namespace stele::definition {

bool IsRoot(std::string_view name);

}  // namespace stele::definition
