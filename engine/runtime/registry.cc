// The registry's records: definitions, triggers, settings.
#include <fmt/format.h>

#include "engine/apply/apply.h"
#include "engine/runtime/shard.h"
#include "engine/tasks/bounded_text.h"
#include "eventstore/limits.h"

namespace stele::runtime {

Error Shard::Stopped() {
  return {ErrorCode::kShardStopped, "Expected a running engine but found it stopped"};
}

bool Shard::RefuseStopped(const Answer& answer) const {
  if (!failed_ && !stopping_) return false;
  if (answer) answer(std::unexpected(Stopped()));
  return true;
}

Position Shard::RecordOfRegistry(const model::Event& event, model::Asker asker, Answer answer) {
  const model::RecordContext record{next_position_, ReadClock()};
  next_position_ = next_position_.Next();
  apply::Apply(registry_, event, record);
  batch_.Add({.instance = InstanceId(),
              .first_seq = registry_.seq,
              .event_count = 1,
              .time = record.time,
              .actor = asker.actor,
              .source = tasks::Head(asker.source, eventstore::kMaxSourceBytes)},
             encoder_.Encode({&event, 1}));
  board_.FoldRegistry({&event, 1}, record);
  // Few, and always told: an observer may want instances' records because of what it reads here.
  if (parts_.observer != nullptr)
    Hold({.position = record.position,
          .kind = ReleaseKind::kRecord,
          .events = {event},
          .record = record});
  Hold({.position = record.position, .kind = ReleaseKind::kAnswer, .answer = std::move(answer)});
  Wake();
  return record.position;
}

DefinitionId Shard::Register(const DefinitionSource& source, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return DefinitionId();
  uint32_t version = 0;
  for (const model::RegisteredDefinition& known : registry_.definitions) {
    if (known.name != source.name) continue;
    if (known.canonical == source.canonical) {
      Hold({.position = registry_.position,
            .kind = ReleaseKind::kAnswer,
            .answer = std::move(answer)});
      return known.id;
    }
    version = known.version;
  }
  const DefinitionId id(static_cast<uint32_t>(registry_.definitions.size() + 1));
  RecordOfRegistry(model::DefinitionRegistered{id, source.name, version + 1, source.canonical,
                                               source.source, source.file},
                   asker, std::move(answer));
  return id;
}

void Shard::ChangeDefinition(DefinitionId id, model::DefinitionState state, std::string_view reason,
                             model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  const model::RegisteredDefinition* known = registry_.Find(id);
  if (known == nullptr)
    return answer(Fail(ErrorCode::kUnknownDefinition,
                       fmt::format("Expected a definition but found no {}", id.value)));
  if (known->state == state)
    return answer(
        Fail(ErrorCode::kDefinitionState,
             fmt::format("Expected another state for \"{}\" version {} but it is {} already",
                         known->name, known->version, model::DefinitionStateName(state))));
  if (known->state == model::DefinitionState::kRetired && state == model::DefinitionState::kDraft)
    return answer(Fail(ErrorCode::kDefinitionState,
                       fmt::format("Expected \"{}\" version {} to be active or paused but found it "
                                   "retired; it cannot become a draft again",
                                   known->name, known->version)));
  RecordOfRegistry(model::DefinitionStateChanged{id, std::string(model::DefinitionStateName(state)),
                                                 std::string(reason)},
                   asker, std::move(answer));
}

TriggerId Shard::RegisterTrigger(std::string_view definition, std::string_view kind,
                                 std::string_view config, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return TriggerId();
  if (registry_.Latest(definition) == nullptr) {
    answer(Fail(ErrorCode::kUnknownDefinition,
                fmt::format("Expected the name of a definition but found \"{}\"", definition)));
    return TriggerId();
  }
  const TriggerId id(static_cast<uint32_t>(registry_.triggers.size() + 1));
  RecordOfRegistry(
      model::TriggerRegistered{id, std::string(definition), std::string(kind), std::string(config)},
      asker, std::move(answer));
  return id;
}

void Shard::ChangeTrigger(TriggerId id, model::TriggerState state, std::string_view reason,
                          model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  const model::RegisteredTrigger* known = registry_.Find(id);
  if (known == nullptr || known->state == model::TriggerState::kRemoved)
    return answer(Fail(ErrorCode::kUnknownTrigger,
                       fmt::format("Expected a trigger but found no {}", id.value)));
  if (known->state == state)
    return answer(Fail(ErrorCode::kWrongState,
                       fmt::format("Expected another state for trigger {} but it is {} already",
                                   id.value, model::TriggerStateName(state))));
  RecordOfRegistry(model::TriggerStateChanged{id, std::string(model::TriggerStateName(state)),
                                              std::string(reason)},
                   asker, std::move(answer));
}

void Shard::Fire(model::TriggerFired firing, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  if (registry_.Find(firing.trigger) == nullptr)
    return answer(Fail(ErrorCode::kUnknownTrigger,
                       fmt::format("Expected a trigger but found no {}", firing.trigger.value)));
  RecordOfRegistry(std::move(firing), asker, std::move(answer));
}

void Shard::NoteDenied(model::AccessDenied denied, model::Asker asker) {
  if (!RefuseStopped(nullptr)) RecordOfRegistry(std::move(denied), asker, nullptr);
}

void Shard::ChangeAlert(model::AlertChanged changed, model::Asker asker, Answer answer) {
  if (RefuseStopped(answer)) return;
  if (registry_.alerts.contains(changed.rule) == changed.firing)
    return answer(Fail(
        ErrorCode::kWrongState,
        fmt::format("Expected an alert of \"{}\" that {} but found that it {}", changed.rule,
                    changed.firing ? "is over" : "fires", changed.firing ? "fires" : "is over")));
  RecordOfRegistry(std::move(changed), asker, std::move(answer));
}

void Shard::ChangeSetting(std::string_view name, std::string_view document, model::Asker asker,
                          Answer answer) {
  if (RefuseStopped(answer)) return;
  RecordOfRegistry(model::SettingChanged{std::string(name), std::string(document)}, asker,
                   std::move(answer));
}

}  // namespace stele::runtime
