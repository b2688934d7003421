#include "replay/debugger/event_index.h"

#include <fmt/format.h>

#include <variant>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"
#include "replay/event_places.h"

namespace stele::replay {

namespace {

template <class Type, size_t at = 0>
constexpr uint8_t KindOf() {
  if constexpr (std::is_same_v<std::variant_alternative_t<at, model::Event>, Type>)
    return at;
  else
    return KindOf<Type, at + 1>();
}

static_assert(model::kEventKinds <= UINT8_MAX);

template <class... Types>
bool IsAnyOf(uint8_t kind) {
  return ((kind == KindOf<Types>()) || ...);
}

}  // namespace

bool IndexedEvent::begins_step() const {
  return IsAnyOf<model::StepActivated, model::StepPassed, model::StepSkipped>(kind);
}

bool IndexedEvent::is_step_boundary() const {
  return begins_step() ||
         IsAnyOf<model::StepCompleted, model::StepFailed, model::StepCancelled>(kind);
}

bool IndexedEvent::opens_scope() const {
  return kind == KindOf<model::ScopeOpened>();
}

bool IndexedEvent::closes_scope() const {
  return kind == KindOf<model::ScopeClosed>();
}

Status EventIndex::Read(const Source& source, const model::Registry& registry, Seq last) {
  if (this->last() >= last) return {};
  const Seq from = this->last().Next();
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    const model::RecordContext context{record.position, record.header.time};
    Seq seq = record.header.first_seq;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) -> Status {
      const bool is_first = seq == record.header.first_seq;
      const bool is_new = seq >= from && seq <= last;
      seq = seq.Next();
      return is_new ? Add(event, context, is_first, registry) : Status();
    }));
    return seq <= last;
  };
  return eventstore::ForEachRecord(source.RecordsFrom(state_.id, from), take);
}

Status EventIndex::Add(const model::Event& event, const model::RecordContext& record, bool is_first,
                       const model::Registry& registry) {
  EventPlaces named = PlacesOf(event);
  if (const auto* closed = std::get_if<model::ScopeClosed>(&event))
    named.run = state_.FindScope(closed->scope)->owner;
  IndexedEvent indexed{
      .run = named.run, .kind = static_cast<uint8_t>(event.index()), .is_first = is_first};
  std::optional<StepIndex> step = named.step;
  const auto place = [&](const model::StepRun* run) {
    if (run == nullptr) return;
    indexed.scope = run->scope;
    if (!step.has_value()) step = run->step;
  };
  // A run is there before its last event, and behind its first one.
  place(state_.FindRun(named.run));
  apply::Apply(state_, event, record);
  place(state_.FindRun(named.run));
  if (named.scope.has_value()) indexed.scope = *named.scope;
  // Outputs become variables of a scope around the run that the event before speaks of: it happens
  // where that one does.
  if (std::holds_alternative<model::VariablesSet>(event) && !is_first &&
      IsWithin(events_.back().scope, indexed.scope))
    indexed.scope = events_.back().scope;
  STELE_RETURN_IF_ERROR(Learn(registry, state_.definition));
  if (step.has_value()) indexed.step = versions_.at(state_.definition).steps.at(step->value);
  if (indexed.opens_scope()) {
    Note(*state_.FindScope(indexed.scope));
  } else if (std::holds_alternative<model::InstanceForked>(event)) {
    for (const model::Scope& scope : state_.scopes) Note(scope);
  }
  events_.push_back(indexed);
  return {};
}

void EventIndex::Note(const model::Scope& scope) {
  if (scopes_.size() <= scope.id.value) scopes_.resize(scope.id.value + 1);
  const definition::Definition& definition = *versions_.at(state_.definition).definition;
  const StepIndex owner = definition.body(scope.body).owner;
  const bool is_iteration =
      owner.value != kNoIndex && definition.step(owner).kind == definition::StepKind::kLoop;
  scopes_[scope.id.value] = {scope.parent, is_iteration ? scope.index : kNoIndex};
}

Status EventIndex::Learn(const model::Registry& registry, DefinitionId id) {
  if (versions_.contains(id)) return {};
  const auto registered = FindReadable(registry, id, state_.id);
  if (!registered.has_value()) return std::unexpected(registered.error());
  Version& version = versions_[id];
  version.definition = (*registered)->definition;
  for (const definition::Step& step : version.definition->steps) {
    const auto [known, is_new] =
        numbers_.try_emplace(step.id, static_cast<uint32_t>(steps_.size()));
    if (is_new) steps_.push_back(step.id);
    version.steps.push_back(known->second);
  }
  return {};
}

uint32_t EventIndex::StepNumber(std::string_view id) const {
  const auto found = numbers_.find(id);
  return found == numbers_.end() ? 0 : found->second;
}

bool EventIndex::IsWithin(ScopeId scope, ScopeId around) const {
  while (scope != around && scope != ScopeId()) scope = Parent(scope);
  return scope == around;
}

std::string EventIndex::Label(const IndexedEvent& event) const {
  if (event.step == 0) return "";
  std::string indices;
  // An iteration's opening and closing speak of the loop, and of which it is.
  for (ScopeId scope = event.scope; scope != ScopeId(); scope = Parent(scope))
    if (scopes_[scope.value].index != kNoIndex)
      indices = fmt::format("[{}]{}", scopes_[scope.value].index, indices);
  return StepId(event.step) + indices;
}

}  // namespace stele::replay
