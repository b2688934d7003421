// Values of the model made from a seed: the same seed, the same values.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/model/event_fields.h"
#include "engine/model/instance.h"
#include "engine/model/names.h"

namespace stele::model {

class RandomValues {
 public:
  // `absent`: of a hundred optional values, how many stay empty, zero or false.
  explicit RandomValues(uint64_t seed, uint32_t absent = 30) : random_(seed), absent_(absent) {}

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Absent() { return Below(100) < absent_; }

  template <class T>
    requires std::is_arithmetic_v<T>
  void Set(T& v) {
    // Never zero unless absent, so that a field that is lost shows.
    v = Absent() ? T{} : static_cast<T>(random_() | 1);
  }
  template <class Tag, class Integer>
  void Set(StrongInteger<Tag, Integer>& v) {
    Set(v.value);
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void Set(Enum& v) {
    const Names names = NamesOf(Enum{});
    size_t number = names.size() - 1;
    if (absent_ != 0) {
      do number = Below(names.size());
      while (names[number].empty());
    }
    v = static_cast<Enum>(number);
  }
  void Set(std::string& v) {
    v.clear();
    if (Absent()) return;
    const size_t size = 1 + Below(Below(8) == 0 ? 300 : 20);
    for (size_t i = 0; i < size; ++i) v += static_cast<char>(Below(256));
  }
  void Set(Payload& v) {
    v = Payload();
    if (Absent()) return;
    Array values;
    for (size_t i = 0, size = Below(4); i < size; ++i) {
      values.emplace_back(static_cast<int64_t>(Below(1'000'000)));
    }
    v = Payload::FromValue(Object{{"text", std::string(Below(40), 'x')}, {"list", values}});
  }
  void Set(NamedPayload& v) {
    Set(v.name);
    Set(v.value);
  }
  void Set(SecretUse& v) {
    Set(v.pointer);
    Set(v.offset);
    Set(v.name);
  }
  void Set(Wait& v) {
    Set(v.event);
    Set(v.kind);
    Set(v.name);
    Set(v.key);
    Set(v.due);
  }
  void Set(InstanceRange& v) {
    Set(v.first);
    Set(v.last);
  }
  void Set(MessagePlace& v) {
    Set(v.position);
    Set(v.ordinal);
  }
  void Set(ViewRow& v) {
    Set(v.view);
    Set(v.version);
    Set(v.key);
    Set(v.value);
  }
  void Set(ForkedState& v) {
    v = Absent() ? ForkedState() : ForkedState(std::make_shared<const Instance>(MakeInstance()));
  }
  void Set(Arrival& v) {
    Set(v.step);
    Set(v.transition);
    Set(v.live);
  }
  void Set(HeldStep& v) {
    Set(v.step);
    Set(v.via);
    Set(v.output);
  }
  void Set(Signal& v) {
    Set(v.name);
    Set(v.payload);
  }
  void Set(Vote& v) {
    Set(v.person);
    Set(v.approved);
    Set(v.comment);
    Set(v.time);
  }
  template <class T>
  void Set(std::vector<T>& v) {
    v.clear();
    if (Absent()) return;
    v.resize(1 + Below(4));
    for (T& element : v) Set(element);
  }

  template <class Type>
  void SetFields(Type& event) {
    VisitFields(event, [this](std::string_view, auto& member) { this->Set(member); });
  }
  // The alternative of that index in the variant.
  Event MakeEvent(size_t index) { return MakeEvent(index, std::make_index_sequence<kKinds>()); }
  Event AnyEvent() { return MakeEvent(Below(kKinds)); }
  std::vector<Event> Events(size_t count) {
    std::vector<Event> events;
    for (size_t i = 0; i < count; ++i) events.push_back(AnyEvent());
    return events;
  }

  Instance MakeInstance();

 private:
  static constexpr size_t kKinds = std::variant_size_v<Event>;

  template <size_t... I>
  Event MakeEvent(size_t index, std::index_sequence<I...>) {
    Event event;
    (void)((I == index ? (SetFields(event.emplace<I>()), true) : false) || ...);
    return event;
  }

  // Rising by gaps of 1 to 3.
  template <class Id>
  void Next(Id& id, uint32_t& last) {
    last += 1 + static_cast<uint32_t>(Below(3));
    id = Id(last);
  }

  void SetScope(Scope& scope);
  void SetHuman(HumanTask& task);
  void SetRun(StepRun& run);

  std::mt19937_64 random_;
  uint32_t absent_;
};

inline void RandomValues::SetScope(Scope& scope) {
  Set(scope.parent);
  Set(scope.owner);
  Set(scope.body);
  Set(scope.state);
  Set(scope.ends_as);
  Set(scope.index);
  Set(scope.active);
  Set(scope.item);
  Set(scope.variables);
  Set(scope.held);
  Set(scope.arrivals);
  Set(scope.held_steps);
  scope.slots.resize(absent_ == 0 ? 3 : Below(5));
  uint32_t last_step = 0;
  for (Slot& slot : scope.slots) {
    Next(slot.step, last_step);
    Set(slot.state);
    Set(slot.fired);
    Set(slot.completions);
    Set(slot.output);
  }
  if (!Absent()) {
    scope.failure = std::make_unique<Failure>();
    Set(scope.failure->kind);
    Set(scope.failure->message);
    Set(scope.failure->run);
  }
  scope.undo.resize(absent_ == 0 ? 2 : Below(4));
  for (Undo& undo : scope.undo) {
    Set(undo.run);
    Set(undo.scope);
    Set(undo.step);
    Set(undo.output);
  }
}

inline void RandomValues::SetHuman(HumanTask& task) {
  Set(task.assignees);
  Set(task.groups);
  Set(task.min_approvers);
  Set(task.veto);
  Set(task.due);
  Set(task.escalate_at);
  Set(task.remind_at);
  Set(task.remind_every_us);
  Set(task.remind_limit);
  Set(task.reminders);
  Set(task.claimed_by);
  Set(task.votes);
}

inline void RandomValues::SetRun(StepRun& run) {
  Set(run.scope);
  Set(run.step);
  Set(run.state);
  Set(run.purpose);
  Set(run.attempt);
  Set(run.uncounted);
  Set(run.of);
  Set(run.via);
  Set(run.activated);
  Set(run.due);
  Set(run.deadline);
  Set(run.config);
  Set(run.input);
  Set(run.output);
  Set(run.secrets);
  Set(run.error_kind);
  Set(run.error_message);
  Set(run.waits);
  Set(run.child);
  Set(run.concurrency_key);
  Set(run.retryable);
  Set(run.unprepared);
  if (!Absent()) SetHuman(*(run.human = std::make_unique<HumanTask>()));
  if (Absent()) return;
  run.loop = std::make_unique<LoopProgress>();
  Set(run.loop->next);
  Set(run.loop->running);
  Set(run.loop->failed);
  Set(run.loop->last);
}

inline Instance RandomValues::MakeInstance() {
  Instance instance;
  Set(instance.id);
  Set(instance.definition);
  Set(instance.status);
  Set(instance.compensated);
  Set(instance.priority);
  Set(instance.seq);
  Set(instance.position);
  Set(instance.started);
  Set(instance.ended);
  Set(instance.deadline);
  Set(instance.last_run);
  Set(instance.last_scope);
  Set(instance.parent_instance);
  Set(instance.parent_run);
  Set(instance.input);
  Set(instance.output);
  Set(instance.failure.kind);
  Set(instance.failure.message);
  Set(instance.failure.run);
  Set(instance.business_key);
  Set(instance.idempotency_key);
  Set(instance.tags);
  Set(instance.paused);
  Set(instance.queued);
  Set(instance.linked);
  Set(instance.concurrency_key);
  Set(instance.signals);
  instance.scopes.resize(absent_ == 0 ? 2 : Below(5));
  instance.runs.resize(absent_ == 0 ? 2 : Below(5));
  uint32_t last_scope = 0;
  for (Scope& scope : instance.scopes) {
    Next(scope.id, last_scope);
    SetScope(scope);
  }
  uint32_t last_run = 0;
  for (StepRun& run : instance.runs) {
    Next(run.id, last_run);
    SetRun(run);
  }
  return instance;
}

}  // namespace stele::model
