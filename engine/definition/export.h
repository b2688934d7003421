// A definition as the text of a file, in any notation.
//
// What a notation has no words for stands beside its own keys in `stele:` (patch.h), so that every
// definition can be written in every notation and loads to the same graph again. Indices and places
// are the new file's; ids, transitions, configurations, conditions and what is kept for people are
// the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/definition/load.h"

namespace stele::definition {

enum class Dialect : uint8_t {
  kProcesses,     // `workflow:` with processes, tasks and transitions
  kSteps,         // `steps:` with `depends_on`
  kNodes,         // `nodes:` with connections
  kProcessSteps,  // `steps:` with `next`, gateways and events
  kOrderedTasks,  // `tasks:` in their order
  kCanonical,     // Stele's own, complete, indented
};

// "processes", "steps", "nodes", "process_steps", "ordered_tasks", "canonical"
std::string_view DialectName(Dialect dialect);
std::optional<Dialect> FindDialect(std::string_view name);
std::vector<std::string> DialectNames();

// Deterministic; what it gives is loaded and compared before it is handed out. kUnsupported, naming
// the step and the member, for a definition that the notation cannot say, or whose text would pass
// the limits of a file.
Result<std::string> Export(const Definition& definition, Dialect dialect, Syntax syntax);

}  // namespace stele::definition
