// The store in memory: verifying, archiving and cutting.
#include <fmt/format.h>

#include <algorithm>

#include "eventstore/block_source.h"
#include "eventstore/cut_frames.h"
#include "eventstore/memory_store.h"

namespace stele::eventstore {

Result<ChainReport> MemoryStore::InspectChain(ShardId shard) const {
  LogTail known;
  {
    std::lock_guard lock(mutex_);
    const auto tail = state_.known_tails.find(shard);
    if (tail != state_.known_tails.end()) known = tail->second;
  }
  const MapRows rows(rows_, &mutex_);
  return InspectBlocks(*MakeSource(shard), shard, known, &rows);
}

Result<ArchiveReport> MemoryStore::Archive(ShardId shard, Position to, const std::stop_token&) {
  to = std::min(to, Tail(shard).next);
  std::lock_guard lock(mutex_);
  Position& end = archived_[shard];
  const Position before = std::max(end, Position(1));
  // The block that holds `to` stays, unless it begins there.
  const Blocks& blocks = blocks_[shard];
  auto block = blocks.upper_bound(to);
  if (to < Tail(shard).next && block != blocks.begin()) to = std::prev(block)->first;
  end = std::max(before, to);
  ArchiveReport report;
  report.end = end;
  report.records = end.value - before.value;
  return report;
}

Position MemoryStore::ArchivedTo(ShardId shard) const {
  std::lock_guard lock(mutex_);
  const auto end = archived_.find(shard);
  return end == archived_.end() ? Position(1) : end->second;
}

Status MemoryStore::CheckMayBeCut(ShardId shard, InstanceId instance) const {
  if (instance == InstanceId() || state_.open.contains({shard, instance}))
    return stele::Fail(
        ErrorCode::kWrongState,
        fmt::format("Expected an instance that has ended but found {}.", instance.value));
  std::vector<InstanceBlock> blocks;
  shards_.Get(shard).index().Find(instance, Seq(), &blocks);
  if (blocks.empty())
    return stele::Fail(ErrorCode::kUnknownInstance,
                       fmt::format("Expected an instance of shard {} but found none with number "
                                   "{}.",
                                   shard.value, instance.value));
  const auto end = archived_.find(shard);
  for (const InstanceBlock& block : blocks)
    if (end == archived_.end() || block.block >= end->second)
      return stele::Fail(ErrorCode::kStoreWrongPosition,
                         fmt::format("Expected all records of instance {} of shard {} to be "
                                     "archived but found some in the block at {}.",
                                     instance.value, shard.value, block.block.value));
  return {};
}

Result<uint64_t> MemoryStore::CutBlocks(Blocks& blocks, ShardId shard, const Erasure& erasure,
                                        std::vector<CutLeaf>* leaves) {
  uint64_t cut = 0;
  BlockReader reader;
  std::string frames;
  for (auto& [first, bytes] : blocks) {
    if (first >= archived_[shard]) break;
    STELE_RETURN_IF_ERROR(reader.Open(*bytes, shard, first, true));
    auto records = CutFrames(reader, erasure.instances, &frames, leaves);
    if (!records) return records;
    if (*records == 0) continue;
    cut += *records;
    std::string block;
    MakePlainBlock(reader.header(), frames, &block);
    bytes = std::make_shared<const std::string>(std::move(block));
  }
  return cut;
}

Result<InstanceId> MemoryStore::LastCutInstance(ShardId shard) const {
  std::lock_guard lock(mutex_);
  InstanceId last;
  for (const auto& [of, instance] : cut_)
    if (of == shard) last = std::max(last, instance);
  return last;
}

Result<CutReport> MemoryStore::Cut(ShardId shard, const Erasure& erasure, const std::stop_token&) {
  std::lock_guard lock(mutex_);
  Erasure todo{{}, erasure.notes};
  for (InstanceId instance : erasure.instances) {
    if (cut_.contains({shard, instance})) continue;
    STELE_RETURN_IF_ERROR(CheckMayBeCut(shard, instance));
    todo.instances.push_back(instance);
  }
  std::ranges::sort(todo.instances);
  todo.instances.erase(std::ranges::unique(todo.instances).begin(), todo.instances.end());
  CutReport report;
  report.instances = todo.instances.size();
  std::vector<CutLeaf> leaves;
  auto records = CutBlocks(blocks_[shard], shard, todo, &leaves);
  if (!records) return std::unexpected(std::move(records).error());
  report.records = *records;
  if (auto on_disk = CutBlocks(disk_[shard], shard, todo, nullptr); !on_disk)
    return std::unexpected(std::move(on_disk).error());
  const auto rows = RowsOfGone(MapRows(rows_), shard, leaves, {});
  if (!rows) return std::unexpected(rows.error());
  StoreRows(*rows, true, true);
  const auto forget = [shard, todo](State& state) {
    for (InstanceId instance : todo.instances) state.snapshots.erase({shard, instance});
    for (const std::string& note : todo.notes) state.notes[shard].erase(note);
  };
  forget(state_);
  forget(flushed_);
  unflushed_.push_back(forget);
  for (InstanceId instance : todo.instances) cut_.insert({shard, instance});
  return report;
}

}  // namespace stele::eventstore
