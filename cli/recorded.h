// A recorded instance as the reading commands show it.
#pragma once

#include <functional>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "replay/history.h"
#include "replay/timeline.h"

namespace stele::cli {

struct Recorded {
  model::Registry registry;
  const definition::Definition* definition = nullptr;
  model::Instance instance;
  std::optional<replay::Timeline> timeline;
};

// The instance that the first operand names. `visit` sees every event when it is applied.
Result<std::unique_ptr<Recorded>> ReadRecorded(const Arguments& arguments,
                                               const replay::VisitEntry& visit = nullptr);

}  // namespace stele::cli
