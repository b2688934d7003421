// A step's activations in a scope, from the token that starts one to its end.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

namespace {

using model::Purpose;
using model::RunState;
using model::SlotState;

bool WasOpenedBy(const Instance& instance, ScopeId id, RunId run) {
  for (; id != ScopeId(); id = instance.FindScope(id)->parent)
    if (instance.FindScope(id)->owner == run) return true;
  return false;
}

// A step that can be undone as a whole stands for what completed inside it.
void ReplaceInnerUndo(Instance& instance, model::Scope& scope, RunId run) {
  const size_t inner = std::erase_if(
      scope.undo, [&](const model::Undo& undo) { return WasOpenedBy(instance, undo.scope, run); });
  if (inner > 0) DropUnneededScopes(instance);
}

SlotState AfterCancelling(model::CancelReason reason) {
  switch (reason) {
    case model::CancelReason::kSkipped:
      return SlotState::kOmitted;
    case model::CancelReason::kRolledBack:
      return SlotState::kIdle;
    case model::CancelReason::kScopeFailed:
    case model::CancelReason::kInstanceCancelled:
    case model::CancelReason::kInstanceTerminated:
    case model::CancelReason::kRaceLost:
      return SlotState::kCancelled;
  }
  return SlotState::kCancelled;
}

}  // namespace

void On(Instance& instance, const model::StepActivated& event, const RecordContext& record) {
  CHECK(event.run == instance.last_run.Next(), "instance {}: run {} follows run {}",
        instance.id.value, event.run.value, instance.last_run.value);
  instance.last_run = event.run;
  model::Scope& scope = ScopeOf(instance, event.scope);
  ForgetHeld(scope, event.via);
  ++scope.active;
  model::SlotOf(scope, event.step).state = SlotState::kActive;

  model::StepRun& run = instance.runs.emplace_back();
  run.id = event.run;
  run.scope = event.scope;
  run.step = event.step;
  run.state = event.due ? RunState::kDelay : RunState::kAttempt;
  run.purpose = event.purpose;
  run.of = event.of;
  run.via = event.via;
  run.activated = record.time;
  run.due = event.due;
  run.deadline = event.deadline;
  run.config = event.config;
  run.input = event.input;
  run.secrets = event.secrets;
  run.waits = event.waits;
  run.concurrency_key = event.concurrency_key;
  run.unprepared = event.unprepared;
  if (!run.waits.empty()) run.state = RunState::kWaiting;
}

void On(Instance& instance, const model::StepPassed& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  ForgetHeld(scope, event.via);
  model::Slot& slot = model::SlotOf(scope, event.step);
  slot.state = SlotState::kCompleted;
  ++slot.completions;
}

void On(Instance& instance, const model::StepSkipped& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  ForgetHeld(scope, event.via);
  model::SlotOf(scope, event.step).state = SlotState::kSkipped;
}

void On(Instance& instance, const model::StepCompleted& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  model::Scope& scope = ScopeOf(instance, run.scope);
  model::Slot& slot = model::SlotOf(scope, run.step);
  slot.state = SlotState::kCompleted;
  ++slot.completions;
  slot.output = event.output.has_value() ? event.output : run.output;
  const bool undone = run.purpose == Purpose::kCompensation;
  const ScopeId in = run.scope;
  const RunId of = run.of;
  if (event.undoable) {
    model::Undo undo{run.id, run.scope, run.step, slot.output};
    // Only a run that has opened scopes has something inside; the earlier attempts' are closed.
    if (run.loop != nullptr || run.attempt > 1) ReplaceInnerUndo(instance, scope, event.run);
    ScopeOf(instance, undo.scope).undo.push_back(std::move(undo));
  }
  RemoveRun(instance, event.run);
  if (undone) EraseUndo(instance, in, of);
}

void On(Instance& instance, const model::StepFailed& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  model::SlotOf(ScopeOf(instance, run.scope), run.step).state =
      event.handled ? SlotState::kHandled : SlotState::kFailed;
  if (!event.fallback) {
    RemoveRun(instance, event.run);
    return;
  }
  run.state = RunState::kFailed;
  run.error_kind = event.kind;
  run.error_message = event.message;
  run.due = run.deadline = TimeUs();
  run.output = Payload();
}

void On(Instance& instance, const model::StepCancelled& event, const RecordContext&) {
  const model::StepRun& run = RunOf(instance, event.run);
  model::SlotOf(ScopeOf(instance, run.scope), run.step).state = AfterCancelling(event.reason);
  RemoveRun(instance, event.run);
}

}  // namespace stele::apply
