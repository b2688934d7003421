#include "cli/recorded.h"

#include "cli/open_data.h"
#include "cli/source.h"
#include "engine/runtime/custom_types.h"

namespace stele::cli {

replay::LacksWorker NeedsWorkerOf(const model::Registry& registry) {
  return [types = std::make_shared<runtime::CustomTypes>(registry)](const definition::Step& step) {
    return types->NeedsWorker(step.task_type);
  };
}

Result<std::unique_ptr<Recorded>> ReadRecorded(const Arguments& arguments,
                                               const replay::VisitRecorded& visit) {
  const Result<InstanceId> id = ParseInstanceId(arguments.operands()[0]);
  if (!id.has_value()) return std::unexpected(id.error());
  const auto source = OpenSource(arguments);
  if (!source.has_value()) return std::unexpected(source.error());
  Result<model::Registry> registry = replay::ReadRegistry(**source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  auto recorded = std::make_unique<Recorded>();
  recorded->registry = *std::move(registry);
  auto read = replay::ReadRecorded(**source, *id, recorded->registry, visit);
  if (!read.has_value()) return std::unexpected(read.error());
  static_cast<replay::Recorded&>(*recorded) = std::move(**read);
  recorded->standing = replay::StandingOf(recorded->instance, *recorded->definition,
                                          (*source)->NeedsWorker(recorded->registry));
  return recorded;
}

}  // namespace stele::cli
