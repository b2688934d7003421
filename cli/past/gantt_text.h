// A chart of runs as lines of text: letters tell what a run does, colours only repeat it.
#pragma once

#include <string>

#include "cli/terminal.h"
#include "replay/gantt.h"

namespace stele::cli {

// At most `width` columns wide, and at least 60.
std::string GanttText(const replay::Gantt& gantt, size_t width, const Terminal& terminal);

}  // namespace stele::cli
