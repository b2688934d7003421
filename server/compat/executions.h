// The parts of the dialect of executions: each gives its routes.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <vector>

#include "server/http/response.h"
#include "server/operations/operations.h"
#include "server/rest/route.h"

namespace stele::server::compat {

std::vector<rest::Route> WorkflowRoutes(const Operations& operations);
std::vector<rest::Route> TriggerRoutes(const Operations& operations);
std::vector<rest::Component> ExecutionShapes();

Object ShowTrigger(const model::Registry& registry, const TriggerStatus& trigger);

// The execution with its steps; `status` 201 says where it is, too.
kj::Promise<http::Response> ShowExecution(const Operations& operations, const Caller& caller,
                                          InstanceId id, int status);

}  // namespace stele::server::compat
