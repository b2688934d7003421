// The notations. Each lowers the document's tree to a Draft; faults are added and lowering goes on.
#pragma once

#include <string_view>

#include "engine/definition/draft.h"

namespace stele::definition {

// `workflow:` with processes, tasks and transitions.
Draft LowerProcesses(const Node& root, std::string_view fallback_name, Faults& faults);

// `steps:` with `depends_on`.
Draft LowerSteps(const Node& root, std::string_view fallback_name, Faults& faults);

// `nodes:` with connections.
Draft LowerNodes(const Node& root, std::string_view fallback_name, Faults& faults);

// `steps:` with `next`, gateways and events. Which of the two kinds of `steps:` a file has: this
// one when a step has a type that only it knows and none says what it depends on. Adds a fault when
// it says both.
Draft LowerProcessSteps(const Node& root, std::string_view fallback_name, Faults& faults);
bool IsProcessSteps(const Node& root, Faults& faults);

// `tasks:` in their order, with or without a `flow`.
Draft LowerOrderedTasks(const Node& root, std::string_view fallback_name, Faults& faults);

}  // namespace stele::definition
