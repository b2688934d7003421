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
  *id = shard_.RegisterTrigger(definition, kKind, text, asker_,
                               [id, reply](const stele::Result<Position>& answer) {
                                 if (!answer.has_value())
                                   return reply(std::unexpected(ToError(answer.error())));
                                 reply(id->value);
                               });
}

void TriggerHost::Fire(TriggerId trigger, const std::string& key, const Value& input,
                       const Reply<uint64_t>& reply) {
  if (key.empty())
    return reply(
        Refuse(ErrorCode::kInvalidInput, "Expected a key that tells firings apart but found none"));
  service_.FireSeen(
      trigger, key, Payload::FromValue(input), asker_,
      [reply](const stele::Result<std::optional<InstanceId>>& started) {
        if (!started.has_value()) return reply(std::unexpected(ToError(started.error())));
        if (started->has_value()) return reply((*started)->value);
        reply(Refuse(ErrorCode::kBackPressure,
                     "Expected the instance of the firing to start at once but it has to wait; the "
                     "firing is noted, and its key gives the instance later"));
      });
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
