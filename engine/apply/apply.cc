#include "engine/apply/apply.h"

#include <algorithm>

namespace stele::apply {

namespace {

// What std::visit calls; the overload set is the table of apply.h.
struct Applier {
  Instance& instance;
  const RecordContext& record;

  template <class Event>
    requires requires(Instance& i, const Event& e, const RecordContext& r) { On(i, e, r); }
  void operator()(const Event& event) const {
    On(instance, event, record);
  }
  // Those of the registry.
  template <class Event>
  void operator()(const Event&) const {
    CHECK(false, "instance {} holds an event of the registry", instance.id.value);
  }
};

}  // namespace

void Apply(Instance& instance, const model::Event& event, const RecordContext& record) {
  CHECK(!model::HasEnded(instance.status) ||
            std::holds_alternative<model::InstanceRetryRequested>(event),
        "instance {} has ended; event {} follows", instance.id.value, event.index());
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
  std::vector<model::Scope>& scopes = instance.scopes;
  std::vector<bool> needed(scopes.size());
  const auto need = [&](ScopeId id) { needed[&ScopeOf(instance, id) - scopes.data()] = true; };
  for (const model::Scope& scope : scopes)
    for (const model::Undo& undo : scope.undo) need(undo.scope);
  // Walking backwards visits a scope before its parent, whose id is always smaller.
  for (size_t i = scopes.size(); i-- > 1;) {
    if (scopes[i].state != model::ScopeState::kClosed) needed[i] = true;
    if (needed[i]) need(scopes[i].parent);
  }
  needed[0] = true;
  size_t kept = 0;
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    if (kept != i) scopes[kept] = std::move(scopes[i]);
    ++kept;
  }
  scopes.erase(scopes.begin() + static_cast<ptrdiff_t>(kept), scopes.end());
}

}  // namespace stele::apply
