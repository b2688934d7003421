// A copy of a log that ends earlier. A block that holds the end in its middle is sealed anew with
// the records up to it, as a block of its own: the chain verifies, with another last hash. Segments
// of the archive that lie before the end stay what they are; of one that holds it, the blocks up to
// it go into the hot log.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/log_db.h"
#include "eventstore/whole_log.h"

namespace stele::eventstore {

struct LogCut {
  ShardId shard;
  Position last;  // the last record that is kept; 0: none
};

// kUnsupported when the end lies in a segment out of which records were cut, and when some were
// just being cut out.
Status CheckCut(const WholeLog& from, const LogCut& cut);

// Into an empty log. The ends are noted as known. Synced. Adds the names of the segments' files
// that the copy needs. REQUIRES: `from` has the positions; CheckCut was content.
Status CopyLogUpTo(const WholeLog& from, const std::vector<LogCut>& cuts, LogDb* to,
                   std::set<std::string>* segments);

}  // namespace stele::eventstore
