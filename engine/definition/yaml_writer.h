// A JSON value as YAML for people: blocks, one member a line, texts of several lines as they are.
#pragma once

#include <string>

#include "base/value.h"

namespace stele::definition {

// Deterministic. A text that YAML 1.2 would read as something else is quoted; short lists and
// mappings of scalars stay on a line. ParseYamlDocument reads the same value back.
std::string ToYaml(const Value& value);

}  // namespace stele::definition
