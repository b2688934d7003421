// The HTTP dialects of other engines, a resource each: the paths, members and words of theirs, onto
// the same operations as everything else. docs/compatibility.md lists every request.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "server/operations/operations.h"
#include "server/rest/route.h"

namespace stele::server::compat {

// What health says of the scheduler: "starting", "ok" or "stopping".
using SchedulerWord = std::function<std::string_view()>;

// Workflows, triggers, executions and step executions, below /api/v1.
rest::Resource ExecutionsResource(const Operations& operations, const SchedulerWord& word);
// Process definitions, process instances and the completion of tasks, below /api/v1.
rest::Resource ProcessesResource(const Operations& operations);
// Tasks, flows and jobs, below /api.
rest::Resource JobsResource(const Operations& operations);
// Workflows that are put together node by node, and their executions, below the root.
rest::Resource WorkflowsResource(const Operations& operations);

std::vector<rest::Resource> DialectsWith(const Operations& operations, const SchedulerWord& word);
// Of an engine that runs until its desk closes.
std::vector<rest::Resource> AllDialects(const Operations& operations);

}  // namespace stele::server::compat
