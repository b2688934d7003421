#include "eventstore/shard_opening.h"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/block_reader.h"
#include "eventstore/index_builder.h"

namespace stele::eventstore {

Status CheckEnd(const ShardLog& shard, const LogTail& tail, const StateDb& state) {
  auto indexed = state.IndexedTo(shard.id());
  if (!indexed) return std::unexpected(std::move(indexed).error());
  auto checkpoint = state.ReadCheckpoint(shard.id());
  if (!checkpoint) return std::unexpected(std::move(checkpoint).error());
  // Damage at the very end of the write-ahead file looks like a torn last entry. The checkpoint of
  // a clean end is kept apart, and knows better.
  const Position expected =
      std::max({shard.known_tail.next, *indexed, checkpoint->position.Next()});
  if (tail.next < expected)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected the log of shard {} to reach position {} but found that it "
                            "ends at {}.",
                            shard.id().value, expected.value - 1, tail.next.value - 1));
  if (tail.next == shard.known_tail.next && tail.hash != shard.known_tail.hash)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected the block that ends at position {} of shard {} to have hash "
                            "{} but found {}.",
                            tail.next.value - 1, shard.id().value, ToHex(shard.known_tail.hash),
                            ToHex(tail.hash)));
  return {};
}

Status CatchUpIndex(ShardLog& shard, BlockSource& source, StateDb& state, size_t chunk_records) {
  const auto indexed = state.IndexedTo(shard.id());
  const Position end = shard.tail().next;
  if (!indexed) return std::unexpected(indexed.error());
  if (*indexed >= end) return {};
  BlockReader reader;
  std::vector<InstanceSeq> records;
  STELE_RETURN_IF_ERROR(OpenBlockAt(source, shard.id(), *indexed, &reader));
  for (;;) {
    records.clear();
    RecordView view;
    Error error{};
    while (!reader.AtEnd()) {
      if (!reader.Next(&view, &error)) return std::unexpected(error);
      if (!reader.cut()) records.push_back({view.header.instance, view.header.first_seq});
    }
    const Position first = reader.header().first, next = reader.next_position();
    if (shard.index().Add(first, next, records) >= kRunsToTidy) shard.index().Tidy();
    STELE_RETURN_IF_ERROR(IndexBuilder::BuildIfDue(shard, state, chunk_records));
    if (next >= end) return {};
    STELE_RETURN_IF_ERROR(OpenBlockAt(source, shard.id(), next, &reader));
  }
}

}  // namespace stele::eventstore
