// An instance that is kept from going on, and what it keeps until it may.
#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance& instance, const model::InstancePaused&, const RecordContext&) {
  instance.paused = true;
}

void On(Instance& instance, const model::InstanceResumed& event, const RecordContext&) {
  instance.paused = event.steps != 0;
  // Those that may not start yet are held again by events that follow.
  for (model::Scope& scope : instance.scopes) scope.held_steps.clear();
}

void On(Instance& instance, const model::StepHeld& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  ForgetHeld(scope, event.via);
  scope.held_steps.push_back({event.step, event.via, event.output});
  // How it ended before says nothing any more about whether it goes on.
  model::SlotState& state = model::SlotOf(scope, event.step).state;
  if (state == model::SlotState::kFailed || state == model::SlotState::kCancelled)
    state = model::SlotState::kIdle;
}

void On(Instance& instance, const model::StepFailing& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.state = model::RunState::kFailing;
  run.due = run.deadline = TimeUs();
  run.error_kind = event.kind;
  run.error_message = event.message;
  run.retryable = event.retryable;
}

}  // namespace stele::apply
