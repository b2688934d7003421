// Every timer of an instance, where model::NextTimer has the first alone.
#pragma once

#include <vector>

#include "engine/model/instance.h"

namespace stele::replay {

// The first to elapse first; of the same moment, in the order in which they elapse. Those of a
// paused instance, too: they elapse when it is resumed.
std::vector<model::Timer> TimersOf(const model::Instance& instance);

}  // namespace stele::replay
