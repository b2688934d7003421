// What the archive notes in the log's database, in the family `meta` (docs/log-format.md): which
// segments there are, which instances were cut out, and a cut that is under way. A segment is part
// of the archive exactly when it is noted here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/instance_ranges.h"
#include "eventstore/archive_format.h"
#include "eventstore/log_db.h"
#include "eventstore/retention.h"

namespace stele::eventstore {

// A segment and the number of times that it was written anew, which its file's name tells.
struct NotedSegment {
  SegmentHeader header;
  uint64_t generation = 1;
};

// "0-1-1.segment": shard, first position, generation.
std::string SegmentFileName(ShardId shard, Position first, uint64_t generation);
// The segment files' names and those of files that are being written end like this.
inline constexpr std::string_view kSegmentSuffix = ".segment";
inline constexpr std::string_view kAsideSuffix = ".segment.new";

LogDb::MetaChange NoteSegment(const NotedSegment& segment);
LogDb::MetaChange NoteNoSegment(const NotedSegment& segment);
// Of instances that were cut out; neighbours are one row.
// REQUIRES: the ranges are in order, do not touch each other, and none of it is noted yet.
Result<std::vector<LogDb::MetaChange>> NoteCutRanges(const LogDb& log, ShardId shard,
                                                     const std::vector<InstanceRange>& ranges);
// Nothing: none is under way any more.
LogDb::MetaChange NoteCutUnderWay(ShardId shard, const std::optional<Erasure>& erasure);

// The shards that have segments, or a cut under way.
Result<std::vector<ShardId>> ArchivedShards(const LogDb& log);
// In the order of their positions, each beginning where the last one ends.
Result<std::vector<NotedSegment>> ReadSegments(const LogDb& log, ShardId shard);
// The highest number; 0: none was.
Result<InstanceId> LastCutInstance(const LogDb& log, ShardId shard);
Result<std::vector<InstanceRange>> CutRanges(const LogDb& log, ShardId shard);
Result<bool> InstanceWasCut(const LogDb& log, ShardId shard, InstanceId instance);
Result<std::optional<Erasure>> ReadCutUnderWay(const LogDb& log, ShardId shard);

}  // namespace stele::eventstore
