// Triggers that come, change and go: by hand, and because a definition declares them.
#include <fmt/format.h>

#include <set>

#include "engine/triggers/service.h"

namespace stele::triggers {

TriggerId TriggerService::Add(std::string_view definition, const Value& trigger,
                              std::string_view actor, Answer answer) {
  TriggerSection section = ReadTriggers(Array{trigger});
  if (!section.faults.empty() || section.triggers.empty()) {
    std::string sentences;
    for (const TriggerFault& fault : section.faults)
      sentences += (sentences.empty() ? "" : "; ") + fault.message;
    answer(Fail(section.faults.front().code, sentences));
    return TriggerId();
  }
  const TriggerConfig& config = section.triggers.front();
  const model::Registry& registry = shard_->registry();
  const bool unnamed = config.title.empty() && trigger.Find("id") == nullptr;
  const std::string kind(KindOf(config));
  const std::string name =
      unnamed ? fmt::format("{}-{}", kind, registry.triggers.size() + 1) : config.name;
  if (FindNamed(registry, definition, name) != nullptr) {
    answer(Fail(ErrorCode::kDuplicateId,
                fmt::format("Expected each trigger of \"{}\" to have a name of its own but found "
                            "\"{}\" again",
                            definition, name)));
    return TriggerId();
  }
  const TriggerId id = shard_->RegisterTrigger(
      definition, kind, StoredTrigger{.name = name, .trigger = trigger}.ToText(), actor,
      std::move(answer));
  if (id && (config.paused || !config.enabled))
    shard_->ChangeTrigger(id, model::TriggerState::kPaused, "it was added so", actor,
                          [](const auto&) {});
  return id;
}

void TriggerService::Change(TriggerId id, model::TriggerState state, std::string_view reason,
                            std::string_view actor, Answer answer) {
  shard_->ChangeTrigger(id, state, reason, actor, std::move(answer));
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
