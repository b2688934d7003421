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

// What has come of something that is durable: the execution with its steps, or what is known of it
// where it cannot be read. `status` 201 says where it is, too.
kj::Promise<http::Response> TellExecution(const Operations& operations, const Caller& caller,
                                          InstanceId id, int status, Object known);

}  // namespace stele::server::compat
