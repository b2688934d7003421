#include "engine/apply/apply.h"

#include <algorithm>

namespace stele::apply {

namespace {

// What std::visit calls; the overload set is the table of apply.h.
struct Applier {
  Instance& instance;
  const RecordContext& record;

  template <class Event>
  void operator()(const Event& event) const {
    On(instance, event, record);
  }
};

}  // namespace

void Apply(Instance& instance, const model::Event& event, const RecordContext& record) {
  CHECK(!model::HasEnded(instance.status), "instance {} has ended; event {} follows",
        instance.id.value, event.index());
  std::visit(Applier{instance, record}, event);
  instance.seq = instance.seq.Next();
  instance.position = record.position;
}

model::StepRun& RunOf(Instance& instance, RunId run) {
  model::StepRun* found = instance.FindRun(run);
  CHECK(found != nullptr, "instance {} has no run {}", instance.id.value, run.value);
  return *found;
}

model::Scope& ScopeOf(Instance& instance, ScopeId scope) {
  model::Scope* found = instance.FindScope(scope);
  CHECK(found != nullptr, "instance {} has no scope {}", instance.id.value, scope.value);
  return *found;
}

void RemoveRun(Instance& instance, RunId run) {
  const model::StepRun& found = RunOf(instance, run);
  model::Scope& scope = ScopeOf(instance, found.scope);
  CHECK(scope.active > 0, "scope {} has no active run", scope.id.value);
  --scope.active;
  instance.runs.erase(instance.runs.begin() + (&found - instance.runs.data()));
}

void ForgetHeld(model::Scope& scope, TransitionIndex via) {
  if (!scope.held.empty()) std::erase(scope.held, via);
}

void DropUnneededScopes(Instance& instance) {
  // Walking backwards visits a scope before its parent, whose id is always smaller.
  std::vector<ScopeId> needed;
  for (const model::Scope& scope : instance.scopes)
    for (const model::Undo& undo : scope.undo) needed.push_back(undo.scope);
  for (size_t i = instance.scopes.size(); i-- > 1;) {
    const model::Scope& scope = instance.scopes[i];
    const bool wanted = std::ranges::find(needed, scope.id) != needed.end();
    if (scope.state != model::ScopeState::kClosed || wanted) {
      needed.push_back(scope.parent);
    } else {
      instance.scopes.erase(instance.scopes.begin() + static_cast<ptrdiff_t>(i));
    }
  }
}

}  // namespace stele::apply
