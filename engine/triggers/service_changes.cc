// Triggers that come, change and go: by hand, and because a definition declares them.
#include <fmt/format.h>

#include <set>

#include "engine/triggers/service.h"

namespace stele::triggers {

Result<TriggerService::ByHand> TriggerService::ReadByHand(const model::Registry& registry,
                                                          std::string_view definition,
                                                          const Value& trigger, TriggerId old) {
  TriggerSection section = ReadTriggers(Array{trigger});
  if (!section.faults.empty() || section.triggers.empty()) {
    std::string sentences;
    for (const TriggerFault& fault : section.faults)
      sentences += (sentences.empty() ? "" : "; ") + fault.message;
    return Fail(section.faults.front().code, sentences);
  }
  const TriggerConfig& config = section.triggers.front();
  const bool unnamed = config.title.empty() && trigger.Find("id") == nullptr;
  std::string kind(KindOf(config));
  std::string name =
      unnamed ? fmt::format("{}-{}", kind, registry.triggers.size() + 1) : config.name;
  const model::RegisteredTrigger* other = FindNamed(registry, definition, name);
  if (other != nullptr && other->id != old)
    return Fail(ErrorCode::kDuplicateId,
                fmt::format("Expected each trigger of \"{}\" to have a name of its own but found "
                            "\"{}\" again",
                            definition, name));
  return ByHand{.kind = std::move(kind),
                .stored = {.name = std::move(name), .trigger = trigger},
                .paused = config.paused || !config.enabled};
}

TriggerId TriggerService::Add(std::string_view definition, const Value& trigger, model::Asker asker,
                              Answer answer) {
  return Register(definition, ReadByHand(shard_->registry(), definition, trigger, TriggerId()),
                  TriggerId(), asker, std::move(answer));
}

TriggerId TriggerService::Replace(TriggerId old, const Value& trigger, model::Asker asker,
                                  Answer answer) {
  const model::RegisteredTrigger* known = shard_->registry().Find(old);
  if (known == nullptr || known->state == model::TriggerState::kRemoved) {
    answer(Fail(ErrorCode::kUnknownTrigger,
                fmt::format("Expected a trigger but found no {}", old.value)));
    return TriggerId();
  }
  const std::string definition = known->definition;
  return Register(definition, ReadByHand(shard_->registry(), definition, trigger, old), old, asker,
                  std::move(answer));
}

TriggerId TriggerService::Register(std::string_view definition, const Result<ByHand>& added,
                                   TriggerId old, model::Asker asker, Answer answer) {
  if (!added.has_value()) {
    answer(std::unexpected(added.error()));
    return TriggerId();
  }
  const auto unheard = [](const Result<Position>&) {};
  if (old) shard_->ChangeTrigger(old, model::TriggerState::kRemoved, "replaced", asker, unheard);
  const TriggerId id = shard_->RegisterTrigger(definition, added->kind, added->stored.ToText(),
                                               asker, std::move(answer));
  if (id && added->paused)
    shard_->ChangeTrigger(id, model::TriggerState::kPaused, "it was added so", asker, unheard);
  return id;
}

void TriggerService::Change(TriggerId id, model::TriggerState state, std::string_view reason,
                            model::Asker asker, Answer answer) {
  shard_->ChangeTrigger(id, state, reason, asker, std::move(answer));
}

void TriggerService::ReconcileAll() {
  std::set<std::string, std::less<>> names;
  for (const model::RegisteredDefinition& definition : shard_->registry().definitions)
    names.insert(definition.name);
  for (const std::string& name : names) Reconcile(name);
}

void TriggerService::TellHidden(std::string_view definition) {
  for (const TriggerId id : Reconcile(definition))
    NoteOutcome(id, fmt::format("{}hides-{}", kByHand, shard_->registry().seq.value + 1),
                parts_.clock->Now(),
                "refused: the definition declares a trigger of this name, too, which is left out "
                "while this one has it");
}

std::vector<TriggerId> TriggerService::Reconcile(std::string_view definition) {
  const DeclaredChanges changes = PlanDeclared(shard_->registry(), definition, [&](TriggerId id) {
    const KnownTrigger* known = table_.Find(id);
    return !replaced_.contains(id) && (known == nullptr || known->reason != kNotDeclared);
  });
  const auto counted = [this]() -> Answer {
    ++taking_up_;
    return WhileAlive([this](const Result<Position>&) { --taking_up_; });
  };
  for (const TriggerId id : changes.removed) {
    replaced_.insert(id);
    shard_->ChangeTrigger(id, model::TriggerState::kRemoved, kNotDeclared, "", counted());
  }
  for (const DeclaredChanges::Added& one : changes.added) {
    const TriggerId id =
        shard_->RegisterTrigger(definition, one.kind, one.stored.ToText(), "", counted());
    if (id && one.paused)
      shard_->ChangeTrigger(id, model::TriggerState::kPaused, "it is declared so", "", counted());
  }
  return changes.in_the_way;
}

}  // namespace stele::triggers
