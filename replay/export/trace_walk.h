// The walk along the log that brings each instance as a whole: what a record belongs to is kept
// until the instance has ended, and given to the format then. Where that would take more memory
// than is allowed, the instance that began first is given before its end, and the rest of it is
// read from where it is. So the log is read once, and few instances are looked up.
//
// Instances come in the order in which they ended, those that are open behind them.
//
// Thread: one at a time. REQUIRES: nothing is recorded for an instance behind its end, but for one
// that failed.
#pragma once

#include <cstddef>
#include <functional>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "replay/export/instance_definitions.h"
#include "replay/export/instance_walk.h"
#include "replay/export/trace_format.h"

namespace stele::replay {

// Of records that wait for the end of their instance.
inline constexpr size_t kWaitingBytes = 64u << 20;

struct TraceWalk {
  ShardId shard;
  Position end;  // one past the last record
  TimeRange times;
  bool payloads = true;
  size_t most_bytes = kWaitingBytes;
  std::function<void(Position at)> progress;  // now and then; may be null
};

Result<ExportCounts> WalkTraces(const eventstore::EventStore& store,
                                InstanceDefinitions& definitions, const TraceWalk& walk,
                                TraceFormat& format, const WriteText& write);

// All records of instances in the order of the log, up to the end, whatever their time; without
// their payloads.
Status WalkRecords(const eventstore::EventStore& store, InstanceDefinitions& definitions,
                   const TraceWalk& walk, RecordFormat& format, const WriteText& write);

}  // namespace stele::replay
