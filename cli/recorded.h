// A recorded instance as the reading commands show it.
#pragma once

#include <memory>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/model/registry.h"
#include "replay/recorded.h"
#include "replay/standing.h"

namespace stele::cli {

struct Recorded : replay::Recorded {
  model::Registry registry;
  replay::Standing standing;
};

// The steps that nobody but a worker does, by what is registered: nobody has the log open, so no
// worker has a task.
replay::LacksWorker NeedsWorkerOf(const model::Registry& registry);

// The instance that the first operand names. `visit` sees every event when it is applied.
Result<std::unique_ptr<Recorded>> ReadRecorded(const Arguments& arguments,
                                               const replay::VisitRecorded& visit = nullptr);

}  // namespace stele::cli
