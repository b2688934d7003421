// The words for the types of variables and parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace stele::definition {

// "string", "number", "integer", "boolean", "array", "object" or "any", which `word` or one of its
// synonyms ("int", "list", "json") stands for; nothing when it is none.
std::optional<std::string> FindValueType(std::string_view word);

// Whether the value is of that type; null is of every type.
bool FitsType(const Value& value, std::string_view type);

// For messages.
const std::vector<std::string>& ValueTypes();

}  // namespace stele::definition
