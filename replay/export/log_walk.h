// The walk along the log, in its order: one thread reads and opens blocks, others make text of
// them, the first one writes it in order. What is in memory does not depend on the log's length: a
// few blocks, and their text.
//
// Thread: the caller's; `write` and `progress` are called on it.
#pragma once

#include <functional>
#include <memory>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "replay/export/instance_definitions.h"
#include "replay/export/record_format.h"

namespace stele::replay {

struct LogWalk {
  ShardId shard;
  Position from{1};
  Position end;          // one past the last
  bool payloads = true;  // else records are as if their payloads were absent
  unsigned threads = 1;  // that make text, beside the caller's
  std::function<std::unique_ptr<RecordFormat>()> make_format;  // one for each of them
  std::function<void(Position at)> progress;                   // now and then; may be null
};

// The errors of the store name the position; one of `write` ends the walk.
Result<ExportCounts> WalkLog(const eventstore::EventStore& store, InstanceDefinitions& definitions,
                             const LogWalk& walk, const WriteText& write);

}  // namespace stele::replay
