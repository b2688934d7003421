// What tokens carried, told again from what the state has kept of it: for steps that start a second
// time. Internal to this folder.
//
// The outputs of steps are kept, those of failures are not. Where several tokens met, the last
// transition in the file's order that was taken counts. Conditions are asked again, so that they
// see the variables of now.
#pragma once

#include <map>

#include "engine/decide/turn.h"

namespace stele::decide {

class Past {
 public:
  // REQUIRES: the turn outlives it and nothing is emitted while it is used.
  Past(const Turn& turn, ScopeId scope) : turn_(turn), scope_(scope) {}

  // What a step gave when it was over; a gateway, what it passed on.
  Payload OutputOf(StepIndex step);
  // What the token that started `step` carried: along `via`, where that is known.
  Payload OutputInto(StepIndex step, TransitionIndex via = model::kNoTransition);
  // Whether the step at the beginning of `via` is over.
  bool Decided(TransitionIndex via) const;
  // Whether it sent a live token along.
  bool Took(TransitionIndex via);

 private:
  const model::Slot* SlotOf(StepIndex step) const {
    return model::FindSlot(*turn_.instance.FindScope(scope_), step);
  }
  Branches BranchesOf(const Step& step, const model::Slot& slot);

  const Turn& turn_;
  ScopeId scope_;
  std::map<StepIndex, Payload> passed_;  // by gateways
};

}  // namespace stele::decide
