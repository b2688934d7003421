// What opening a store on disk does for a shard: its end is compared with what is known of it, and
// the index of its instances follows it there.
//
// Thread: the opening one.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "eventstore/block_source.h"
#include "eventstore/shard_log.h"
#include "eventstore/state_db.h"

namespace stele::eventstore {

// kStoreCorrupt when the log, which ends with `tail`, is shorter than it was, or another one.
Status CheckEnd(const ShardLog& shard, const LogTail& tail, const StateDb& state);

// Reads what lies behind the index on disk into that in memory: less than two chunks, unless
// `state/` was deleted. What comes to `chunk_records` goes on to the disk.
// REQUIRES: the shard's tail is known.
Status CatchUpIndex(ShardLog& shard, BlockSource& source, StateDb& state, size_t chunk_records);

}  // namespace stele::eventstore
