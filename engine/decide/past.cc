#include "engine/decide/past.h"

#include <algorithm>

namespace stele::decide {

namespace {

using definition::On;
using model::SlotState;

bool PassesOn(const Step& step) {
  return step.kind == StepKind::kStart || step.kind == StepKind::kEnd ||
         step.kind == StepKind::kGateway;
}

}  // namespace

Payload Past::OutputOf(StepIndex index) {
  const Step& step = turn_.definition.step(index);
  if (!PassesOn(step)) {
    const model::Slot* slot = SlotOf(index);
    return slot == nullptr ? Payload() : slot->output;
  }
  if (const auto known = passed_.find(index); known != passed_.end()) return known->second;
  return passed_[index] = OutputInto(index);
}

Payload Past::OutputInto(StepIndex index, TransitionIndex via) {
  const Step& step = turn_.definition.step(index);
  if (via == model::kNoTransition && step.incoming.size() == 1) via = step.incoming[0];
  if (via == model::kNoTransition) {
    const auto taken = std::ranges::find_if(step.incoming.rbegin(), step.incoming.rend(),
                                            [&](TransitionIndex one) { return Took(one); });
    if (taken != step.incoming.rend()) via = *taken;
  }
  if (via == model::kNoTransition || turn_.definition.transition(via).on == On::kFailure)
    return Payload();
  return OutputOf(turn_.definition.transition(via).from);
}

bool Past::Decided(TransitionIndex via) const {
  const model::Slot* slot = SlotOf(turn_.definition.transition(via).from);
  return slot != nullptr && slot->state != SlotState::kIdle && slot->state != SlotState::kActive;
}

bool Past::Took(TransitionIndex via) {
  const StepIndex from = turn_.definition.transition(via).from;
  const model::Slot* slot = SlotOf(from);
  return slot != nullptr &&
         std::ranges::any_of(BranchesOf(turn_.definition.step(from), *slot),
                             [&](const Branch& one) { return one.transition == via && one.live; });
}

// As they were when the step was over.
Branches Past::BranchesOf(const Step& step, const model::Slot& slot) {
  const auto plan = [&](On outcome, const Payload& output) {
    return PlanBranches(turn_, scope_, step, outcome, output).value_or(Branches());
  };
  switch (slot.state) {
    case SlotState::kCompleted:
      return plan(On::kSuccess, OutputOf(slot.step));
    case SlotState::kOmitted:
      return plan(On::kSuccess, Payload());
    case SlotState::kHandled: {
      // By a failure transition, or else by the strategy that goes on.
      Branches branches = plan(On::kFailure, Payload());
      return std::ranges::any_of(branches, &Branch::live) ? branches
                                                          : plan(On::kSuccess, Payload());
    }
    case SlotState::kIdle:
    case SlotState::kActive:
    case SlotState::kSkipped:
    case SlotState::kFailed:
    case SlotState::kCancelled:
      return {};
  }
  return {};
}

}  // namespace stele::decide
