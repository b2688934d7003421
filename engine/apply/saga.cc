// Undoing what was done, and incidents that wait for an operator.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance& instance, const model::CompensationStarted& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  scope.state = model::ScopeState::kCompensating;
  scope.ends_as = event.ends_as;
  scope.held.clear();
  scope.held_steps.clear();
  scope.arrivals.clear();
  scope.failure =
      std::make_unique<model::Failure>(model::Failure{event.kind, event.message, event.run});
  if (scope.id != ScopeId()) return;
  instance.status = model::Status::kCompensating;
  // The deadline bounds the work, not the undoing of it.
  instance.deadline = TimeUs();
}

void On(Instance& instance, const model::CompensationWaived& event, const RecordContext&) {
  // The compensation that was tried and parked is over.
  const auto parked = std::ranges::find_if(instance.runs, [&](const model::StepRun& run) {
    return run.purpose == model::Purpose::kCompensation && run.of == event.run;
  });
  CHECK(parked != instance.runs.end(), "no compensation of run {} is parked", event.run.value);
  const ScopeId scope = parked->scope;
  RemoveRun(instance, parked->id);
  EraseUndo(instance, scope, event.run);
}

void On(Instance& instance, const model::CompensationEnded& event, const RecordContext&) {
  CHECK(ScopeOf(instance, event.scope).undo.empty(), "scope {} has steps left to undo",
        event.scope.value);
}

void On(Instance& instance, const model::IncidentRaised& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.state = model::RunState::kParked;
  run.due = run.deadline = TimeUs();
  run.error_kind = event.kind;
  run.error_message = event.message;
}

void On(Instance& instance, const model::IncidentResolved& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  CHECK(run.state == model::RunState::kParked, "run {} has no incident", run.id.value);
  run.state = model::RunState::kFailed;
}

}  // namespace stele::apply
