#include "cli/recorded.h"

#include <fmt/format.h>

#include "cli/open_data.h"
#include "engine/apply/apply.h"
#include "engine/runtime/custom_types.h"

namespace stele::cli {

replay::LacksWorker NeedsWorkerOf(const model::Registry& registry) {
  return [types = std::make_shared<runtime::CustomTypes>(registry)](const definition::Step& step) {
    return types->NeedsWorker(step.task_type);
  };
}

Result<std::unique_ptr<Recorded>> ReadRecorded(const Arguments& arguments,
                                               const VisitRecorded& visit) {
  const Result<InstanceId> id = ParseInstanceId(arguments.operands()[0]);
  if (!id.has_value()) return std::unexpected(id.error());
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return std::unexpected(store.error());
  Result<model::Registry> registry = replay::ReadRegistry(**store, kShard);
  if (!registry.has_value()) return std::unexpected(registry.error());
  auto recorded = std::make_unique<Recorded>();
  recorded->registry = *std::move(registry);
  recorded->instance.id = *id;
  const Status read =
      replay::ReadHistory(**store, kShard, *id, [&](const replay::HistoryEntry& entry) {
        if (const auto* started = std::get_if<model::InstanceStarted>(&entry.event)) {
          const auto* registered = recorded->registry.Find(started->definition);
          CHECK(registered != nullptr, "no definition {}", started->definition.value);
          recorded->definition = registered->definition.get();
          recorded->timeline.emplace(*recorded->definition, &recorded->registry);
        }
        apply::Apply(recorded->instance, entry.event, entry.record);
        recorded->timeline->Apply(entry.event, entry.record);
        recorded->definition = &recorded->timeline->definition();
        if (visit) visit(entry, *recorded->definition);
      });
  if (!read.has_value()) return std::unexpected(read.error());
  recorded->standing = replay::StandingOf(recorded->instance, *recorded->definition,
                                          NeedsWorkerOf(recorded->registry));
  return recorded;
}

}  // namespace stele::cli
