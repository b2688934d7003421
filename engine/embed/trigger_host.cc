#include "engine/embed/trigger_host.h"

#include <fmt/format.h>

#include <exception>

#include "base/json.h"
#include "engine/embed/translate.h"

namespace stele::embed {

namespace {

constexpr std::string_view kKind = "custom";

void Guard(const std::function<void()>& call,
           const std::function<void(const std::string&)>& problem) {
  try {
    call();
  } catch (const std::exception& exception) {
    problem(std::string("Expected a trigger to return but it threw: ") + exception.what());
  } catch (...) {
    problem("Expected a trigger to return but it threw");
  }
}

}  // namespace

void TriggerHost::Find(const std::string& definition, const std::string& type, const Value& config,
                       const Reply<uint64_t>& reply) {
  const std::string text = ToJson(Value(Object{{"type", type}, {"config", config}}));
  for (const model::RegisteredTrigger& known : shard_.registry().triggers)
    if (known.kind == kKind && known.definition == definition && known.config == text &&
        known.state != model::TriggerState::kRemoved)
      return reply(known.id.value);
  auto id = std::make_shared<TriggerId>();
  *id = shard_.RegisterTrigger(definition, kKind, text, actor_,
                               [id, reply](const stele::Result<Position>& answer) {
                                 if (!answer.has_value())
                                   return reply(std::unexpected(ToError(answer.error())));
                                 reply(id->value);
                               });
}

Result<const model::RegisteredTrigger*> TriggerHost::Firing(TriggerId trigger) const {
  const model::RegisteredTrigger* known = shard_.registry().Find(trigger);
  if (known == nullptr || known->state != model::TriggerState::kActive)
    return Refuse(
        ErrorCode::kWrongState,
        fmt::format("Expected trigger {} to be active but found it {}", trigger.value,
                    known == nullptr ? "unknown" : model::TriggerStateName(known->state)));
  if (shard_.registry().Startable(known->definition) == nullptr)
    return Refuse(ErrorCode::kDefinitionState,
                  fmt::format("Expected an active version of \"{}\" for trigger {} but found none",
                              known->definition, trigger.value));
  return known;
}

bool TriggerHost::IsPending(TriggerId trigger, const std::string& key) const {
  const auto pending = shard_.board().PendingFirings();
  if (!pending.has_value()) return false;
  for (const runtime::PendingFiring& firing : *pending)
    if (firing.trigger == trigger && firing.key == key) return true;
  return false;
}

void TriggerHost::Fire(TriggerId trigger, const std::string& key, const Value& input,
                       const Reply<uint64_t>& reply) {
  if (key.empty())
    return reply(
        Refuse(ErrorCode::kInvalidInput, "Expected a key that tells firings apart but found none"));
  const auto known = shard_.board().ByIdempotencyKey(runtime::FiringKey(trigger, key));
  if (!known.has_value()) return reply(std::unexpected(ToError(known.error())));
  const Payload payload = Payload::FromValue(input);
  const auto active = Firing(trigger);
  // One that was fired already only has to be answered.
  if (known->has_value() || IsPending(trigger, key))
    return StartInstance(trigger, key, payload, reply);
  if (!active.has_value()) return reply(std::unexpected(active.error()));
  shard_.Fire({trigger, clock_.Now(), "start", key, payload}, actor_,
              [this, trigger, key, payload, reply](const stele::Result<Position>& answer) {
                if (!answer.has_value()) return reply(std::unexpected(ToError(answer.error())));
                StartInstance(trigger, key, payload, reply);
              });
}

void TriggerHost::StartInstance(TriggerId trigger, const std::string& key, Payload input,
                                const Reply<uint64_t>& reply) {
  const model::RegisteredTrigger& known = *shard_.registry().Find(trigger);
  const model::RegisteredDefinition* definition = shard_.registry().Startable(known.definition);
  if (definition == nullptr) definition = shard_.registry().Latest(known.definition);
  model::StartInstance start;
  start.definition = definition->id;
  start.input = std::move(input);
  start.idempotency_key = runtime::FiringKey(trigger, key);
  start.tags = {fmt::format("trigger:{}", trigger.value)};
  auto id = std::make_shared<InstanceId>();
  *id = shard_.Start(std::move(start), actor_,
                     [this, id, trigger, key, reply](const stele::Result<Position>& answer) {
                       if (answer.has_value()) return reply(id->value);
                       const ErrorCode code = answer.error().code;
                       // Refused for good: the firing is noted as that, and does not come back.
                       if (code != ErrorCode::kBackPressure && code != ErrorCode::kShardStopped)
                         shard_.Fire({trigger, clock_.Now(), "refused", key, {}}, actor_,
                                     [](const stele::Result<Position>&) {});
                       reply(std::unexpected(ToError(answer.error())));
                     });
}

void TriggerHost::StartPending() {
  const auto pending = shard_.board().PendingFirings();
  if (!pending.has_value()) return;
  for (const runtime::PendingFiring& firing : *pending) {
    const model::RegisteredTrigger* known = shard_.registry().Find(firing.trigger);
    if (known != nullptr && known->kind == kKind)
      StartInstance(firing.trigger, firing.key, firing.payload, [](const Result<uint64_t>&) {});
  }
}

bool TriggerHost::Add(uint64_t number, std::unique_ptr<Trigger> trigger, embed::Fire fire,
                      const std::function<void(const std::string&)>& problem) {
  Trigger* starts = nullptr;
  embed::Fire with;
  {
    const std::lock_guard lock(mutex_);
    if (hosted_.contains(number)) return false;
    Hosted& hosted = hosted_[number];
    hosted = {std::move(trigger), std::move(fire), going_};
    if (!going_) return true;
    starts = hosted.trigger.get();
    with = hosted.fire;
  }
  Guard([&] { starts->Start(with); }, problem);
  return true;
}

void TriggerHost::StartAll(const std::function<void(const std::string&)>& problem) {
  std::vector<std::pair<Trigger*, embed::Fire>> starting;
  {
    const std::lock_guard lock(mutex_);
    going_ = true;
    for (auto& [number, hosted] : hosted_) {
      if (hosted.started) continue;
      hosted.started = true;
      starting.emplace_back(hosted.trigger.get(), hosted.fire);
    }
  }
  for (const auto& [trigger, fire] : starting) Guard([&] { trigger->Start(fire); }, problem);
}

void TriggerHost::StopAll(const std::function<void(const std::string&)>& problem) {
  std::vector<Trigger*> stopping;
  {
    const std::lock_guard lock(mutex_);
    going_ = false;
    for (auto& [number, hosted] : hosted_)
      if (std::exchange(hosted.started, false)) stopping.push_back(hosted.trigger.get());
  }
  for (Trigger* trigger : stopping) Guard([&] { trigger->Stop(); }, problem);
}

}  // namespace stele::embed
