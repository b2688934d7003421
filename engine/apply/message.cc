// Messages, signals and child instances.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance& instance, const model::SignalReceived& event, const RecordContext&) {
  instance.signals.push_back({event.name, event.payload});
}

void On(Instance&, const model::MessagePublished&, const RecordContext&) {
  // Kept by the shard until somebody waits for it; nothing changes here.
}

void On(Instance& instance, const model::MessageCorrelated& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  CHECK(run.state == model::RunState::kWaiting && event.wait < run.waits.size(),
        "run {} does not wait for event {}", run.id.value, event.wait);
  run.state = model::RunState::kDone;
  run.due = run.deadline = TimeUs();
  if (event.message_position) return;
  const auto kept = std::ranges::find(instance.signals, event.name, &model::Signal::name);
  CHECK(kept != instance.signals.end(), "no signal \"{}\" was kept", event.name);
  instance.signals.erase(kept);
}

void On(Instance& instance, const model::ChildStarted& event, const RecordContext&) {
  RunOf(instance, event.run).child = event.child;
}

}  // namespace stele::apply
