// Eight levels of a shard's tree below one node: 256 leaves of a stored level (or records), and
// what is above them. A part of it may be unknown: of records that were cut out the nodes above are
// kept.
//
// Used by one thread at a time.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/log_tree.h"

namespace stele::eventstore {

class TreeTile {
 public:
  void Clear() { known_.reset(); }
  // `height` above the leaves, from 0 to 8. REQUIRES: index < 256 >> height.
  void Set(uint8_t height, uint64_t index, const Hash& hash);
  // Computes what follows from what was set.
  void Complete();
  // Null: it is not known.
  const Hash* Find(uint8_t height, uint64_t index) const;
  // Whether the leaf is known, or a node above it.
  bool Covers(uint64_t leaf) const;
  // The nodes over the first `records` leaves, those of the tile of that base and index, behind the
  // tree. False when one is not known.
  bool AddTo(LogFrontier* frontier, uint8_t base, uint64_t tile, uint64_t records,
             std::vector<LogNode>* stored = nullptr) const;

 private:
  static size_t Place(uint8_t height, uint64_t index) {
    return (kGroupRecords >> height) + static_cast<size_t>(index);
  }

  std::array<Hash, 2 * kGroupRecords> nodes_;  // the halves of node i are 2 i and 2 i + 1
  std::bitset<2 * kGroupRecords> known_;
};

// Collects the leaves of a log into one tile after the other. What was cut out is left unknown: the
// leaves that are known are those of records that are there.
class TileCollector {
 public:
  // The last one perhaps not full.
  struct Group {
    uint64_t number;
    uint64_t records;
    uint64_t kept;  // of them are there
  };
  // The tile is not completed yet.
  using Done = std::function<Status(const Group& group, TreeTile& tile)>;

  // Begins with the record at `first`, the first of a group.
  TileCollector(Position first, Done done) : next_(first.value - 1), done_(std::move(done)) {}

  // The next record.
  Status AddLeaf(const Hash& leaf);
  // The next records, which were cut out.
  Status AddCut(uint64_t records);
  // Those of the last group, if any.
  Status Finish();

 private:
  Status EndGroup(uint64_t records);

  uint64_t next_;
  uint64_t kept_ = 0;  // of the group
  TreeTile tile_;
  Done done_;
};

}  // namespace stele::eventstore
