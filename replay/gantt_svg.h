// A chart of runs as a picture: SVG 1.1 in a file of its own, without scripts or links, in the
// colours of a light or a dark page, as the reader's is. What a run does is told by its pattern and
// by the title under the pointer, too, not by colour alone.
//
// Thread: any.
#pragma once

#include <string>

#include "replay/gantt.h"

namespace stele::replay {

std::string GanttToSvg(const Gantt& gantt);

}  // namespace stele::replay
