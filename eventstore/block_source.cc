#include "eventstore/block_source.h"

#include <fmt/format.h>

#include <optional>

#include "eventstore/tree_check.h"

namespace stele::eventstore {
namespace {

std::unexpected<Error> Missing(ShardId shard, Position position, const std::string& found) {
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected a block with position {} of shard {} but found {}.",
                          position.value, shard.value, found));
}

Status CheckLink(const BlockHeader& header, const LogTail& before) {
  if (header.previous == before.hash) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected the block at position {} of shard {} to follow the block with "
                          "hash {} but found a link to {}.",
                          header.first.value, header.shard.value, ToHex(before.hash),
                          ToHex(header.previous)));
}

// `tail` is an end of the log as it is now, `known` one that it once had.
Status CheckKnownEnd(ShardId shard, const LogTail& tail, const LogTail& known) {
  if (tail.next != known.next || tail.hash == known.hash) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected the block that ends before position {} of shard {} to have "
                          "hash {} but found {}.",
                          known.next.value, shard.value, ToHex(known.hash), ToHex(tail.hash)));
}

}  // namespace

Status OpenBlockAt(BlockSource& source, ShardId shard, Position position, BlockReader* reader) {
  auto block = source.Find(position);
  if (!block) return std::unexpected(std::move(block).error());
  if (!*block) return Missing(shard, position, "none at or before it");
  STELE_RETURN_IF_ERROR(reader->Open((*block)->bytes, shard, (*block)->first, (*block)->archived));
  const Position end = reader->header().first.Plus(reader->header().count);
  if (position >= end)
    return Missing(shard, position,
                   fmt::format("that the last one before it ends at {}", end.value - 1));
  return {};
}

Result<uint64_t> VerifyBlocks(BlockSource& source, ShardId shard, const LogTail& known) {
  auto report = InspectBlocks(source, shard, known);
  if (!report) return std::unexpected(std::move(report).error());
  return report->records;
}

Result<ChainReport> InspectBlocks(BlockSource& source, ShardId shard, const LogTail& known,
                                  const TreeRows* rows) {
  const Position end = source.End();
  ChainReport report;
  std::optional<TreeCheck> tree;
  BlockReader::EachNode each;
  if (rows != nullptr) {
    tree.emplace(*rows, shard);
    each = [&tree](const TreeNode& node, bool is_cut) { return tree->Add(node, is_cut); };
  }
  BlockReader reader;
  LogTail tail;
  bool known_end_seen = known.next == tail.next;
  Position after(0);
  while (tail.next < end) {
    auto block = source.After(after);
    if (!block) return std::unexpected(std::move(block).error());
    if (!*block) return Missing(shard, tail.next, "the end of the log");
    if ((*block)->first != tail.next)
      return Missing(shard, tail.next, fmt::format("one that begins at {}", (*block)->first.value));
    after = tail.next;
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, shard, tail.next, (*block)->archived));
    STELE_RETURN_IF_ERROR(CheckLink(reader.header(), tail));
    BlockReader::Summary summary;
    STELE_RETURN_IF_ERROR(reader.VerifyHash(&summary, each));
    report.cut += summary.cut;
    if ((*block)->archived) report.archived += reader.header().count;
    tail = {reader.next_position(), reader.header().hash};
    STELE_RETURN_IF_ERROR(CheckKnownEnd(shard, tail, known));
    known_end_seen |= tail.next == known.next;
  }
  if (!known_end_seen)
    return Missing(shard, Position(known.next.value - 1),
                   fmt::format("{} as the last position of a block",
                               tail.next < known.next ? tail.next.value - 1 : known.next.value));
  report.records = tail.next.value - 1;
  if (tree) {
    STELE_RETURN_IF_ERROR(tree->Finish());
    report.heads = tree->heads();
  }
  return report;
}

}  // namespace stele::eventstore
