// The task types that come with Stele, each with its executor: the one list of them.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

// Registers them all, but for types that have an executor already. Scripts and programs start in
// the working directory of the process; files that a step names are looked for there and then in
// `search_directories`. The client that they share, for further types. REQUIRES: the loop and the
// clock outlive the registry.
std::shared_ptr<HttpClient> RegisterBuiltinTasks(uv_loop_t* loop, const Clock* clock,
                                                 std::vector<std::string> search_directories,
                                                 TaskRegistry& registry);

}  // namespace stele::tasks
