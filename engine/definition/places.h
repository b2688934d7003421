// Which lines of its file each step of a definition takes: what an editor shows for a step, and the
// step that a line belongs to.
//
// A step is where its `place` stands, the mapping around that one: in a block by how far its lines
// are indented, in braces up to the one that closes it. Blank lines and comments behind it are not
// part of it. What is made of a template stands where it is used.
//
// Thread: any.
#pragma once

#include <string_view>
#include <vector>

#include "engine/definition/load.h"

namespace stele::definition {

// Counted from 1, both included; 0: it stands nowhere in the text.
struct Lines {
  uint32_t first = 0;
  uint32_t last = 0;
  bool empty() const { return first == 0; }
  bool operator==(const Lines&) const = default;
};

// By the steps' indices. `source` is the text that the definition was loaded from; of another one,
// those whose places it does not have are nowhere.
std::vector<Lines> LinesOfSteps(const Definition& definition, std::string_view source,
                                Syntax syntax);

// The steps that a line belongs to: the innermost one that holds it, else the first that begins
// behind it. Several, when they share their lines; none behind the last step.
std::vector<StepIndex> StepsAtLine(const std::vector<Lines>& lines, uint32_t line);

}  // namespace stele::definition
