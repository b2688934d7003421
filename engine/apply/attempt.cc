// A run's attempts: started, ended, waited for.
#include "engine/apply/apply.h"

namespace stele::apply {

using model::RunState;

void On(Instance& instance, const model::AttemptStarted& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.state = RunState::kAttempt;
  run.attempt = event.attempt;
  run.deadline = event.deadline;
  run.due = TimeUs();
  // A loop or sub-process begins again; its scopes are closed.
  run.loop.reset();
  run.child = InstanceId();
  if (run.waits.empty()) return;
  run.state = RunState::kWaiting;
  run.due = model::FirstDue(run.waits);
}

void On(Instance& instance, const model::AttemptCompleted& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  CHECK(run.attempt == event.attempt, "run {} is at attempt {}, not {}", run.id.value, run.attempt,
        event.attempt);
  run.state = RunState::kDone;
  run.deadline = TimeUs();
  run.output = event.output;
}

void On(Instance& instance, const model::AttemptFailed& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  CHECK(run.attempt == event.attempt, "run {} is at attempt {}, not {}", run.id.value, run.attempt,
        event.attempt);
  run.state = RunState::kFailed;
  run.deadline = TimeUs();
  run.error_kind = event.kind;
  run.error_message = event.message;
}

void On(Instance& instance, const model::AttemptInterrupted& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.deadline = TimeUs();
  run.error_kind = "interrupted";
  if (event.by == model::Interruption::kShutdown) {
    run.state = RunState::kHeld;
    ++run.uncounted;
  } else {
    run.state = RunState::kFailed;
  }
}

void On(Instance& instance, const model::RetryScheduled& event, const RecordContext&) {
  model::StepRun& run = RunOf(instance, event.run);
  run.state = RunState::kBackoff;
  run.due = event.due;
  run.deadline = TimeUs();
}

void On(Instance& instance, const model::TimerElapsed& event, const RecordContext&) {
  switch (event.kind) {
    case model::TimerKind::kInstanceDeadline:
      instance.deadline = TimeUs();
      return;
    case model::TimerKind::kEscalation:
      RunOf(instance, event.run).human->escalate_at = TimeUs();
      return;
    case model::TimerKind::kReminder:
      RunOf(instance, event.run).human->remind_at = TimeUs();
      return;
    case model::TimerKind::kDelay:
      RunOf(instance, event.run).state = RunState::kDone;
      break;
    case model::TimerKind::kRetry:
    case model::TimerKind::kAttemptDeadline:
      break;
  }
  model::StepRun& run = RunOf(instance, event.run);
  run.due = TimeUs();
  run.deadline = TimeUs();
}

}  // namespace stele::apply
