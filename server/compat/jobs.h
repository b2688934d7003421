// The parts of the dialect of jobs: each gives its routes.
//
// Thread: the loop's.
#pragma once

#include <string>
#include <vector>

#include "engine/definition/definition.h"
#include "server/operations/operations.h"
#include "server/rest/route.h"

namespace stele::server::compat {

std::vector<rest::Route> FlowRoutes(const Operations& operations);
std::vector<rest::Route> JobRoutes(const Operations& operations);
std::vector<rest::Component> FlowShapes();
std::vector<rest::Component> JobShapes();

// The tasks of a flow: the steps that people or programs do, in their order.
std::vector<const definition::Step*> TasksOf(const definition::Definition& definition);
// "approval", "manual" or "automated".
std::string TaskTypeOf(const definition::Step& step);

}  // namespace stele::server::compat
