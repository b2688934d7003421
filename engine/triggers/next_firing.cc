#include "engine/triggers/next_firing.h"

#include <algorithm>

#include "engine/triggers/timetables.h"

namespace stele::triggers {

std::optional<Firing> NextFiringOf(const RecordedTrigger& trigger, TimeUs now) {
  TriggerTable table;
  table.Apply(
      model::TriggerRegistered{trigger.id, trigger.definition, trigger.kind, trigger.config},
      {Position(), trigger.since});
  const KnownTrigger& known = *table.Find(trigger.id);
  if (trigger.state != model::TriggerState::kActive || known.As<ScheduleTrigger>() == nullptr)
    return std::nullopt;
  return ScheduleOf(known).NextFiring(std::max(now.value, trigger.last_scheduled.value));
}

std::optional<Firing> NextFiringOf(const KnownTrigger& trigger, TimeUs now) {
  if (trigger.As<ScheduleTrigger>() == nullptr || !trigger.active()) return std::nullopt;
  return ScheduleOf(trigger).NextFiring(std::max(now.value, trigger.last_scheduled.value));
}

}  // namespace stele::triggers
