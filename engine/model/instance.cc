#include "engine/model/instance.h"

#include <algorithm>

#include "engine/model/names.h"

namespace stele::model {
namespace {

// `list` is sorted by `id`; null when it holds none of that id.
template <class List, class Member, class Id>
auto* FindById(List& list, Member id, Id wanted) {
  const auto found = std::ranges::lower_bound(list, wanted, {}, id);
  return found != list.end() && (*found).*id == wanted ? &*found : nullptr;
}

// Of timers at the same moment, the one that ends the wait comes first.
Timer WaitingTimerOf(const StepRun& run) {
  Timer next{run.due, TimerKind::kDelay, run.id, run.attempt};
  const auto consider = [&](TimeUs at, TimerKind kind) {
    if (at && (!next.at || at < next.at)) next = {at, kind, run.id, run.attempt};
  };
  consider(run.deadline, TimerKind::kAttemptDeadline);
  if (run.human == nullptr) return next;
  consider(run.human->escalate_at, TimerKind::kEscalation);
  consider(run.human->remind_at, TimerKind::kReminder);
  return next;
}

Timer TimerOf(const StepRun& run) {
  switch (run.state) {
    case RunState::kAttempt:
      return {run.deadline, TimerKind::kAttemptDeadline, run.id, run.attempt};
    case RunState::kBackoff:
      return {run.due, TimerKind::kRetry, run.id, run.attempt};
    case RunState::kDelay:
      return {run.due, TimerKind::kDelay, run.id, run.attempt};
    case RunState::kChildren:
      return {run.deadline, TimerKind::kAttemptDeadline, run.id, run.attempt};
    case RunState::kWaiting:
      return WaitingTimerOf(run);
    case RunState::kFailing:
    case RunState::kParked:
    case RunState::kDone:
    case RunState::kFailed:
    case RunState::kHeld:
      return {};
  }
  return {};
}

size_t HeapOf(const std::string& text) {
  static const size_t kInline = std::string().capacity();
  return text.capacity() > kInline ? text.capacity() + 1 : 0;
}

template <class T>
size_t HeapOf(const std::vector<T>& list) {
  return list.capacity() * sizeof(T);
}

class MemoryCount {
 public:
  void Add(const Payload& payload) {
    constexpr size_t kHeader = 16;  // of Payload's node
    // A Value and what it points to, for each few bytes of text.
    constexpr size_t kParsedFactor = 8;
    if (payload.has_value()) use_.payloads += kHeader + payload.text().size();
    if (payload.is_parsed()) use_.parsed += kParsedFactor * payload.text().size();
  }
  void Add(const std::string& text) { use_.structure += HeapOf(text); }

  void Add(const Scope& scope) {
    use_.structure += HeapOf(scope.slots) + HeapOf(scope.variables) + HeapOf(scope.held) +
                      HeapOf(scope.undo) + HeapOf(scope.held_steps) + HeapOf(scope.arrivals);
    Add(scope.item);
    if (scope.failure != nullptr) {
      use_.structure += sizeof(Failure);
      Add(scope.failure->kind);
      Add(scope.failure->message);
    }
    for (const Slot& slot : scope.slots) Add(slot.output);
    for (const Undo& undo : scope.undo) Add(undo.output);
    for (const HeldStep& held : scope.held_steps) Add(held.output);
    for (const NamedPayload& variable : scope.variables) {
      Add(variable.name);
      Add(variable.value);
    }
  }

  void Add(const StepRun& run) {
    Add(run.config);
    Add(run.input);
    Add(run.output);
    Add(run.error_kind);
    Add(run.error_message);
    use_.structure += HeapOf(run.secrets);
    for (const SecretUse& secret : run.secrets) {
      Add(secret.pointer);
      Add(secret.name);
    }
    Add(run.concurrency_key);
    use_.structure += HeapOf(run.waits);
    for (const Wait& wait : run.waits) {
      Add(wait.event);
      Add(wait.name);
      Add(wait.key);
    }
    if (run.human != nullptr) Add(*run.human);
    if (run.loop == nullptr) return;
    use_.structure += sizeof(LoopProgress);
    Add(run.loop->last);
  }

  void Add(const HumanTask& human) {
    use_.structure +=
        sizeof(HumanTask) + HeapOf(human.assignees) + HeapOf(human.groups) + HeapOf(human.votes);
    for (const std::string& person : human.assignees) Add(person);
    for (const std::string& group : human.groups) Add(group);
    Add(human.claimed_by);
    for (const Vote& vote : human.votes) {
      Add(vote.person);
      Add(vote.comment);
    }
  }

  void Add(const Instance& instance) {
    use_.structure += sizeof(Instance) + HeapOf(instance.tags) + HeapOf(instance.scopes) +
                      HeapOf(instance.runs) + HeapOf(instance.signals);
    Add(instance.input);
    Add(instance.output);
    Add(instance.failure.kind);
    Add(instance.failure.message);
    Add(instance.business_key);
    Add(instance.idempotency_key);
    Add(instance.concurrency_key);
    Add(instance.trace_parent);
    for (const std::string& tag : instance.tags) Add(tag);
    for (const Signal& signal : instance.signals) {
      Add(signal.name);
      Add(signal.payload);
    }
    for (const Scope& scope : instance.scopes) Add(scope);
    for (const StepRun& run : instance.runs) Add(run);
  }

  MemoryUse use() const { return use_; }

 private:
  MemoryUse use_;
};

}  // namespace

std::string_view StatusName(Status status) {
  return EnumName(status);
}

std::string_view StatusOf(const Instance& instance) {
  if (HasEnded(instance.status)) return StatusName(instance.status);
  if (instance.paused) return "paused";
  if (instance.queued) return "queued";
  return StatusName(instance.status);
}

Scope* Instance::FindScope(ScopeId scope) {
  return FindById(scopes, &Scope::id, scope);
}
const Scope* Instance::FindScope(ScopeId scope) const {
  return FindById(scopes, &Scope::id, scope);
}
StepRun* Instance::FindRun(RunId run) {
  return FindById(runs, &StepRun::id, run);
}
const StepRun* Instance::FindRun(RunId run) const {
  return FindById(runs, &StepRun::id, run);
}

const Slot* FindSlot(const Scope& scope, StepIndex step) {
  return FindById(scope.slots, &Slot::step, step);
}

Slot& SlotOf(Scope& scope, StepIndex step) {
  const auto place = std::ranges::lower_bound(scope.slots, step, {}, &Slot::step);
  if (place != scope.slots.end() && place->step == step) return *place;
  Slot slot;
  slot.step = step;
  return *scope.slots.insert(place, std::move(slot));
}

// Of timers at the same moment the instance's own comes first, then those of the older runs.
Timer NextTimer(const Instance& instance) {
  Timer next;
  if (instance.status == Status::kNone || HasEnded(instance.status)) return next;
  if (instance.paused) return next;
  if (instance.deadline) next = {instance.deadline, TimerKind::kInstanceDeadline, RunId(), 0};
  // Those of a fork that waits for its place elapse when it has one.
  if (instance.queued) return next;
  for (const StepRun& run : instance.runs) {
    const Timer timer = TimerOf(run);
    if (timer.at && (!next.at || timer.at < next.at)) next = timer;
  }
  return next;
}

TimeUs FirstDue(const std::vector<Wait>& waits) {
  TimeUs first;
  for (const Wait& wait : waits)
    if (wait.due && (!first || wait.due < first)) first = wait.due;
  return first;
}

MemoryUse MemoryOf(const Instance& instance) {
  MemoryCount count;
  count.Add(instance);
  return count.use();
}

}  // namespace stele::model
