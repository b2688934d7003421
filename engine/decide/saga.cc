// Failures for good: failure transitions, fallbacks, strategies, compensation, incidents.
//
// Compensation undoes a scope's completed steps in the reverse order of their completion, one after
// the other. What completed inside a nested scope stands, together, at the place where that scope
// closed: the nested scope is undone as a unit (Garcia-Molina, Salem, "Sagas", 1987).
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/past.h"

namespace stele::decide {

namespace {

using definition::On;
using definition::Strategy;

StepIndex FallbackOf(const Turn& turn, const StepRun& run) {
  const Step& step = turn.StepOf(run);
  if (step.fallback.value != kNoIndex) return step.fallback;
  const StepIndex general = turn.definition.body(step.body).fallback;
  return general == run.step ? StepIndex(kNoIndex) : general;
}

// A fallback has been tried: the slot says failed while the run is still there.
bool FallbackTried(const Turn& turn, const StepRun& run) {
  const model::Slot* slot = model::FindSlot(*turn.instance.FindScope(run.scope), run.step);
  return slot->state == model::SlotState::kFailed;
}

// True when a failure transition takes the token.
bool TakeFailureBranch(Turn& turn, RunId id, const Problem& problem) {
  const StepRun& run = *turn.instance.FindRun(id);
  Object failure{{"kind", Value(problem.kind)}, {"message", Value(problem.message)}};
  const Payload output = Payload::FromValue(Object{{"error", Value(std::move(failure))}});
  const std::expected<Branches, Problem> branches =
      PlanBranches(turn, run.scope, turn.StepOf(run), On::kFailure, output);
  if (!branches.has_value() || std::ranges::none_of(*branches, &Branch::live)) return false;
  const ScopeId scope = run.scope;
  turn.Emit(model::StepFailed{
      .run = id, .kind = problem.kind, .message = problem.message, .handled = true});
  Send(turn, scope, *branches, output);
  turn.Touch(scope);
  return true;
}

void GoOn(Turn& turn, RunId id, const Problem& problem) {
  const StepRun& run = *turn.instance.FindRun(id);
  const ScopeId scope = run.scope;
  std::expected<Branches, Problem> branches =
      PlanBranches(turn, scope, turn.StepOf(run), On::kSuccess, Payload());
  turn.Emit(model::StepFailed{.run = id,
                              .kind = problem.kind,
                              .message = problem.message,
                              .handled = branches.has_value()});
  if (!branches.has_value()) {
    const Problem& why = branches.error();
    return FailScope(turn, scope, {why.kind, why.message, id});
  }
  Send(turn, scope, *branches, Payload());
  turn.Touch(scope);
}

void ApplyStrategy(Turn& turn, RunId id, const Problem& problem) {
  const StepRun& run = *turn.instance.FindRun(id);
  const ScopeId scope = run.scope;
  switch (turn.definition.body(turn.StepOf(run).body).strategy) {
    case Strategy::kPark:
      return turn.Emit(model::IncidentRaised{id, problem.kind, problem.message});
    case Strategy::kContinue:
      return GoOn(turn, id, problem);
    case Strategy::kFail:
    case Strategy::kCompensate:
      turn.Emit(model::StepFailed{id, problem.kind, problem.message});
      return FailScope(turn, scope, {problem.kind, problem.message, id});
  }
}

// Whether the compensation of the step that is undone next is under way, or parked.
bool Undoes(const Turn& turn, const Scope& scope) {
  return std::ranges::any_of(turn.instance.runs, [&](const StepRun& run) {
    return run.purpose == Purpose::kCompensation && run.of == scope.undo.back().run;
  });
}

void EndCompensation(Turn& turn, ScopeId id) {
  const Scope& scope = *turn.instance.FindScope(id);
  const model::Failure failure = *scope.failure;
  const model::Outcome ends_as = scope.ends_as;
  turn.Emit(model::CompensationEnded{id});
  if (id != ScopeId()) return CloseFailedScope(turn, id, failure);
  if (ends_as == model::Outcome::kCancelled) return turn.Emit(model::InstanceCancelled{true});
  turn.Emit(model::InstanceFailed{failure.kind, failure.message, failure.run, true});
}

// There is no attempt to repeat, so that the step is started anew: what it was to do could not be
// said, or it has done nothing yet, or does it all at once.
bool StartsAnew(const Turn& turn, const StepRun& run) {
  if (run.unprepared) return true;
  switch (turn.StepOf(run).kind) {
    case StepKind::kTask:
    case StepKind::kSubProcess:
      return false;
    case StepKind::kLoop:
      return run.loop == nullptr;
    case StepKind::kHuman:
      return run.human == nullptr;
    case StepKind::kWait:
      return run.waits.empty();
    case StepKind::kPublish:
    case StepKind::kDelay:
    case StepKind::kStart:
    case StepKind::kEnd:
    case StepKind::kGateway:
      return true;
  }
  return true;
}

}  // namespace

void RetryParked(Turn& turn, RunId id, const Problem& problem) {
  const StepRun& run = *turn.instance.FindRun(id);
  if (!StartsAnew(turn, run))
    return turn.Emit(model::RetryScheduled{id, run.attempt + 1, turn.now()});
  const Token token{.scope = run.scope,
                    .step = run.step,
                    .via = run.via,
                    .output = Past(turn, run.scope).OutputInto(run.step, run.via)};
  const std::optional<ScopeId> compensating =
      run.purpose == Purpose::kCompensation ? std::optional(CompensatingScope(turn, run.scope))
                                            : std::nullopt;
  turn.Emit(model::StepFailed{id, problem.kind, problem.message});
  // The next step to undo is the one whose compensation has just been given up.
  if (compensating.has_value()) return turn.Touch(*compensating);
  StartStep(turn, token);
  turn.Touch(token.scope);
}

void CancelStandIn(Turn& turn, RunId id) {
  const auto found = std::ranges::find_if(turn.instance.runs, [&](const StepRun& run) {
    return run.purpose == Purpose::kFallback && run.of == id;
  });
  if (found == turn.instance.runs.end()) return;
  const RunId fallback = found->id;
  CancelChildren(turn, fallback, model::CancelReason::kSkipped);
  turn.Emit(model::StepCancelled{fallback, model::CancelReason::kSkipped});
}

ScopeId CompensatingScope(const Turn& turn, ScopeId id) {
  while (turn.instance.FindScope(id)->state != model::ScopeState::kCompensating) {
    CHECK(id != ScopeId(), "no scope of instance {} compensates", turn.instance.id.value);
    id = turn.instance.FindScope(id)->parent;
  }
  return id;
}

void FailForGood(Turn& turn, RunId id, const Problem& problem) {
  if (!HoldFailure(turn, id, {problem.kind, problem.message, false})) GiveUp(turn, id, problem);
}

void GiveUp(Turn& turn, RunId id, const Problem& problem) {
  const StepRun& run = *turn.instance.FindRun(id);
  if (run.state == RunState::kChildren) CancelChildren(turn, id, model::CancelReason::kScopeFailed);
  switch (run.purpose) {
    case Purpose::kCompensation:
      return turn.Emit(model::IncidentRaised{id, problem.kind, problem.message});
    case Purpose::kFallback: {
      const RunId original = run.of;
      turn.Emit(model::StepFailed{id, problem.kind, problem.message});
      return ApplyStrategy(turn, original, problem);
    }
    case Purpose::kNormal:
      break;
  }
  if (TakeFailureBranch(turn, id, problem)) return;
  const StepIndex fallback = FallbackOf(turn, run);
  if (fallback.value == kNoIndex || FallbackTried(turn, run))
    return ApplyStrategy(turn, id, problem);
  const Activation activation{
      .scope = run.scope, .step = fallback, .purpose = Purpose::kFallback, .of = id};
  turn.Emit(model::StepFailed{id, problem.kind, problem.message, true});
  Activate(turn, activation);
}

void FailScope(Turn& turn, ScopeId id, const model::Failure& failure) {
  CancelRuns(turn, id, model::CancelReason::kScopeFailed);
  const Scope& scope = *turn.instance.FindScope(id);
  const bool compensates = turn.definition.body(scope.body).strategy == Strategy::kCompensate &&
                           scope.state == model::ScopeState::kOpen && !scope.undo.empty();
  if (compensates) {
    turn.Emit(model::CompensationStarted{.scope = id,
                                         .ends_as = model::Outcome::kFailed,
                                         .run = failure.run,
                                         .kind = failure.kind,
                                         .message = failure.message});
    return turn.Touch(id);
  }
  if (id != ScopeId()) return CloseFailedScope(turn, id, failure);
  if (!turn.failure.has_value()) turn.failure = failure;
}

void AdvanceCompensation(Turn& turn, ScopeId id) {
  const Scope& scope = *turn.instance.FindScope(id);
  if (scope.undo.empty()) {
    if (scope.active == 0 && MayEnd(turn, id)) EndCompensation(turn, id);
    return;
  }
  if (Undoes(turn, scope) || !MayStart(turn)) return;
  const model::Undo undo = scope.undo.back();
  const StepIndex step = turn.definition.step(undo.step).compensation;
  Activate(turn, {.scope = undo.scope,
                  .step = step,
                  .purpose = Purpose::kCompensation,
                  .of = undo.run,
                  .output = undo.output,
                  .undone = undo.step});
}

std::optional<Rejection> Resolve(Turn& turn, const model::ResolveIncident& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  const StepRun* run = turn.instance.FindRun(command.run);
  if (run == nullptr) return NoSuchRun(turn, command.run);
  if (run->state != RunState::kParked)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected run {} of instance {} to be parked but it is not",
                                 command.run.value, turn.instance.id.value)};
  const Problem problem{run->error_kind, run->error_message};
  turn.Emit(model::IncidentResolved{command.run, command.resolution, command.reason});
  const StepRun& parked = *turn.instance.FindRun(command.run);
  if (command.resolution == model::Resolution::kRetry) {
    RetryParked(turn, command.run, problem);
    return std::nullopt;
  }
  if (parked.purpose == Purpose::kCompensation) {
    const ScopeId compensating = CompensatingScope(turn, parked.scope);
    turn.Emit(model::CompensationWaived{parked.of, command.reason});
    turn.Touch(compensating);
    return std::nullopt;
  }
  if (command.resolution == model::Resolution::kSkip) {
    GoOn(turn, command.run, problem);
  } else {
    const ScopeId scope = parked.scope;
    turn.Emit(model::StepFailed{command.run, problem.kind, problem.message});
    FailScope(turn, scope, {problem.kind, problem.message, command.run});
  }
  return std::nullopt;
}

}  // namespace stele::decide
