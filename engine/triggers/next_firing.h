// When a trigger fires next, told from what the registry keeps of it: for a view of triggers, which
// keeps the configuration and not the moment.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "engine/model/registry.h"
#include "engine/triggers/trigger_table.h"

namespace stele::triggers {

struct RecordedTrigger {
  TriggerId id;
  std::string definition;
  std::string kind;
  std::string config;  // as the registry keeps it (StoredTrigger)
  model::TriggerState state = model::TriggerState::kActive;
  TimeUs since;           // when it was registered or resumed
  TimeUs last_scheduled;  // the last moment of its schedule that is dealt with
};

// The first firing after `now` of what is a schedule, is active and can be read; else nothing.
std::optional<Firing> NextFiringOf(const RecordedTrigger& trigger, TimeUs now);
std::optional<Firing> NextFiringOf(const KnownTrigger& trigger, TimeUs now);

}  // namespace stele::triggers
