// The body of a segment's chunk: blocks, one after the other, each as docs/log-format.md describes
// it with flags 0. Blocks of which all records were cut out are kept together, as a run: of each
// how many records it had and the root of their tree. All else of such a block follows from that
// and from the link before the run, and is made again when the chunk is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_source.h"
#include "eventstore/format.h"

namespace stele::eventstore {

inline constexpr uint32_t kRunMagic = 0x474C5453;  // "STLG"
inline constexpr size_t kRunHeaderBytes = 8 + sizeof(Hash);
inline constexpr size_t kGoneBlockBytes = 4 + sizeof(Hash);  // of each block of a run

class ChunkBody {
 public:
  // The block with these frames. REQUIRES: they have its hash; it follows the one before.
  void Add(const BlockHeader& header, std::string_view frames);
  // What it has by now, about.
  size_t size() const;
  // Ends a run. The bytes of all that was added; valid until Clear.
  const std::string& Finish();
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
  std::string block_;
  // The run that is being collected; no counts: none.
  Hash before_{};
  std::string counts_;
  std::string roots_;
};

// The blocks of a body, those of runs made again in `made`.
// REQUIRES: `body` and `made` stay where and as they are while the blocks are used.
Result<std::vector<StoredBlock>> ListBlocks(std::string_view body, ShardId shard, Position first,
                                            std::string* made);

}  // namespace stele::eventstore
