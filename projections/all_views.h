// The views of this build, in the order in which they are listed.
#pragma once

#include <vector>

#include "projections/projector.h"

namespace stele::projections {

std::vector<MakeView> AllViews();

}  // namespace stele::projections
