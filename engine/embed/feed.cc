#include "engine/embed/feed.h"

#include <exception>

#include "base/json.h"
#include "engine/embed/notices.h"
#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "replay/history.h"

namespace stele::embed {

void Feed::AddPlugin(std::unique_ptr<Plugin> plugin) {
  wanted_ = true;
  plugins_.push_back(std::make_unique<PluginHost>(std::move(plugin), plugin_backlog_, problem_));
}

uint64_t Feed::Subscribe(InstanceId instance, bool all, std::function<void(const Event&)> receive) {
  wanted_ = true;
  subscribers_[++last_subscription_] =
      std::make_shared<Subscriber>(Subscriber{instance, all, std::move(receive)});
  return last_subscription_;
}

bool Feed::Unsubscribe(uint64_t subscription) {
  const auto found = subscribers_.find(subscription);
  if (found == subscribers_.end()) return false;
  found->second->all = false;
  found->second->instance = InstanceId(UINT64_MAX);
  subscribers_.erase(found);
  return true;
}

void Feed::Known::Follow(const model::Event& event, const model::Registry& registry) {
  if (const auto* started = std::get_if<model::InstanceStarted>(&event)) {
    definition = registry.Find(started->definition)->definition;
  } else if (const auto* migrated = std::get_if<model::InstanceMigrated>(&event)) {
    definition = registry.Find(migrated->definition)->definition;
    for (auto& [run, step] : steps)
      if (step.value < migrated->steps.size()) step = migrated->steps[step.value];
  } else if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
    steps[activated->run] = activated->step;
  }
}

// Those that started before anybody listened are looked up in the log.
Feed::Known* Feed::KnownOf(InstanceId instance, std::span<const model::Event> events,
                           const model::RecordContext& record) {
  if (!instance) return nullptr;
  const auto [place, is_new] = known_.try_emplace(instance);
  Known& known = place->second;
  if (is_new && !std::holds_alternative<model::InstanceStarted>(events.front())) {
    const stele::Status read = replay::ReadHistory(
        *store_, ShardId(), instance,
        [&](const replay::HistoryEntry& entry) {
          known.Follow(entry.event, shard_->registry());
          if (EndsRun(entry.event)) known.steps.erase(RunOf(entry.event));
        },
        record.position);
    if (!read.has_value()) problem_(read.error().ToString());
  }
  return &known;
}

void Feed::OnRecord(InstanceId instance, std::span<const model::Event> events,
                    const model::RecordContext& record) {
  Known* known = KnownOf(instance, events, record);
  uint32_t ordinal = 0;
  for (const model::Event& event : events) {
    if (known != nullptr) known->Follow(event, shard_->registry());
    Publish(instance, event, record, ordinal++, known);
    if (known == nullptr || known->definition == nullptr) continue;
    TellPlugins(instance, event, record, *known);
    if (EndsRun(event)) known->steps.erase(RunOf(event));
  }
}

void Feed::Publish(InstanceId instance, const model::Event& event,
                   const model::RecordContext& record, uint32_t ordinal, const Known* known) {
  std::vector<std::shared_ptr<Subscriber>> told;
  for (const auto& [number, subscriber] : subscribers_)
    if (subscriber->all || subscriber->instance == instance) told.push_back(subscriber);
  if (told.empty()) return;
  const Event shown{.position = record.position.value,
                    .ordinal = ordinal,
                    .instance = instance.value,
                    .time_us = record.time.value,
                    .name = std::string(model::EventName(event)),
                    .json = ToJson(model::EventToJson(
                        event, known == nullptr ? nullptr : known->definition.get()))};
  for (const std::shared_ptr<Subscriber>& subscriber : told) {
    // One that was called before may have ended another.
    if (!subscriber->all && subscriber->instance != instance) continue;
    try {
      subscriber->receive(shown);
    } catch (const std::exception& exception) {
      problem_(std::string("Expected a subscriber to return but it threw: ") + exception.what());
    } catch (...) {
      problem_("Expected a subscriber to return but it threw");
    }
  }
}

void Feed::TellPlugins(InstanceId instance, const model::Event& event,
                       const model::RecordContext& record, const Known& known) {
  if (plugins_.empty()) return;
  StepIndex step(kNoIndex);
  if (const auto* skipped = std::get_if<model::StepSkipped>(&event)) {
    step = skipped->step;
  } else if (const auto found = known.steps.find(RunOf(event)); found != known.steps.end()) {
    step = found->second;
  }
  const bool is_known = step.value < known.definition->steps.size();
  const auto notice = NoticeOf(instance, event, record.time, known.definition->name,
                               is_known ? known.definition->step(step).id : std::string());
  if (!notice.has_value()) return;
  for (const std::unique_ptr<PluginHost>& plugin : plugins_) plugin->Tell(*notice);
}

void Feed::OnFatal(const stele::Error& error) {
  problem_(error.ToString());
  fatal_();
}

}  // namespace stele::embed
