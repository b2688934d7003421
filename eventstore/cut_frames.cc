#include "eventstore/cut_frames.h"

#include <algorithm>

#include "eventstore/format.h"

namespace stele::eventstore {

Result<uint64_t> CutFrames(BlockReader& reader, const std::vector<InstanceId>& instances,
                           std::string* frames) {
  uint64_t cut = 0;
  RecordView view;
  Error error{};
  frames->clear();
  while (!reader.AtEnd()) {
    if (!reader.Next(&view, &error)) return std::unexpected(std::move(error));
    if (!reader.cut() && std::ranges::binary_search(instances, view.header.instance)) {
      AppendCutFrame(reader.Leaf(), frames);
      ++cut;
    } else {
      frames->append(reader.frame());
    }
  }
  return cut;
}

void MakePlainBlock(BlockHeader header, std::string_view frames, std::string* block) {
  header.flags = kCompressionNone;
  header.raw_bytes = header.stored_bytes = static_cast<uint32_t>(frames.size());
  block->assign(kBlockHeaderBytes, '\0');
  *block += frames;
  EncodeBlockHeader(header, block);
}

}  // namespace stele::eventstore
