#include "replay/recorded.h"

#include <fmt/format.h>

#include "engine/apply/apply.h"
#include "engine/model/beginning.h"

namespace stele::replay {

namespace {

// Of a definition that the event brings the instance to.
Status CheckBegun(const model::Registry& registry, const model::Event& event, InstanceId instance) {
  const DefinitionId id = model::DefinitionBehind(event);
  if (!id && !model::BeginsInstance(event)) return {};
  const auto registered = FindReadable(registry, id, instance);
  return registered.has_value() ? Status() : std::unexpected(registered.error());
}

}  // namespace

Result<std::unique_ptr<Recorded>> ReadRecorded(const Source& source, InstanceId instance,
                                               const model::Registry& registry,
                                               const VisitRecorded& visit,
                                               const Includes& includes) {
  auto recorded = std::make_unique<Recorded>();
  recorded->instance.id = instance;
  bool over = false;
  Status readable;
  STELE_RETURN_IF_ERROR(ReadHistory(source, instance, [&](const HistoryEntry& entry) {
    over = over || (includes && !includes(entry));
    if (!over) readable = CheckBegun(registry, entry.event, instance);
    over = over || !readable.has_value();
    if (over) return;
    if (model::BeginsInstance(entry.event))
      recorded->timeline.emplace(*registry.Find(model::DefinitionBehind(entry.event))->definition,
                                 &registry);
    apply::Apply(recorded->instance, entry.event, entry.record);
    recorded->timeline->Apply(entry.event, entry.record);
    recorded->definition = &recorded->timeline->definition();
    if (visit) visit(entry, *recorded->definition);
  }));
  STELE_RETURN_IF_ERROR(readable);
  if (recorded->definition != nullptr) return recorded;
  return Fail(ErrorCode::kNoSuchMoment,
              fmt::format("Expected a moment at which instance {} had started but found an earlier "
                          "one",
                          instance.value));
}

Result<std::unique_ptr<Recorded>> ReadRecorded(const eventstore::EventStore& store, ShardId shard,
                                               InstanceId instance, const model::Registry& registry,
                                               const VisitRecorded& visit,
                                               const Includes& includes) {
  return ReadRecorded(StoreSource(store, shard), instance, registry, visit, includes);
}

}  // namespace stele::replay
