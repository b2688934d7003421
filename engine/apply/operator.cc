// What operators do to an instance and its steps.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance& instance, const model::InstanceRetryRequested& event, const RecordContext&) {
  CHECK(instance.status == model::Status::kFailed, "instance {} is retried but has not failed",
        instance.id.value);
  // What a limit has stopped while it undid its steps goes on with that, without a deadline.
  const bool undoes = instance.scopes[0].state == model::ScopeState::kCompensating;
  instance.status = undoes ? model::Status::kCompensating : model::Status::kRunning;
  instance.ended = TimeUs();
  instance.failure = {};
  // What its parent waits for is another child by now, if anything.
  instance.linked = false;
  instance.deadline = undoes ? TimeUs() : event.deadline;
  instance.queued = event.queued;
  // What failed, was cut off or did not come to start starts now.
  model::Scope& root = instance.scopes[0];
  root.held_steps.clear();
  for (model::Slot& slot : root.slots)
    if (slot.state == model::SlotState::kFailed || slot.state == model::SlotState::kCancelled)
      slot.state = model::SlotState::kIdle;
}

void On(Instance& instance, const model::InstanceAdmitted&, const RecordContext&) {
  CHECK(instance.queued, "instance {} is admitted twice", instance.id.value);
  instance.queued = false;
  // Those that may not start yet are held again by events that follow.
  for (model::Scope& scope : instance.scopes) scope.held_steps.clear();
}

void On(Instance& instance, const model::StepRetryRequested& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.state = model::RunState::kFailed;
  run.due = TimeUs();
}

void On(Instance& instance, const model::StepSkipRequested& event, const RecordContext&) {
  // What it takes away follows as events of its own.
  RunOf(instance, event.run);
}

void On(Instance& instance, const model::StepRolledBack& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  const auto is_reset = [&](StepIndex step) {
    return std::ranges::binary_search(event.reset, step);
  };
  const auto is_cleared = [&](TransitionIndex transition) {
    return std::ranges::binary_search(event.cleared, transition);
  };
  std::erase_if(scope.held, is_cleared);
  std::erase_if(scope.held_steps, [&](const model::HeldStep& held) { return is_reset(held.step); });
  std::erase_if(scope.arrivals,
                [&](const model::Arrival& arrival) { return is_cleared(arrival.transition); });
  for (model::Slot& slot : scope.slots) {
    if (!is_reset(slot.step)) continue;
    slot.state = model::SlotState::kIdle;
    // The step that starts again goes on absorbing what comes late to its join.
    if (slot.step != event.to_step) slot.fired = false;
  }
}

}  // namespace stele::apply
