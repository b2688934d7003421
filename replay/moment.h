// Which part of a log is behind a moment, and the other way round.
//
// Thread: any.
#pragma once

#include "base/error.h"
#include "eventstore/event_store.h"

namespace stele::replay {

// The last record that was written at the time or before it; 0: none was. A shard's times never go
// back, so that a few dozen records are looked at, however long the log is.
Result<Position> PositionAt(const eventstore::EventStore& store, ShardId shard, TimeUs time);

// When the record at the position was written, or, where that was cut out, the first one behind it.
// 0: there is none.
Result<TimeUs> TimeAt(const eventstore::EventStore& store, ShardId shard, Position position);

}  // namespace stele::replay
