// A workflow's graph as rows of text, a row for each step and one more where ways part or meet, as
// `git log --graph` draws commits: a column holds a way to a step that is still to come. What is
// inside a loop or sub-process stands below it, indented. Ways back (loops of the graph) are not
// drawn: a row names where they lead.
//
// Steps come in an order in which each stands below those that lead to it, one branch after the
// other; those that tokens never reach (fallbacks, compensations) at the end of their body.
//
//   ✓ order
//   ├─╮
//   ▶ │ charge          a column is two characters wide; the state of the step stands in its own
//   │ ✓ reserve
//   ├─╯
//   ○ ship
//
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include "engine/definition/definition.h"

namespace stele::replay {

struct GraphLine {
  std::string before;  // what stands left of the step's own place; all of it when there is no step
  std::string after;   // and right of it
  StepIndex step{kNoIndex};
};

std::vector<GraphLine> LinesOf(const definition::Definition& definition);

}  // namespace stele::replay
