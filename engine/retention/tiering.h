// What leaves the hot log for the archive, and when (docs/retention.md).
//
// Thread: any, none that must not wait for a disk.
#pragma once

#include <stop_token>

#include "base/error.h"
#include "engine/retention/policy.h"
#include "eventstore/event_store.h"

namespace stele::retention {

// The first record of the hot log that is not older than `time`, or where the log ends. Times of a
// log do not go back.
Result<Position> FirstNotBefore(const eventstore::EventStore& store, ShardId shard, TimeUs time);
// Where the hot log has to begin so that it holds about so many bytes.
Position FirstWithin(const eventstore::EventStore& store, ShardId shard, uint64_t bytes);
// Archives what the policy says by `now`.
Result<eventstore::ArchiveReport> Tier(eventstore::EventStore& store, ShardId shard,
                                       const RetentionPolicy& policy, TimeUs now,
                                       const std::stop_token& stop);
// Archives until the record at `last` is archived, and not much more. REQUIRES: a block that began
// behind `last` is in the log at `end`.
// kShardStopped when it is to stop before.
Status ArchiveThrough(eventstore::EventStore& store, ShardId shard, Position last, Position end,
                      const std::stop_token& stop);

}  // namespace stele::retention
