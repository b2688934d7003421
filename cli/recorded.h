// A recorded instance as the reading commands show it.
#pragma once

#include <functional>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/timeline.h"

namespace stele::cli {

struct Recorded {
  model::Registry registry;
  const definition::Definition* definition = nullptr;  // that it runs now
  model::Instance instance;
  std::optional<replay::Timeline> timeline;
  replay::Standing standing;
};

// The steps that nobody but a worker does, by what is registered: nobody has the log open, so no
// worker has a task.
replay::LacksWorker NeedsWorkerOf(const model::Registry& registry);

// Sees an event and the version of the definition that it speaks of.
using VisitRecorded =
    std::function<void(const replay::HistoryEntry& entry, const definition::Definition&)>;

// The instance that the first operand names. `visit` sees every event when it is applied.
Result<std::unique_ptr<Recorded>> ReadRecorded(const Arguments& arguments,
                                               const VisitRecorded& visit = nullptr);

}  // namespace stele::cli
