// The registry: which ended instances were removed.
#include "base/instance_ranges.h"
#include "engine/apply/registry.h"
#include "engine/model/removal_limit.h"

namespace stele::apply {

void On(model::Registry& registry, const model::InstancesPurged& event,
        const RecordContext& record) {
  CHECK(model::MayBeRemoved(event.instances), "{} ranges of purged instances do not fit",
        event.instances.size());
  registry.purge = {record.position, event.instances, registry.purge.position};
}

void On(model::Registry& registry, const model::InstancesErased& event, const RecordContext&) {
  CHECK(model::MayBeRemoved(event.instances), "{} ranges of erased instances do not fit",
        event.instances.size());
  AddRanges(event.instances, registry.erased);
}

}  // namespace stele::apply
