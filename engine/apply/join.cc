// Tokens that wait: at a join for the others, or at a loop's exit until the loop has ended.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance& instance, const model::TokenArrived& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  ForgetHeld(scope, event.transition);
  model::Slot& slot = model::SlotOf(scope, event.step);
  scope.arrivals.push_back({event.step, event.transition, event.live});
  if (event.fires) slot.fired = true;
  if (event.last) {
    std::erase_if(scope.arrivals,
                  [&](const model::Arrival& arrival) { return arrival.step == event.step; });
    slot.fired = false;
  }
}

void On(Instance& instance, const model::TokenHeld& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  if (std::ranges::find(scope.held, event.transition) == scope.held.end())
    scope.held.push_back(event.transition);
}

}  // namespace stele::apply
