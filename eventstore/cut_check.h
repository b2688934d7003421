// Whether an instance may be cut out of a log on the disk.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/instance_blocks.h"
#include "eventstore/state_db.h"

namespace stele::eventstore {

// `blocks`: those that may hold the instance; `archived`: where the archive ends. The errors are
// those of EventStore::Cut.
Status CheckMayBeCut(ShardId shard, InstanceId instance, const StateDb& state,
                     const Result<std::vector<InstanceBlock>>& blocks, Position archived);

}  // namespace stele::eventstore
