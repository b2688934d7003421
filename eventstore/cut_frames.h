// Cutting records out of a block: what stays in their places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_reader.h"
#include "eventstore/gone_nodes.h"

namespace stele::eventstore {

// The frames of the block that `reader` has opened, without the instances' records: where they were
// stay the fewest nodes of the block's tree; the root alone when none is left. Returns how many
// were cut out now; `leaves`, if any, gets those. REQUIRES: the instances are sorted; nothing was
// read of the block yet.
Result<uint64_t> CutFrames(BlockReader& reader, const std::vector<InstanceId>& instances,
                           std::string* frames, std::vector<CutLeaf>* leaves = nullptr);

// The block with these frames, uncompressed. REQUIRES: they have its hash.
void MakePlainBlock(BlockHeader header, std::string_view frames, std::string* block);

}  // namespace stele::eventstore
