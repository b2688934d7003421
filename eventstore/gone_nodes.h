// What stays of records that were cut out, of a group of 256 in a shard's tree (log_tree.h): the
// nodes above them, so that what is proved of their neighbours and of the whole log can still be
// proved. Of a group of which nothing is left the group's own node says all.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/hash.h"
#include "eventstore/tree_rows.h"
#include "eventstore/tree_tile.h"

namespace stele::eventstore {

// Sizes at which the tree is asked for, beside its own: where a segment ends a log may be cut off,
// and a signed head tells of so many records. No node that is kept reaches across one of them.
using KeptSizes = std::set<uint64_t>;

class GoneNodes {
 public:
  // Of `group`, as its row has it.
  static Result<GoneNodes> Decode(ShardId shard, uint64_t group, std::string_view row);
  explicit GoneNodes(uint64_t group) : group_(group) {}

  // A record of the group, by its number there, that is cut out.
  void Add(uint8_t number, const Hash& leaf, const KeptSizes& sizes);
  // Whether one node is left: the group's own.
  bool AreOne() const { return nodes_.size() == 1 && nodes_.begin()->second.level == kTileLevels; }
  bool empty() const { return nodes_.empty(); }
  std::string Encode() const;
  // False when one is over a leaf that is known.
  bool FillIn(TreeTile* tile) const;
  // Those that begin behind the first `records` of the group go.
  void Truncate(uint64_t records);

 private:
  struct Node {
    uint8_t level;
    Hash hash;
  };
  uint64_t group_;
  std::map<uint64_t, Node> nodes_;  // by the number of their first record
};

// What the group's row has; nothing when there is none.
Result<GoneNodes> ReadGone(const TreeRows& rows, ShardId shard, uint64_t group);
// Puts it into a tile that has the leaves of the group's records. kStoreCorrupt when it is over one
// of them: a record that is there is proved by itself alone.
Status RequireGone(const TreeRows& rows, ShardId shard, uint64_t group, TreeTile* tile);

// A record that is cut out.
struct CutLeaf {
  Position position;
  Hash leaf;
};

// The rows as they are to be once these records are gone, which were there until now; a row without
// a value is to go. REQUIRES: the leaves are in order.
Result<std::vector<KeyRow>> RowsOfGone(const TreeRows& rows, ShardId shard,
                                       std::span<const CutLeaf> leaves, const KeptSizes& sizes);

}  // namespace stele::eventstore
