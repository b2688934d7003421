// Times of a log: which record was the last at a moment.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_source.h"

namespace stele::eventstore {

struct Moment {
  std::optional<Position> last;    // the last record at or before the time
  std::optional<TimeUs> earliest;  // of all records
};

// Among the records before `end`; those that were cut out have no time. Reads all of them, for a
// clock may have been put back.
Result<Moment> FindMoment(BlockSource& source, ShardId shard, Position end, TimeUs time);

// "2026-03-01 12:30:05.250000 UTC", for error sentences.
std::string TimeText(TimeUs time);

}  // namespace stele::eventstore
