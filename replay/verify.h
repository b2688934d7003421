// Proof of a log: the chain and every checksum, the numbering of every history, and every decision
// made again and compared with what is recorded.
//
// The memory it takes is that of the instances that are open at once.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "eventstore/event_store.h"

namespace stele::replay {

struct VerifyReport {
  uint64_t records = 0;
  uint64_t events = 0;
  uint64_t instances = 0;
  uint64_t definitions = 0;
  uint64_t open = 0;  // instances that have not ended
};

// Told now and then how far the second pass is. An error ends it there.
using VerifyProgress = std::function<Status(Position at, Position end)>;

// kStoreCorrupt and the other codes of the store: a byte is not what it was, with its position.
// kReplayMismatch: a record is no consequence of what stands before it; the message has the
// position, the seq, what was expected and what was found.
Result<VerifyReport> Verify(const eventstore::EventStore& store, ShardId shard,
                            const VerifyProgress& progress = nullptr);

}  // namespace stele::replay
