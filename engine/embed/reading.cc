// Queries, histories, subscriptions.
#include <algorithm>

#include "base/json.h"
#include "engine/embed/core.h"
#include "engine/model/event_json.h"
#include "replay/history.h"
#include "replay/summary.h"

namespace stele::embed {

namespace {

std::string StatusOf(const replay::InstanceSummary& summary) {
  if (!model::HasEnded(summary.status) && (summary.queued || summary.paused))
    return summary.queued ? "queued" : "paused";
  return std::string(model::StatusName(summary.status));
}

bool Fits(const Instance& instance, const Filter& filter) {
  return (filter.status.empty() || instance.status == filter.status) &&
         (filter.definition.empty() || instance.definition == filter.definition) &&
         (filter.business_key.empty() || instance.business_key == filter.business_key) &&
         (filter.tag.empty() ||
          std::ranges::find(instance.tags, filter.tag) != instance.tags.end());
}

}  // namespace

// The log is read on the caller's thread; the loop goes on meanwhile.
Result<std::vector<Instance>> Engine::Query(const Filter& filter) {
  const Result<std::vector<Core::Version>> versions = core_->Versions();
  if (!versions.has_value()) return std::unexpected(versions.error());
  const Visit visit(*core_->door());
  if (!visit.entered()) return RefuseStopped();
  const auto all = replay::ListInstances(core_->store(), ShardId());
  if (!all.has_value()) return std::unexpected(ToError(all.error()));
  std::vector<Instance> found;
  for (auto at = all->rbegin(); at != all->rend() && found.size() < filter.limit; ++at) {
    // Of a version that came after the first look.
    if (at->definition.value > versions->size()) continue;
    const Core::Version& version = (*versions)[at->definition.value - 1];
    Instance instance{.id = at->id.value,
                      .definition = version.name,
                      .version = version.number,
                      .status = StatusOf(*at),
                      .business_key = at->business_key,
                      .tags = at->tags,
                      .priority = at->priority,
                      .started_us = at->started.value,
                      .ended_us = at->ended.value};
    if (Fits(instance, filter)) found.push_back(std::move(instance));
  }
  return found;
}

Result<std::string> Engine::History(uint64_t instance) {
  const Result<std::vector<Core::Version>> versions = core_->Versions();
  if (!versions.has_value()) return std::unexpected(versions.error());
  const Visit visit(*core_->door());
  if (!visit.entered()) return RefuseStopped();
  std::string lines;
  const definition::Definition* definition = nullptr;
  const auto name_by = [&](DefinitionId id) {
    definition =
        id.value <= versions->size() ? (*versions)[id.value - 1].definition.get() : nullptr;
  };
  const stele::Status read = replay::ReadHistory(
      core_->store(), ShardId(), InstanceId(instance), [&](const replay::HistoryEntry& entry) {
        if (const auto* started = std::get_if<model::InstanceStarted>(&entry.event))
          name_by(started->definition);
        if (const auto* migrated = std::get_if<model::InstanceMigrated>(&entry.event))
          name_by(migrated->definition);
        Object line{{"seq", static_cast<int64_t>(entry.seq.value)},
                    {"position", static_cast<int64_t>(entry.record.position.value)},
                    {"time", entry.record.time.value}};
        if (!entry.actor.empty()) line.Set("actor", entry.actor);
        Value event = model::EventToJson(entry.event, definition);
        for (Member& member : event.as_object()) line.Set(member.key, std::move(member.value));
        lines += ToJson(Value(std::move(line))) + "\n";
      });
  if (!read.has_value()) return std::unexpected(ToError(read.error()));
  return lines;
}

Result<uint64_t> Engine::Subscribe(uint64_t instance, std::function<void(const Event&)> receive) {
  if (!receive)
    return Refuse(ErrorCode::kInvalidInput, "Expected a function to call but found none");
  return core_->Ask<uint64_t>([&, core = core_.get()](const Core::Reply<uint64_t>& reply) {
    const InstanceId id(instance);
    if (id)
      if (const auto found = core->shard().Find(id); !found.has_value())
        return reply(std::unexpected(ToError(found.error())));
    reply(core->feed().Subscribe(id, !id, receive));
  });
}

Status Engine::Unsubscribe(uint64_t subscription) {
  const auto end = [core = core_.get(), subscription]() -> Status {
    if (core->feed().Unsubscribe(subscription)) return {};
    return Refuse(ErrorCode::kInvalidInput,
                  "Expected a subscription but found no " + std::to_string(subscription));
  };
  if (core_->OnLoop()) return end();
  return core_->Ask<void>([&](const Core::Reply<void>& reply) { reply(end()); });
}

}  // namespace stele::embed
