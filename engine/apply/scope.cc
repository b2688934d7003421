// Scopes and their variables.
#include <algorithm>

#include "engine/apply/apply.h"

namespace stele::apply {

void On(Instance& instance, const model::ScopeOpened& event, const RecordContext&) {
  CHECK(event.scope == instance.last_scope.Next(), "instance {}: scope {} follows scope {}",
        instance.id.value, event.scope.value, instance.last_scope.value);
  instance.last_scope = event.scope;
  model::StepRun& owner = RunOf(instance, event.run);
  owner.state = model::RunState::kChildren;
  if (owner.loop == nullptr) owner.loop = std::make_unique<model::LoopProgress>();
  owner.loop->next = event.index + 1;
  ++owner.loop->running;

  model::Scope scope;
  scope.id = event.scope;
  scope.parent = event.parent;
  scope.owner = event.run;
  scope.body = event.body;
  scope.index = event.index;
  scope.item = event.item;
  instance.scopes.push_back(std::move(scope));
}

void On(Instance& instance, const model::ScopeClosed& event, const RecordContext&) {
  model::Scope& scope = ScopeOf(instance, event.scope);
  CHECK(scope.active == 0, "scope {} closes with {} active runs", scope.id.value, scope.active);
  CHECK(scope.state != model::ScopeState::kClosed, "scope {} closes twice", scope.id.value);
  scope.state = model::ScopeState::kClosed;
  scope.failure.reset();
  scope.held.clear();
  scope.held_steps.clear();
  scope.arrivals.clear();
  // A cancelled owner is gone already.
  if (model::StepRun* owner = instance.FindRun(scope.owner)) {
    --owner->loop->running;
    if (event.outcome == model::Outcome::kFailed) ++owner->loop->failed;
    if (event.outcome == model::Outcome::kCompleted) owner->loop->last = event.output;
  }
  if (scope.undo.empty()) {
    // The common case: nothing can ask for its data any more.
    instance.scopes.erase(instance.scopes.begin() + (&scope - instance.scopes.data()));
    return;
  }
  if (event.keeps_undo) {
    // It stays, closed, for as long as a compensation may ask for its data.
    model::Scope& parent = ScopeOf(instance, scope.parent);
    std::ranges::move(scope.undo, std::back_inserter(parent.undo));
    scope.undo.clear();
    return;
  }
  scope.undo.clear();
  DropUnneededScopes(instance);
}

void On(Instance& instance, const model::VariablesSet& event, const RecordContext&) {
  std::vector<model::NamedPayload>& variables = ScopeOf(instance, event.scope).variables;
  for (const model::NamedPayload& set : event.variables) {
    const auto found = std::ranges::find(variables, set.name, &model::NamedPayload::name);
    if (found == variables.end()) {
      variables.push_back(set);
    } else {
      found->value = set.value;
    }
  }
}

}  // namespace stele::apply
