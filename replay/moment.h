// Which part of a log is behind a moment.
//
// Thread: any.
#pragma once

#include "base/error.h"
#include "eventstore/event_store.h"

namespace stele::replay {

// The last record that was written at the time or before it; 0: none was. A shard's times never go
// back, so that a few dozen records are looked at, however long the log is.
Result<Position> PositionAt(const eventstore::EventStore& store, ShardId shard, TimeUs time);

}  // namespace stele::replay
