#include "engine/embed/feed.h"

#include <algorithm>
#include <iterator>

#include "engine/embed/notices.h"
#include "engine/model/beginning.h"
#include "replay/history.h"

namespace stele::embed {

Feed::~Feed() {
  End();
}

void Feed::AddPlugin(std::unique_ptr<Plugin> plugin) {
  has_plugins_ = true;
  plugins_.push_back(std::make_unique<PluginHost>(std::move(plugin), backlog_, own_, problem_));
}

uint64_t Feed::Subscribe(InstanceId instance, Position from,
                         std::function<void(const Event&)> receive) {
  replay::EventReader::Definitions definitions;
  for (const model::RegisteredDefinition& each : shard_->registry().definitions)
    definitions[each.id] = each.definition;
  const std::lock_guard lock(mutex_);
  std::erase_if(leaving_, [](const auto& subscription) { return subscription->is_over(); });
  subscriptions_[++last_subscription_] = std::make_shared<Subscription>(
      SubscriptionParts{.instance = instance,
                        .reader = std::make_unique<replay::EventReader>(
                            *store_, ShardId(), instance, from, std::move(definitions)),
                        .receive = std::move(receive),
                        .problem = problem_,
                        .own = &own_,
                        .backlog = backlog_});
  has_subscriptions_ = true;
  return last_subscription_;
}

bool Feed::Unsubscribe(uint64_t subscription, bool waits) {
  std::shared_ptr<Subscription> leaving;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(subscription);
    if (found == subscriptions_.end()) return false;
    leaving = found->second;
    leaving_.push_back(leaving);
    subscriptions_.erase(found);
    has_subscriptions_ = !subscriptions_.empty();
  }
  leaving->Leave(waits);
  return true;
}

void Feed::WakeAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, subscription] : subscriptions_) subscription->Wake();
}

void Feed::Wake(InstanceId instance) {
  if (!has_subscriptions_) return;
  const std::lock_guard lock(mutex_);
  for (const auto& [number, subscription] : subscriptions_)
    if (!subscription->instance() || subscription->instance() == instance) subscription->Wake();
}

void Feed::Bound() {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, subscription] : subscriptions_) subscription->Bound();
}

void Feed::End() {
  std::vector<std::shared_ptr<Subscription>> ending;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, subscription] : subscriptions_) {
      subscription->End();
      ending.push_back(subscription);
    }
    std::ranges::move(leaving_, std::back_inserter(ending));
    leaving_.clear();
  }
  // Those that are told their last may still end one another.
  for (const auto& subscription : ending) subscription->Join();
  plugins_.clear();
}

void Feed::Known::Follow(const model::Event& event, const model::Registry& registry) {
  if (const DefinitionId runs = model::DefinitionBehind(event))
    definition = registry.Find(runs)->definition;
  if (const auto* forked = std::get_if<model::InstanceForked>(&event)) {
    for (const model::StepRun& run : forked->state->runs) steps[run.id] = run.step;
  } else if (const auto* migrated = std::get_if<model::InstanceMigrated>(&event)) {
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
  if (is_new && !model::BeginsInstance(events.front())) {
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
  Wake(instance);
  if (!has_plugins_) return;
  Known* known = KnownOf(instance, events, record);
  if (known == nullptr) return;
  for (const model::Event& event : events) {
    known->Follow(event, shard_->registry());
    if (known->definition == nullptr) continue;
    TellPlugins(instance, event, record, *known);
    if (EndsRun(event)) known->steps.erase(RunOf(event));
  }
}

void Feed::TellPlugins(InstanceId instance, const model::Event& event,
                       const model::RecordContext& record, const Known& known) {
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
