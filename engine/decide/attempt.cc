// Attempts: what comes back from outside, timers, retries.
#include <fmt/format.h>

#include "engine/decide/limits.h"
#include "engine/decide/retry.h"
#include "engine/decide/turn.h"

namespace stele::decide {

namespace {

// The run whose attempt is outside, or why the answer comes too late.
std::optional<Rejection> RejectStale(const Turn& turn, RunId id, uint32_t attempt) {
  const StepRun* run = turn.instance.FindRun(id);
  if (run == nullptr) return NoSuchRun(turn, id);
  if (run->state != RunState::kAttempt || run->attempt != attempt ||
      turn.StepOf(*run).kind != StepKind::kTask)
    return Rejection{
        ErrorCode::kStaleAttempt,
        fmt::format("Expected attempt {} of run {} to be under way but found the run at {}",
                    attempt, id.value, run->attempt)};
  return std::nullopt;
}

void ElapseDelay(Turn& turn, RunId run) {
  if (turn.StepOf(*turn.instance.FindRun(run)).kind == StepKind::kWait)
    return ElapseWait(turn, run);
  CompleteRun(turn, run, Payload());
}

void ElapseDeadline(Turn& turn, RunId run) {
  if (turn.instance.FindRun(run)->human != nullptr) return ExpireHumanTask(turn, run);
  FailRun(turn, run, {"timeout", "The step's timeout has elapsed"});
}

// People fail what they were to do, too.
bool IsHumanTask(const Turn& turn, RunId id, uint32_t attempt) {
  const StepRun* run = turn.instance.FindRun(id);
  return run != nullptr && run->human != nullptr && run->state == RunState::kWaiting &&
         run->attempt == attempt;
}

}  // namespace

Rejection NoSuchRun(const Turn& turn, RunId run) {
  return {ErrorCode::kUnknownRun, fmt::format("Expected an open run of instance {} but found no {}",
                                              turn.instance.id.value, run.value)};
}

void StartAttempt(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  turn.Emit(model::AttemptStarted{id, run.attempt + 1, DeadlineOf(turn, turn.StepOf(run))});
  if (turn.StepOf(run).kind != StepKind::kTask) BeginChildren(turn, id);
}

TimeUs DeadlineOf(const Turn& turn, const Step& step) {
  // A delay takes as long as it says. A task's time begins when an executor has it, which the
  // runtime knows alone: until then it may wait for a place.
  const bool timed =
      step.timeout_us > 0 && step.kind != StepKind::kDelay && step.kind != StepKind::kTask;
  return timed ? turn.now().Plus(step.timeout_us) : TimeUs();
}

std::optional<Rejection> Complete(Turn& turn, const model::CompleteAttempt& command) {
  if (auto rejection = RejectStale(turn, command.run, command.attempt)) return rejection;
  if (auto problem = ProblemOfDocument(command.output, "an output")) {
    problem->kind = "output_limit";
    turn.Emit(model::AttemptFailed{.run = command.run,
                                   .attempt = command.attempt,
                                   .kind = problem->kind,
                                   .message = problem->message,
                                   .retryable = false,
                                   .log = command.log,
                                   .log_truncated = command.log_truncated});
    FailRun(turn, command.run, *problem);
    return std::nullopt;
  }
  turn.Emit(model::AttemptCompleted{command.run, command.attempt, command.output, command.log,
                                    command.log_truncated});
  CompleteRun(turn, command.run, command.output);
  return std::nullopt;
}

std::optional<Rejection> Fail(Turn& turn, const model::FailAttempt& command) {
  if (!IsHumanTask(turn, command.run, command.attempt))
    if (auto rejection = RejectStale(turn, command.run, command.attempt)) return rejection;
  turn.Emit(model::AttemptFailed{command.run, command.attempt, command.kind, command.message,
                                 command.retryable, command.details, command.log,
                                 command.log_truncated});
  FailRun(turn, command.run, {command.kind, command.message, command.retryable});
  return std::nullopt;
}

std::optional<Rejection> Interrupt(Turn& turn, const model::InterruptAttempt& command) {
  if (auto rejection = RejectStale(turn, command.run, command.attempt)) return rejection;
  turn.Emit(model::AttemptInterrupted{command.run, command.attempt, command.by});
  if (command.by == model::Interruption::kCrash)
    FailRun(turn, command.run,
            {"interrupted", "The engine stopped while the attempt was under way"});
  return std::nullopt;
}

std::optional<Rejection> Restart(Turn& turn, const model::RestartAttempt& command) {
  const StepRun* run = turn.instance.FindRun(command.run);
  if (run == nullptr) return NoSuchRun(turn, command.run);
  if (run->state != RunState::kHeld)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected run {} to be held but it is not", command.run.value)};
  if (turn.instance.paused || turn.instance.queued)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to be running but found it {}",
                                 turn.instance.id.value, model::StatusOf(turn.instance))};
  StartAttempt(turn, command.run);
  return std::nullopt;
}

std::optional<Rejection> Elapse(Turn& turn, const model::ElapseTimer& command) {
  const model::Timer timer = model::NextTimer(turn.instance);
  if (!timer.at || timer.kind != command.kind || timer.run != command.run ||
      timer.attempt != command.attempt || timer.at > turn.now())
    return Rejection{
        ErrorCode::kStaleAttempt,
        fmt::format("Expected a timer of run {} that is due but found none", command.run.value)};
  turn.Emit(model::TimerElapsed{command.kind, command.run, command.attempt});
  switch (command.kind) {
    case model::TimerKind::kDelay:
      ElapseDelay(turn, command.run);
      break;
    case model::TimerKind::kEscalation:
      Escalate(turn, command.run);
      break;
    case model::TimerKind::kReminder:
      Remind(turn, command.run);
      break;
    case model::TimerKind::kRetry:
      StartAttempt(turn, command.run);
      break;
    case model::TimerKind::kAttemptDeadline:
      ElapseDeadline(turn, command.run);
      break;
    case model::TimerKind::kInstanceDeadline:
      FailScope(turn, ScopeId(), {"deadline", "The instance's deadline has passed", RunId()});
      break;
  }
  return std::nullopt;
}

void FailRun(Turn& turn, RunId id, const Problem& problem) {
  if (HoldFailure(turn, id, problem)) return;
  const StepRun& run = *turn.instance.FindRun(id);
  const Step& step = turn.StepOf(run);
  const uint32_t failed = run.attempt - run.uncounted;
  if (run.state == RunState::kChildren) {
    // The scopes of the attempt that failed are over.
    CancelChildren(turn, id, model::CancelReason::kScopeFailed);
  }
  if (problem.retryable && WantsRetry(step.retry, failed, problem.kind)) {
    const int64_t delay = RetryDelayUs(step.retry, failed, turn.instance.id, id);
    turn.Emit(
        model::RetryScheduled{id, turn.instance.FindRun(id)->attempt + 1, turn.now().Plus(delay)});
    return;
  }
  GiveUp(turn, id, problem);
}

}  // namespace stele::decide
