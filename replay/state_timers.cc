#include "replay/state_timers.h"

#include <algorithm>

namespace stele::replay {

namespace {

using model::RunState;
using model::StepRun;
using model::Timer;
using model::TimerKind;

void AddTimersOf(const StepRun& run, std::vector<Timer>& all) {
  const auto add = [&](TimeUs at, TimerKind kind) {
    if (at) all.push_back({at, kind, run.id, run.attempt});
  };
  switch (run.state) {
    case RunState::kAttempt:
    case RunState::kChildren:
      return add(run.deadline, TimerKind::kAttemptDeadline);
    case RunState::kBackoff:
      return add(run.due, TimerKind::kRetry);
    case RunState::kDelay:
      return add(run.due, TimerKind::kDelay);
    case RunState::kWaiting:
      add(run.due, TimerKind::kDelay);
      add(run.deadline, TimerKind::kAttemptDeadline);
      if (run.human == nullptr) return;
      add(run.human->escalate_at, TimerKind::kEscalation);
      return add(run.human->remind_at, TimerKind::kReminder);
    case RunState::kFailing:
    case RunState::kParked:
    case RunState::kDone:
    case RunState::kFailed:
    case RunState::kHeld:
      return;
  }
}

}  // namespace

std::vector<Timer> TimersOf(const model::Instance& instance) {
  std::vector<Timer> all;
  if (instance.status == model::Status::kNone || model::HasEnded(instance.status)) return all;
  if (instance.deadline)
    all.push_back({instance.deadline, TimerKind::kInstanceDeadline, RunId(), 0});
  for (const StepRun& run : instance.runs) AddTimersOf(run, all);
  std::ranges::stable_sort(all, {}, &Timer::at);
  return all;
}

}  // namespace stele::replay
