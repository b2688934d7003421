#include "eventstore/log_cut.h"

#include <fmt/format.h>

#include "eventstore/block_reader.h"
#include "eventstore/block_sealer.h"
#include "eventstore/block_source.h"

namespace stele::eventstore {
namespace {

// The records of the block up to `last`, sealed anew. REQUIRES: the reader has just opened it.
Status SealAnew(BlockReader& reader, ShardId shard, const LogTail& before, Position last, LogDb* to,
                LogTail* after) {
  Batch batch;
  RecordView record;
  Error error{};
  while (reader.next_position() <= last) {
    if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
    batch.AddFrame(reader.frame());
  }
  SealedBlock sealed;
  BlockSealer sealer;
  STELE_RETURN_IF_ERROR(sealer.Seal(shard, before, batch, &sealed));
  STELE_RETURN_IF_ERROR(to->ImportBlock(shard, sealed.before.next, sealed.value));
  *after = sealed.after;
  return {};
}

Status CopyShard(const LogDb& from, const LogCut& cut, LogDb* to) {
  const auto source =
      from.Source(cut.shard, [&cut] { return cut.last.Next(); }, /*sequential=*/true);
  BlockReader reader;
  LogTail tail;
  while (tail.next <= cut.last) {
    auto block = source->After(Position(tail.next.value - 1));
    if (!block) return std::unexpected(std::move(block).error());
    if (!*block || (*block)->first != tail.next)
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a block that begins at position {} of shard {} but found "
                              "none.",
                              tail.next.value, cut.shard.value));
    STELE_RETURN_IF_ERROR(reader.Open((*block)->bytes, cut.shard, tail.next));
    const BlockHeader& header = reader.header();
    if (header.first.Plus(header.count) > cut.last.Next()) {
      STELE_RETURN_IF_ERROR(SealAnew(reader, cut.shard, tail, cut.last, to, &tail));
      break;
    }
    STELE_RETURN_IF_ERROR(to->ImportBlock(cut.shard, tail.next, (*block)->bytes));
    tail = {header.first.Plus(header.count), header.hash};
  }
  STELE_RETURN_IF_ERROR(to->Flush());
  return to->WriteKnownTail(cut.shard, tail);
}

}  // namespace

Status CopyLogUpTo(const LogDb& from, const std::vector<LogCut>& cuts, LogDb* to) {
  for (const LogCut& cut : cuts) STELE_RETURN_IF_ERROR(CopyShard(from, cut, to));
  return {};
}

}  // namespace stele::eventstore
