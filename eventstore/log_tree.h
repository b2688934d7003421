// The Merkle tree over all records of a shard, that of RFC 9162, 2.1.1: the leaf of index i is the
// record at position i + 1 (hash.h), a node that of record_tree.h, the size the number of records.
// Nodes of levels 8, 16, 24, … are stored (tree_rows.h): one hash for 256 records and less for what
// is above. All others are computed.
//
// The blocks' own trees (record_tree.h) begin with each block; this one does not know of blocks.
//
// Used by one thread at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "eventstore/hash.h"

namespace stele::eventstore {

// Between two levels that are stored.
inline constexpr uint8_t kTileLevels = 8;
// What a stored node of the lowest stored level is over.
inline constexpr uint64_t kGroupRecords = uint64_t{1} << kTileLevels;

// A node over 2^level records, complete: those of indexes [index << level, (index + 1) << level).
struct LogNode {
  uint8_t level = 0;
  uint64_t index = 0;
  Hash hash{};
  bool operator==(const LogNode&) const = default;
};

inline bool IsStored(uint8_t level) {
  return level != 0 && level % kTileLevels == 0;
}

class RecordTree;

// The nodes of the tree that lie within a block: they can be made without knowing what is before
// it, while that is still on its way to the disk. Makes the block's own tree beside it: when 2^k
// divides the index of the block's first record, nodes up to level k are the same in both.
class BlockCover {
 public:
  void Begin(Position first);
  // The next record's, into both trees. REQUIRES: `block` is the same for all of them.
  void AddLeaf(const Hash& leaf, RecordTree* block);
  // There are no more.
  void Finish(RecordTree* block);
  // The fewest nodes over all that was added, in order. REQUIRES: Finish.
  const std::vector<LogNode>& nodes() const { return nodes_; }
  // Those to be stored that were made.
  const std::vector<LogNode>& stored() const { return stored_; }

 private:
  // Joins the node with those of `to` that it completes, up to that level.
  LogNode Join(LogNode node, uint8_t highest, std::vector<LogNode>* to);
  void Give(const LogNode& node, RecordTree* block);

  uint64_t next_ = 0;
  uint8_t shared_level_ = 0;
  std::vector<LogNode> shared_;  // below that level
  std::vector<LogNode> nodes_;
  std::vector<LogNode> stored_;
};

// The tree over the first records: what is needed of it to go on.
class LogFrontier {
 public:
  uint64_t size() const { return size_; }
  // The node behind all that was added. Those to be stored that it completes are appended to
  // `stored`, itself excepted. REQUIRES: it begins where the tree ends.
  void Add(const LogNode& node, std::vector<LogNode>* stored = nullptr);
  // Of an empty tree: SHA-256 of nothing.
  Hash Root() const;

 private:
  uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // one for each bit of the size, the largest first
};

// The levels of the fewest nodes over the records [begin, end), in their order: visit(level,
// index). REQUIRES: 2^k divides `begin`, where 2^k is the least power of two that is not below end
// - begin.
template <class Visit>
void ForEachNodeOver(uint64_t begin, uint64_t end, Visit visit) {
  while (begin < end) {
    const auto level = static_cast<uint8_t>(std::bit_width(end - begin) - 1);
    visit(level, begin >> level);
    begin += uint64_t{1} << level;
  }
}

}  // namespace stele::eventstore
