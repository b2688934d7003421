#include "replay/recorded.h"

#include <fmt/format.h>

#include "base/check.h"
#include "engine/apply/apply.h"

namespace stele::replay {

Result<std::unique_ptr<Recorded>> ReadRecorded(const eventstore::EventStore& store, ShardId shard,
                                               InstanceId instance, const model::Registry& registry,
                                               const VisitRecorded& visit,
                                               const Includes& includes) {
  auto recorded = std::make_unique<Recorded>();
  recorded->instance.id = instance;
  bool over = false;
  STELE_RETURN_IF_ERROR(ReadHistory(store, shard, instance, [&](const HistoryEntry& entry) {
    over = over || (includes && !includes(entry));
    if (over) return;
    if (const auto* started = std::get_if<model::InstanceStarted>(&entry.event)) {
      const auto* registered = registry.Find(started->definition);
      CHECK(registered != nullptr, "no definition {}", started->definition.value);
      recorded->timeline.emplace(*registered->definition, &registry);
    }
    apply::Apply(recorded->instance, entry.event, entry.record);
    recorded->timeline->Apply(entry.event, entry.record);
    recorded->definition = &recorded->timeline->definition();
    if (visit) visit(entry, *recorded->definition);
  }));
  if (recorded->definition != nullptr) return recorded;
  return Fail(ErrorCode::kNoSuchMoment,
              fmt::format("Expected a moment at which instance {} had started but found an earlier "
                          "one",
                          instance.value));
}

}  // namespace stele::replay
