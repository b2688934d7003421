// The shapes of figures, errors, workers and views.
#pragma once

#include <vector>

#include "server/rest/shape.h"

namespace stele::server::rest {

std::vector<Component> StatisticsShapes();

}  // namespace stele::server::rest
