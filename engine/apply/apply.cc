#include "engine/apply/apply.h"

#include <algorithm>
#include <iterator>

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

namespace {

bool IsInside(const Instance& instance, ScopeId inner, ScopeId outer) {
  while (inner != outer && inner != ScopeId()) inner = instance.FindScope(inner)->parent;
  return inner == outer;
}

}  // namespace

void EraseUndo(Instance& instance, ScopeId from, RunId of) {
  ScopeId id = from;
  while (ScopeOf(instance, id).state != model::ScopeState::kCompensating) {
    CHECK(id != ScopeId(), "no scope of instance {} undoes run {}", instance.id.value, of.value);
    id = ScopeOf(instance, id).parent;
  }
  std::vector<model::Undo>& undo = ScopeOf(instance, id).undo;
  // The last of them, unless a log says otherwise.
  const auto found = std::ranges::find(undo.rbegin(), undo.rend(), of, &model::Undo::run);
  CHECK(found != undo.rend(), "run {} is not to be undone", of.value);
  const ScopeId seen = found->scope;
  const auto next = undo.erase(std::prev(found.base()));
  // Those of one closed scope stand together, so that its neighbours tell whether it is needed.
  std::vector<ScopeId> beside;
  if (next != undo.end()) beside.push_back(next->scope);
  if (next != undo.begin()) beside.push_back(std::prev(next)->scope);
  const auto needed = [&](ScopeId scope) {
    return std::ranges::any_of(beside,
                               [&](ScopeId other) { return IsInside(instance, other, scope); });
  };
  for (ScopeId scope = seen; scope != id && !needed(scope);) {
    const model::Scope& closed = ScopeOf(instance, scope);
    const ScopeId parent = closed.parent;
    instance.scopes.erase(instance.scopes.begin() + (&closed - instance.scopes.data()));
    scope = parent;
  }
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
