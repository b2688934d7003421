// On to another version of the definition: every index means the same step as before.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

namespace {

// By the tables of the event. REQUIRES of the record: what the state refers to is in them.
struct Renumbering {
  const model::InstanceMigrated& event;

  StepIndex operator()(StepIndex old) const { return In(event.steps, old); }
  BodyIndex operator()(BodyIndex old) const { return In(event.bodies, old); }
  TransitionIndex operator()(TransitionIndex old) const {
    return old == model::kNoTransition ? old : In(event.transitions, old);
  }
  // Where a transition is only remembered, it may be gone.
  TransitionIndex Remembered(TransitionIndex old) const {
    return old.value < event.transitions.size() ? event.transitions[old.value]
                                                : model::kNoTransition;
  }

  template <class Index>
  static Index In(const std::vector<Index>& table, Index old) {
    CHECK(old.value < table.size() && table[old.value].value != kNoIndex,
          "a migration has no place for index {}", old.value);
    return table[old.value];
  }
};

void Renumber(model::Scope& scope, const Renumbering& to) {
  scope.body = to(scope.body);
  for (TransitionIndex& held : scope.held) held = to(held);
  for (model::HeldStep& held : scope.held_steps)
    held = {to(held.step), to.Remembered(held.via), std::move(held.output)};
  for (model::Undo& undo : scope.undo) undo.step = to(undo.step);
  // Outputs of steps that the new version does not have are of no use to it.
  std::erase_if(scope.slots, [&](const model::Slot& slot) {
    return to.event.steps[slot.step.value].value == kNoIndex;
  });
  for (model::Slot& slot : scope.slots) slot.step = to(slot.step);
  for (model::Arrival& arrival : scope.arrivals)
    arrival = {to(arrival.step), to(arrival.transition), arrival.live};
  std::ranges::sort(scope.slots, {}, &model::Slot::step);
}

}  // namespace

void On(Instance& instance, const model::InstanceMigrated& event, const RecordContext&) {
  const Renumbering to{event};
  instance.definition = event.definition;
  for (model::Scope& scope : instance.scopes) Renumber(scope, to);
  for (model::StepRun& run : instance.runs) {
    run.step = to(run.step);
    run.via = to.Remembered(run.via);
  }
}

}  // namespace stele::apply
