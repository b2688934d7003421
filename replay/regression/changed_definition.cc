#include "replay/regression/changed_definition.h"

#include <algorithm>

#include "replay/regression/event_comparison.h"

namespace stele::replay {

namespace {

using model::Event;

// What was not given becomes the changed definition's default.
void TakeBackDefaults(const definition::Definition& recorded, TimeUs time,
                      model::StartInstance& command) {
  for (const definition::Variable& variable : recorded.bodies[0].variables)
    if (!variable.required)
      std::erase_if(command.variables, [&](const model::NamedPayload& given) {
        return given.name == variable.name && given.value == Payload::FromValue(variable.initial);
      });
  if (command.priority == recorded.priority) command.priority = 0;
  if (recorded.deadline_us != 0 && command.deadline == time.Plus(recorded.deadline_us))
    command.deadline = TimeUs();
}

// The state of the fork is migrated: what it sets for that is no history's.
bool IsForked(const std::vector<Event>& recorded) {
  return std::holds_alternative<model::InstanceForked>(recorded.front());
}

// Passes over what is left out; the end when nothing else comes.
size_t Next(const std::vector<Event>& events, size_t at, Side side,
            const Correspondence& definitions, bool forked) {
  const auto is_beside = [&](const Event& event) {
    return IsBeside(event, side, definitions) ||
           (forked && std::holds_alternative<model::VariablesSet>(event));
  };
  while (at < events.size() && is_beside(events[at])) ++at;
  return at;
}

}  // namespace

const Correspondence& ChangedDefinition::From(const model::RegisteredDefinition& recorded) {
  return correspondences_.try_emplace(recorded.id, *recorded.definition, *changed_).first->second;
}

Alternative::Terms ChangedDefinition::TermsOf(model::Command& command,
                                              const model::RegisteredDefinition& recorded,
                                              const model::RecordContext& record) {
  if (std::holds_alternative<model::MigrateInstance>(command)) return {.kind = Terms::Kind::kPass};
  Terms terms{.definition = changed_.get()};
  if (auto* start = std::get_if<model::StartInstance>(&command)) {
    TakeBackDefaults(*recorded.definition, record.time, *start);
  } else if (auto* fork = std::get_if<model::ForkInstance>(&command)) {
    fork->definition = recorded.id;
    terms.definition = recorded.definition.get();
    terms.target = changed_.get();
  } else if (auto* back = std::get_if<model::RollBack>(&command)) {
    back->to_step = From(recorded).To(back->to_step);
    if (back->to_step.value == kNoIndex) terms.kind = Terms::Kind::kGone;
  }
  return terms;
}

std::optional<Alternative::Parting> ChangedDefinition::Compare(
    const std::vector<Event>& recorded, const std::vector<Event>& decided,
    const model::RegisteredDefinition& ran, const eventstore::RecordView& record) {
  const Correspondence& definitions = From(ran);
  const bool forked = IsForked(recorded);
  Parting at;
  for (;; ++at.recorded, ++at.decided) {
    at.recorded = Next(recorded, at.recorded, Side::kRecorded, definitions, forked);
    at.decided = Next(decided, at.decided, Side::kDecided, definitions, forked);
    const bool recorded_ends = at.recorded == recorded.size();
    const bool decided_ends = at.decided == decided.size();
    if (recorded_ends && decided_ends) return std::nullopt;
    if (recorded_ends || decided_ends) return at;
    const Event& was = recorded[at.recorded];
    const Event& is = decided[at.decided];
    if (was.index() != is.index() || !DifferingMember(was, is, definitions).empty()) return at;
    const auto* activated = std::get_if<model::StepActivated>(&was);
    if (activated == nullptr) continue;
    const auto& now = std::get<model::StepActivated>(is);
    if (AskedOtherwise(*activated, now, definitions))
      asked_.push_back({record.position, now.step, at.recorded, at.decided});
  }
}

}  // namespace stele::replay
