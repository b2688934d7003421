// Where the readers of this folder get stored blocks from; each store has its own.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_reader.h"
#include "eventstore/retention.h"
#include "eventstore/sealed_block.h"

namespace stele::eventstore {

struct StoredBlock {
  Position first;          // what its key says
  std::string_view bytes;  // valid until the source is asked again
  bool archived = false;   // so that records may have been cut out of it
};

class TreeRows;

// The blocks of one shard. Used by one thread at a time.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The last block that begins at or before `position`.
  virtual Result<std::optional<StoredBlock>> Find(Position position) = 0;
  // The first block that begins after `position`.
  virtual Result<std::optional<StoredBlock>> After(Position position) = 0;
  // One past the last durable record.
  virtual Position End() const = 0;
  // Whether the instance is being cut out of the archive: its archived records that are still there
  // are passed over. As of the block that was given last.
  virtual bool Hides(InstanceId) const { return false; }
};

// Opens the block that holds `position`. kStoreCorrupt when there is none.
Status OpenBlockAt(BlockSource& source, ShardId shard, Position position, BlockReader* reader);

// Every block, its checksum, its link, its records' hash and that each begins where the last one
// ended; and that the log holds `known`, an end that it had at some time. The number of records.
Result<uint64_t> VerifyBlocks(BlockSource& source, ShardId shard, const LogTail& known);
// The same, with how many of them are archived and cut out; and that the tree over all records is
// the one of which `rows`, if any, tell, and every signed head among them.
Result<ChainReport> InspectBlocks(BlockSource& source, ShardId shard, const LogTail& known,
                                  const TreeRows* rows = nullptr);

}  // namespace stele::eventstore
