// What answers about the past of instances look like.
//
// Thread: any.
#pragma once

#include <vector>

#include "server/rest/shape.h"

namespace stele::server::rest {

std::vector<Component> PastShapes();

}  // namespace stele::server::rest
