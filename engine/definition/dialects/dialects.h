// The notations. Each lowers the document's tree to a Draft; faults are added and lowering goes on.
#pragma once

#include <string_view>

#include "engine/definition/draft.h"

namespace stele::definition {

// `workflow:` with processes, tasks and transitions.
Draft LowerProcesses(const Node& root, std::string_view fallback_name, Faults& faults);

// `steps:` with `depends_on`.
Draft LowerSteps(const Node& root, std::string_view fallback_name, Faults& faults);

}  // namespace stele::definition
