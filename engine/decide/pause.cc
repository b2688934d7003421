// Pausing: nothing starts. What would have started is kept, in the order in which it came, and
// starts on resume; attempts that are under way end as usual. Going step by step is resuming for
// one thing.
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/turn.h"

namespace stele::decide {

namespace {

std::vector<RunId> RunsIn(const Turn& turn, RunState state) {
  std::vector<RunId> runs;
  for (const StepRun& run : turn.instance.runs)
    if (run.state == state) runs.push_back(run.id);
  return runs;
}

}  // namespace

std::optional<Rejection> Pause(Turn& turn, const model::PauseInstance& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (turn.instance.paused)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to be running but found it paused already",
                                 turn.instance.id.value)};
  turn.Emit(model::InstancePaused{command.reason, command.with_parent});
  return std::nullopt;
}

std::optional<Rejection> Resume(Turn& turn, const model::ResumeInstance& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (!turn.instance.paused)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to be paused but found it {}",
                                 turn.instance.id.value, model::StatusOf(turn.instance))};
  // All of it moves; what is more than `steps` is held again.
  std::vector<Token> held = HeldTokens(turn);
  turn.Emit(model::InstanceResumed{command.reason, command.steps});
  std::ranges::move(held, std::back_inserter(turn.tokens));
  for (const Scope& scope : turn.instance.scopes) turn.Touch(scope.id);
  turn.allowance = command.steps;
  GoOnWithRuns(turn);
  return std::nullopt;
}

void GoOnWithRuns(Turn& turn) {
  for (const RunId run : RunsIn(turn, RunState::kHeld)) {
    if (!MayStart(turn)) return;
    StartAttempt(turn, run);
  }
  for (const RunId id : RunsIn(turn, RunState::kFailing)) {
    if (turn.instance.paused && turn.allowance == 0) return;
    const StepRun* run = turn.instance.FindRun(id);
    // An earlier failure may have ended the scope that it was in.
    if (run == nullptr || run->state != RunState::kFailing) continue;
    const Problem problem{run->error_kind, run->error_message, run->retryable};
    FailRun(turn, id, problem);
  }
}

std::vector<Token> HeldTokens(const Turn& turn) {
  std::vector<Token> tokens;
  for (const Scope& scope : turn.instance.scopes)
    for (const model::HeldStep& held : scope.held_steps)
      tokens.push_back({.scope = scope.id,
                        .step = held.step,
                        .via = held.via,
                        .released = true,
                        .output = held.output});
  return tokens;
}

bool MayStart(Turn& turn) {
  if (turn.failure.has_value() || turn.instance.queued) return false;
  if (!turn.instance.paused) return true;
  if (turn.allowance == 0) return false;
  --turn.allowance;
  return true;
}

bool MayEnd(Turn& turn, ScopeId scope) {
  return scope != ScopeId() || MayStart(turn);
}

bool HoldStep(Turn& turn, const Token& token) {
  if (MayStart(turn)) return false;
  turn.Emit(model::StepHeld{token.scope, token.step, token.via, token.output});
  return true;
}

bool HoldFailure(Turn& turn, RunId run, const Problem& problem) {
  if (MayStart(turn)) return false;
  if (turn.instance.FindRun(run)->state == RunState::kChildren)
    CancelChildren(turn, run, model::CancelReason::kScopeFailed);
  turn.Emit(model::StepFailing{run, problem.kind, problem.message, problem.retryable});
  return true;
}

}  // namespace stele::decide
