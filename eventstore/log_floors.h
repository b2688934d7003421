// Where the hot log of each shard begins: blocks below have moved to the archive and are no part of
// the hot log any more, wherever the database still has them. Its compactions drop them.
//
// Owned by the LogDb; threads: any.
#pragma once

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "base/ids.h"

namespace stele::eventstore {

class LogFloors {
 public:
  // The first position that counts; 1 or less: all do. The reference is good for ever.
  const std::atomic<uint64_t>& Of(ShardId shard) const { return Slot(shard); }
  // REQUIRES: that the blocks below are archived is durable.
  void Raise(ShardId shard, Position floor);
  std::map<ShardId, Position> All() const;

 private:
  std::atomic<uint64_t>& Slot(ShardId shard) const;

  mutable std::mutex mutex_;
  mutable std::map<ShardId, std::atomic<uint64_t>> floors_;
};

// For the family of blocks.
std::shared_ptr<rocksdb::CompactionFilterFactory> MakeFloorFilterFactory(
    std::shared_ptr<const LogFloors> floors);

}  // namespace stele::eventstore
