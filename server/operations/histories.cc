#include "server/operations/histories.h"

#include <fmt/format.h>

#include "base/json.h"
#include "replay/recorded.h"
#include "replay/to_json.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

using replay::HistoryEntry;

// What a thread needs to read an instance.
struct Source {
  const eventstore::EventStore* log;
  ShardId shard;
  InstanceId instance;
  std::shared_ptr<const model::Registry> registry;
};

// The definition that the instance runs when it comes to an event.
class Naming {
 public:
  explicit Naming(const model::Registry& registry) : registry_(registry) {}
  const definition::Definition* Follow(const model::Event& event) {
    DefinitionId id;
    if (const auto* started = std::get_if<model::InstanceStarted>(&event)) id = started->definition;
    if (const auto* moved = std::get_if<model::InstanceMigrated>(&event)) id = moved->definition;
    if (id)
      if (const auto* registered = registry_.Find(id)) definition_ = registered->definition.get();
    return definition_;
  }

 private:
  const model::Registry& registry_;
  const definition::Definition* definition_ = nullptr;
};

Result<HistoryPage> ReadPage(const Source& source, Seq from, size_t limit) {
  HistoryPage page;
  page.position = Position(source.log->NextPosition(source.shard).value - 1);
  Naming naming(*source.registry);
  size_t bytes = 0;
  STELE_RETURN_IF_ERROR(replay::ReadHistory(
      *source.log, source.shard, source.instance, [&](const HistoryEntry& entry) {
        const definition::Definition* definition = naming.Follow(entry.event);
        if (entry.seq < from || page.next) return;
        if (page.events.size() == limit || bytes >= kMaxHistoryBytes) {
          page.next = entry.seq;
          return;
        }
        page.events.push_back(replay::ToJson(entry, definition));
        bytes += stele::ToJson(Value(page.events.back())).size();
      }));
  return page;
}

Result<std::unique_ptr<replay::Recorded>> ReadAt(const Source& source, Moment moment) {
  replay::Includes includes;
  if (moment.seq)
    includes = [last = moment.seq](const HistoryEntry& entry) { return entry.seq <= last; };
  if (moment.time)
    includes = [last = moment.time](const HistoryEntry& entry) {
      return entry.record.time <= last;
    };
  auto recorded = replay::ReadRecorded(*source.log, source.shard, source.instance, *source.registry,
                                       nullptr, includes);
  if (!recorded.has_value() || !moment.seq || (*recorded)->instance.seq == moment.seq)
    return recorded;
  return Fail(
      ErrorCode::kNoSuchMoment,
      fmt::format("Expected an event of instance {} from 1 to {} but found {}",
                  source.instance.value, (*recorded)->instance.seq.value, moment.seq.value));
}

}  // namespace

Promised<HistoryPage> Histories::Events(const Caller& caller, InstanceId instance, Seq from,
                                        size_t limit) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<HistoryPage>(std::unexpected(allowed.error()));
  return desk_.Read([source = Source{desk_.engine().store, desk_.engine().shard_id, instance,
                                     desk_.RegistryCopy()},
                     from, limit] { return ReadPage(source, from, limit); });
}

Promised<Object> Histories::At(const Caller& caller, InstanceId instance, Moment moment) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<Object>(std::unexpected(allowed.error()));
  return desk_.Read([source = Source{desk_.engine().store, desk_.engine().shard_id, instance,
                                     desk_.RegistryCopy()},
                     moment]() -> Result<Object> {
    const auto recorded = ReadAt(source, moment);
    if (!recorded.has_value()) return std::unexpected(recorded.error());
    const model::Instance& state = (*recorded)->instance;
    Object shown = ToJson(StatusOf(state, *source.registry->Find(state.definition), nullptr));
    shown.Set("steps", replay::StepsToJson(*(*recorded)->timeline));
    return shown;
  });
}

Promised<Array> Histories::Steps(const Caller& caller, InstanceId instance) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<Array>(std::unexpected(allowed.error()));
  return desk_.Read([source = Source{desk_.engine().store, desk_.engine().shard_id, instance,
                                     desk_.RegistryCopy()}]() -> Result<Array> {
    const auto recorded = ReadAt(source, {});
    if (!recorded.has_value()) return std::unexpected(recorded.error());
    return replay::StepsToJson(*(*recorded)->timeline);
  });
}

}  // namespace stele::server
