// What an erasure does not reach: payloads that were recorded before encryption was turned on. They
// have no key that could be destroyed.
//
// Thread: any, none that must not wait for a disk.
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/event_store.h"

namespace stele::retention {

struct InClear {
  std::vector<InstanceId> instances;
  std::vector<Position> registry;
};

// Of the instances and of the records of the registry, those of which payloads can still be read.
// REQUIRES: their keys are destroyed.
Result<InClear> FindInClear(const eventstore::EventStore& log, ShardId shard,
                            std::span<const InstanceId> instances,
                            std::span<const Position> registry);

}  // namespace stele::retention
