// From a firing to its instance, once.
#include <fmt/format.h>

#include <algorithm>

#include "engine/triggers/service.h"

namespace stele::triggers {

namespace {

// An outcome is for people; its sentence may quote what somebody sent.
constexpr size_t kMaxOutcomeBytes = 400;

constexpr size_t kCancelBatch = 1'000;
// Firings in line that one turn of the loop deals with.
constexpr size_t kDrainBatch = 1'000;

void TellAskers(Pending& pending, const Result<std::optional<InstanceId>>& what) {
  for (const Started& told : std::exchange(pending.told, {})) told(what);
}

}  // namespace

bool TriggerService::IsKnown(TriggerId trigger, const std::string& key) {
  if (pending_.Find(trigger, key) != nullptr) return true;
  const auto started = shard_->board().ByIdempotencyKey(runtime::FiringKey(trigger, key));
  return started.has_value() && started->has_value();
}

void TriggerService::ShootOnce(Shot shot) {
  if (Pending* pending = pending_.Find(shot.trigger, shot.key)) {
    if (!shot.started) return;
    if (pending->starting || !pending->durable) {
      pending->told.push_back(std::move(shot.started));
    } else {
      shot.started(std::nullopt);
    }
    return;
  }
  const auto known = shard_->board().ByIdempotencyKey(runtime::FiringKey(shot.trigger, shot.key));
  if (!known.has_value() || !known->has_value()) return Shoot(std::move(shot));
  if (shot.started) shot.started(*known);
}

void TriggerService::Shoot(Shot shot) {
  Pending& pending = pending_.Add({.trigger = shot.trigger,
                                   .key = shot.key,
                                   .time = shot.time,
                                   .input = shot.input,
                                   .trace_parent = shot.trace_parent,
                                   .source = shot.asker.source,
                                   .buffered = shot.buffered,
                                   .at_once = shot.at_once,
                                   .again = {},
                                   .told = {}});
  if (shot.started) pending.told.push_back(std::move(shot.started));
  shard_->Fire(
      {shot.trigger, shot.time, shot.buffered ? "buffer" : "start", shot.key,
       std::move(shot.input)},
      shot.asker,
      WhileAlive([this, trigger = shot.trigger, key = shot.key](const Result<Position>& answer) {
        if (answer.has_value()) return FiringIsDurable(trigger, key);
        // The shard has stopped: what was not written will be fired by who comes next.
        End();
        Pending* lost = pending_.Find(trigger, key);
        if (lost == nullptr) return;
        TellAskers(*lost, std::unexpected(answer.error()));
        pending_.Remove(trigger, key);
      }));
}

void TriggerService::NoteOutcome(TriggerId trigger, const std::string& key, TimeUs time,
                                 std::string outcome) {
  if (outcome.size() > kMaxOutcomeBytes) outcome = outcome.substr(0, kMaxOutcomeBytes) + "…";
  shard_->Fire({trigger, time, std::move(outcome), key, Payload()}, "",
               WhileAlive([this](const Result<Position>& answer) {
                 if (!answer.has_value()) End();
               }));
}

void TriggerService::FiringIsDurable(TriggerId trigger, const std::string& key) {
  Pending* pending = pending_.Find(trigger, key);
  if (pending == nullptr) return;
  pending->durable = true;
  if (!pending->buffered && (begun_ || pending->at_once)) return StartOne(*pending);
  TellAskers(*pending, std::nullopt);
  if (begun_) StartBufferedOf(trigger);
}

void TriggerService::StartOne(Pending& pending) {
  const model::Registry& registry = shard_->registry();
  const std::string& name = registry.Find(pending.trigger)->definition;
  const model::RegisteredDefinition* definition = registry.Startable(name);
  if (pending.buffered) pending_.Release(pending);
  pending.again = TimeUs();
  if (definition == nullptr) {
    // One that is paused will go on; the firing waits for it.
    if (IsPaused(registry, name)) return TellAskers(pending, std::nullopt);
    return Refuse(pending,
                  {ErrorCode::kDefinitionState,
                   fmt::format("Expected an active version of \"{}\" but found none", name)});
  }
  pending.starting = true;
  const TriggerId trigger = pending.trigger;
  model::StartInstance start;
  start.definition = definition->id;
  start.input = pending.input;
  start.trace_parent = pending.trace_parent;
  start.idempotency_key = runtime::FiringKey(trigger, pending.key);
  start.tags = {fmt::format("trigger:{}", trigger.value)};
  // The id is known before the answer comes, which may be at once; the firing may be gone then.
  auto instance = std::make_shared<InstanceId>();
  const model::KeptAsker asker{model::TriggerActor(trigger), pending.source};
  *instance = shard_->Start(
      std::move(start), asker,
      WhileAlive([this, trigger, key = pending.key, instance](const Result<Position>& answer) {
        StartAnswered(trigger, key, *instance, answer);
      }));
}

void TriggerService::StartAnswered(TriggerId trigger, const std::string& key, InstanceId instance,
                                   const Result<Position>& answer) {
  Pending* pending = pending_.Find(trigger, key);
  if (pending == nullptr) return;
  pending->starting = false;
  if (answer.has_value()) {
    const std::vector<Started> told = std::exchange(pending->told, {});
    pending_.Remove(trigger, key);
    for (const Started& tell : told) tell(std::optional(instance));
    // It may have ended before this was heard.
    return StartBufferedOf(trigger);
  }
  switch (answer.error().code) {
    case ErrorCode::kBackPressure:
      pending->again = parts_.clock->Now().Plus(kStartAgainUs);
      TellAskers(*pending, std::nullopt);
      return Arm();
    case ErrorCode::kShardStopped:
      // It stays pending in the log.
      return TellAskers(*pending, std::unexpected(answer.error()));
    default:
      return Refuse(*pending, answer.error());
  }
}

void TriggerService::Refuse(Pending& pending, const Error& error) {
  const TriggerId trigger = pending.trigger;
  const std::string key = pending.key;
  NoteOutcome(trigger, key, pending.time, "refused: " + error.message);
  const std::vector<Started> told = std::exchange(pending.told, {});
  pending_.Remove(trigger, key);
  for (const Started& tell : told) tell(std::unexpected(error));
  StartBufferedOf(trigger);
}

void TriggerService::StartPending(TimeUs now, bool definitions_changed) {
  std::vector<std::pair<TriggerId, std::string>> due;
  pending_.ForEach([&](const Pending& pending) {
    if (!pending.durable || pending.buffered || pending.starting) return;
    if (pending.again ? pending.again <= now : definitions_changed)
      due.emplace_back(pending.trigger, pending.key);
  });
  for (const auto& [trigger, key] : due)
    if (Pending* pending = pending_.Find(trigger, key)) StartOne(*pending);
}

bool TriggerService::IsBusy(TriggerId trigger) {
  if (pending_.HasStarting(trigger)) return true;
  const auto open = shard_->board().OpenOf(trigger, 1);
  return open.has_value() && !open->empty();
}

void TriggerService::StartBuffered() {
  for (const TriggerId trigger : pending_.BufferedTriggers()) StartBufferedOf(trigger);
}

// What is refused, or starts and ends, at once makes room for the next, which asks for this again
// from within; that is left to the loop that it came from.
void TriggerService::StartBufferedOf(TriggerId trigger) {
  if (!draining_.insert(trigger).second) return;
  size_t dealt_with = 0;
  while (dealt_with < kDrainBatch && StartNextBuffered(trigger)) ++dealt_with;
  draining_.erase(trigger);
  if (dealt_with == kDrainBatch)
    shard_->Post(WhileAlive([this, trigger] { StartBufferedOf(trigger); }));
}

bool TriggerService::StartNextBuffered(TriggerId trigger) {
  if (!begun_ || over_) return false;
  Pending* first = pending_.FirstBuffered(trigger);
  if (first == nullptr || !first->durable) return false;
  const model::TriggerState state = shard_->registry().Find(trigger)->state;
  if (state == model::TriggerState::kPaused) return false;
  const std::string key = first->key;
  if (state == model::TriggerState::kRemoved) {
    Refuse(*first,
           {ErrorCode::kWrongState, "Expected the trigger to be there still but found it removed"});
  } else if (!IsBusy(trigger)) {
    StartOne(*first);
  } else {
    const KnownTrigger* known = table_.Find(trigger);
    const auto* schedule = known == nullptr ? nullptr : known->As<ScheduleTrigger>();
    if (schedule != nullptr && schedule->overlap == Overlap::kCancelOther) CancelOpen(trigger);
    return false;
  }
  return pending_.Find(trigger, key) == nullptr;
}

void TriggerService::CancelOpen(TriggerId trigger) {
  const auto open = shard_->board().OpenOf(trigger, kCancelBatch);
  if (!open.has_value()) return;
  for (const InstanceId instance : *open)
    if (cancelled_.insert(instance).second)
      shard_->Send(instance, model::CancelInstance{true, "its trigger has fired again"},
                   model::TriggerActor(trigger), nullptr);
}

}  // namespace stele::triggers
