// A log's tree up to its end, when the log is opened: what is stored of it, what is behind that,
// and what is missing. All is missing of a log of a build from before there were trees: it is read
// once.
//
// Thread: the opening one.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_source.h"
#include "eventstore/log_tree.h"
#include "eventstore/tree_rows.h"

namespace stele::eventstore {

struct TreeAccess {
  std::function<std::unique_ptr<BlockSource>()> source;
  std::function<std::unique_ptr<const TreeRows>()> rows;
  // Stores rows, durably and as one.
  std::function<Status(const std::vector<KeyRow>&)> write;
};

// Adds the rows that are missing. When none is, what the archive has is not read. Of records that
// were cut out before there was a tree a stand-in takes the leaf's place: the leaf of a record
// without a frame.
Result<LogFrontier> FollowTree(ShardId shard, const TreeAccess& access);

}  // namespace stele::eventstore
