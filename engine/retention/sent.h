// What the registry keeps of what was sent to instances: messages from outside that they met or
// that started them, the firings of triggers that started them, messages whose correlation key
// somebody names.
//
// Thread: any, none that must not wait for a disk.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/event_store.h"

namespace stele::retention {

struct Sent {
  std::vector<Position> registry;   // records of the registry with nothing else in them
  std::vector<Position> published;  // records, of anybody, with messages that may still be kept
};

// Reads the instances' records and all of the registry's. `key`: of messages; empty: none. An
// instance that was purged is passed over.
Result<Sent> FindSent(const eventstore::EventStore& log, ShardId shard,
                      std::span<const InstanceId> instances, const std::string& key);

}  // namespace stele::retention
