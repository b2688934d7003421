// The registry: triggers and their firings.
#include "engine/apply/registry.h"

namespace stele::apply {

namespace {

model::RegisteredTrigger& TriggerOf(model::Registry& registry, TriggerId id) {
  CHECK(id && id.value <= registry.triggers.size(), "there is no trigger {}", id.value);
  return registry.triggers[id.value - 1];
}

}  // namespace

void On(model::Registry& registry, const model::TriggerRegistered& event,
        const RecordContext& record) {
  CHECK(event.trigger.value == registry.triggers.size() + 1, "trigger {} follows {} others",
        event.trigger.value, registry.triggers.size());
  model::RegisteredTrigger& trigger = registry.triggers.emplace_back();
  trigger.id = event.trigger;
  trigger.definition = event.definition;
  trigger.kind = event.kind;
  trigger.config = event.config;
  trigger.registered = record.time;
}

void On(model::Registry& registry, const model::TriggerFired& event, const RecordContext&) {
  model::RegisteredTrigger& trigger = TriggerOf(registry, event.trigger);
  if (event.time > trigger.last_time) trigger.last_time = event.time;
  trigger.last_outcome = event.outcome;
  ++trigger.fired;
}

void On(model::Registry& registry, const model::TriggerStateChanged& event, const RecordContext&) {
  const std::optional<model::TriggerState> state = model::FindTriggerState(event.state);
  CHECK(state.has_value(), "trigger {} becomes \"{}\"", event.trigger.value, event.state);
  TriggerOf(registry, event.trigger).state = *state;
}

}  // namespace stele::apply
