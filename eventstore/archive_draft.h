// A segment that is being written, aside, and the blocks that go into it.
#pragma once

#include <memory>
#include <string>

#include "eventstore/archive.h"
#include "eventstore/block_reader.h"

namespace stele::eventstore {

struct ArchiveStore::Draft {
  std::unique_ptr<SegmentWriter> writer;
  std::string aside;  // the name that the file has for now
  uint64_t generation = 1;
  LogTail end;  // what the next block must follow

  // The block that `reader` opened, whole. Checks its link and its hash.
  Status Add(BlockReader& reader);
  // The block with other frames, of which `cut` more were cut out than before.
  // REQUIRES: the frames have the block's hash.
  Status AddCut(const BlockHeader& header, std::string_view frames,
                const BlockReader::Summary& summary, uint64_t cut);
  // All blocks of a segment, as they are.
  Status AddAll(const std::string& path, const SegmentHeader& header);
};

// That the block follows `end`.
Status CheckFollows(const BlockHeader& header, const LogTail& end);

}  // namespace stele::eventstore
