// A copy of a log that ends earlier. A block that holds the end in its middle is sealed anew with
// the records up to it, as a block of its own: the chain verifies, with another last hash.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/log_db.h"

namespace stele::eventstore {

struct LogCut {
  ShardId shard;
  Position last;  // the last record that is kept; 0: none
};

// Into an empty log. Every block is checked on the way; the ends are noted as known. Synced.
// REQUIRES: `from` has the positions.
Status CopyLogUpTo(const LogDb& from, const std::vector<LogCut>& cuts, LogDb* to);

}  // namespace stele::eventstore
