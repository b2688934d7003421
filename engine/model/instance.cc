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
    if (payload.has_value()) use_.payloads += kHeader + payload.text().size();
  }
  void Add(const std::string& text) { use_.structure += HeapOf(text); }

  void Add(const Scope& scope) {
    use_.structure +=
        HeapOf(scope.slots) + HeapOf(scope.variables) + HeapOf(scope.held) + HeapOf(scope.undo);
    Add(scope.item);
    if (scope.failure != nullptr) {
      use_.structure += sizeof(Failure);
      Add(scope.failure->kind);
      Add(scope.failure->message);
    }
    for (const Slot& slot : scope.slots) Add(slot.output);
    for (const Undo& undo : scope.undo) Add(undo.output);
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
    if (run.loop == nullptr) return;
    use_.structure += sizeof(LoopProgress);
    Add(run.loop->last);
  }

  void Add(const Instance& instance) {
    use_.structure +=
        sizeof(Instance) + HeapOf(instance.tags) + HeapOf(instance.scopes) + HeapOf(instance.runs);
    Add(instance.input);
    Add(instance.output);
    Add(instance.failure.kind);
    Add(instance.failure.message);
    Add(instance.business_key);
    Add(instance.idempotency_key);
    for (const std::string& tag : instance.tags) Add(tag);
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
  if (instance.deadline) next = {instance.deadline, TimerKind::kInstanceDeadline, RunId(), 0};
  for (const StepRun& run : instance.runs) {
    const Timer timer = TimerOf(run);
    if (timer.at && (!next.at || timer.at < next.at)) next = timer;
  }
  return next;
}

MemoryUse MemoryOf(const Instance& instance) {
  MemoryCount count;
  count.Add(instance);
  return count.use();
}

}  // namespace stele::model
