// The index of a shard's newest blocks, in memory: what was written since the last chunk went into
// the index on disk. Adding is cheap, since the writer does it; a background thread sorts.
//
// Runs: each Add makes an unsorted one; Tidy sorts and merges them so that each run is less than
// half of the one before, and a search visits few.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "eventstore/instance_blocks.h"
#include "eventstore/sealed_block.h"

namespace stele::eventstore {

// Runs that are not sorted yet at which it is time to Tidy.
inline constexpr size_t kRunsToTidy = 16;

// Add and Find: any thread. Tidy, Collect and DropBefore: one thread.
class TailIndex {
 public:
  // The block's records, in their order. `end` is one past its last position. Blocks come in order.
  // Returns the number of runs that Tidy would have to sort.
  size_t Add(Position block, Position end, std::span<const InstanceSeq> records);
  // Appends what it knows about the instance from the block on that may hold `from`.
  void Find(InstanceId instance, Seq from, std::vector<InstanceBlock>* blocks) const;

  size_t records() const;
  void Tidy();

  struct Chunk {
    std::vector<IndexEntry> entries;  // sorted
    Position end;                     // one past the last position of its blocks
  };
  // Everything, merged.
  Chunk Collect();
  // Forgets the blocks before `end`, as Collect gave it.
  void DropBefore(Position end);

 private:
  struct Run {
    std::vector<IndexEntry> entries;
    Position end;
    size_t records = 0;
    bool sorted = false;
  };
  using RunPointer = std::shared_ptr<const Run>;
  static RunPointer Merge(std::span<const RunPointer> runs);

  mutable std::mutex mutex_;
  std::vector<RunPointer> runs_;  // oldest first
  size_t sorted_ = 0;             // how many of them Tidy made
  size_t records_ = 0;
};

}  // namespace stele::eventstore
