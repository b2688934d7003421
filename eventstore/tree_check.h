// A shard's tree (log_tree.h) computed anew from its records, and compared with what is stored of
// it and with every signed head, while somebody walks the log.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/log_tree.h"
#include "eventstore/record_tree.h"
#include "eventstore/tree_rows.h"
#include "eventstore/tree_tile.h"

namespace stele::eventstore {

class TreeCheck {
 public:
  // REQUIRES: the rows outlive it.
  TreeCheck(const TreeRows& rows, ShardId shard);

  // The next record, or some that were cut out, as the blocks have them, from the first one on.
  Status Add(const TreeNode& node, bool is_cut);
  // Nothing is behind them.
  Status Finish();

  // How many heads agreed.
  uint64_t heads() const { return heads_; }

 private:
  struct Head {
    uint64_t size;
    std::string note;
  };

  Status Begin();
  Status CheckGroup(const TileCollector::Group& group, TreeTile& tile);
  // Of a group some of whose records were cut out and left no nodes above them.
  Status TakeStored(const TileCollector::Group& group, TreeTile* tile) const;
  Status CheckStored(const LogNode& node) const;
  Status CheckHeads(uint64_t group, const TreeTile& tile, uint64_t records);
  Status ReadHeads(uint64_t from);

  const TreeRows& rows_;
  const ShardId shard_;
  TileCollector collector_;
  bool begun_ = false;
  uint64_t stored_groups_ = 0;
  LogFrontier frontier_;  // of whole groups
  std::deque<Head> next_heads_;
  bool more_heads_ = true;
  uint64_t heads_ = 0;
};

}  // namespace stele::eventstore
