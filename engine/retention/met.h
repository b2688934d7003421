// Of the messages that instances had met, those that a fold of the log without these instances
// would still keep: others published them, and they have not expired.
//
// Thread: any, none that must not wait for a disk.
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "engine/model/event_values.h"
#include "eventstore/event_store.h"

namespace stele::retention {

// In order, each once. `met`: by the instances that leave, which are sorted. Reads the records that
// published them, for only these say until when they are kept. What was cut out or erased is kept
// by nobody.
Result<std::vector<model::MessagePlace>> KeptOfOthers(const eventstore::EventStore& log,
                                                      ShardId shard,
                                                      std::vector<model::MessagePlace> met,
                                                      std::span<const InstanceId> leaving,
                                                      TimeUs now);

}  // namespace stele::retention
