// What requests and answers of maintenance look like.
#pragma once

#include <vector>

#include "server/rest/shape.h"

namespace stele::server::rest {

std::vector<Component> MaintenanceShapes();

}  // namespace stele::server::rest
