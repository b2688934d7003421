#include "eventstore/archive_draft.h"

#include <fmt/format.h>

namespace stele::eventstore {
namespace {

// Every block of the segment, opened, in order.
Status ForEachBlock(const std::string& path, const SegmentHeader& header,
                    const std::function<Status(BlockReader&)>& visit) {
  auto segment = SegmentReader::Open(path, header, /*sequential=*/true);
  if (!segment) return std::unexpected(std::move(segment).error());
  BlockReader reader;
  Position after(header.first.value - 1);
  for (;;) {
    auto block = (*segment)->After(after);
    if (!block) return std::unexpected(std::move(block).error());
    if (!*block) return {};
    after = (*block)->first;
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, header.shard, after, true));
    STELE_RETURN_IF_ERROR(visit(reader));
  }
}

}  // namespace

Status CheckFollows(const BlockHeader& header, const LogTail& end) {
  if (header.first == end.next && header.previous == end.hash) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected a block that begins at position {} of shard {} and follows the "
                          "block with hash {} but found one that begins at {} and follows {}.",
                          end.next.value, header.shard.value, ToHex(end.hash), header.first.value,
                          ToHex(header.previous)));
}

Status ArchiveStore::Draft::Add(BlockReader& reader) {
  BlockReader::Summary summary;
  STELE_RETURN_IF_ERROR(reader.VerifyHash(&summary));
  return AddCut(reader.header(), reader.frames(), summary, 0);
}

Status ArchiveStore::Draft::AddCut(const BlockHeader& header, std::string_view frames,
                                   const BlockReader::Summary& summary, uint64_t cut) {
  STELE_RETURN_IF_ERROR(CheckFollows(header, end));
  STELE_RETURN_IF_ERROR(
      writer->Add({header, frames, summary.cut + cut, summary.earliest, summary.latest}));
  end = {header.first.Plus(header.count), header.hash};
  return {};
}

Status ArchiveStore::Draft::AddAll(const std::string& path, const SegmentHeader& header) {
  writer->CoverTimes(header.earliest, header.latest);
  return ForEachBlock(path, header, [this](BlockReader& reader) { return Add(reader); });
}

Status CheckSegment(const std::string& path, const SegmentHeader& header) {
  LogTail end{header.first, header.previous};
  uint64_t cut = 0;
  STELE_RETURN_IF_ERROR(ForEachBlock(path, header, [&](BlockReader& reader) -> Status {
    STELE_RETURN_IF_ERROR(CheckFollows(reader.header(), end));
    BlockReader::Summary summary;
    STELE_RETURN_IF_ERROR(reader.VerifyHash(&summary));
    end = {reader.next_position(), reader.header().hash};
    cut += summary.cut;
    return {};
  }));
  if (end == LogTail{header.last.Next(), header.hash} && cut == header.cut) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected the archive segment {} to end at position {} of shard {} with "
                          "hash {} and {} records cut out but found position {}, hash {} and {}.",
                          path, header.last.value, header.shard.value, ToHex(header.hash),
                          header.cut, end.next.value - 1, ToHex(end.hash), cut));
}

}  // namespace stele::eventstore
