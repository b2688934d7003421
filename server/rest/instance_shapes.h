// The shapes of instances, of what they wait for and of tasks for people.
#pragma once

#include <vector>

#include "server/rest/shape.h"

namespace stele::server::rest {

std::vector<Component> InstanceShapes();
std::vector<Component> CommandShapes();
std::vector<Component> HistoryShapes();
std::vector<Component> TaskShapes();

}  // namespace stele::server::rest
