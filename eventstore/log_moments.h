// Positions and times of a log: which record was the last at a moment.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_source.h"

namespace stele::eventstore {

// The time of the record. kStoreCorrupt when it is not there.
Result<TimeUs> TimeAt(BlockSource& source, ShardId shard, Position position);

// The last record at or before the time, among those before `end`; nothing when each is later.
// Reads all of them, for a clock may have been put back.
Result<std::optional<Position>> LastAtOrBefore(BlockSource& source, ShardId shard, Position end,
                                               TimeUs time);

// "2026-03-01 12:30:05.250000 UTC", for error sentences.
std::string TimeText(TimeUs time);

}  // namespace stele::eventstore
