#include "eventstore/tree_check.h"

#include <fmt/format.h>

#include <vector>

#include "eventstore/gone_nodes.h"
#include "eventstore/signed_head.h"

namespace stele::eventstore {
namespace {

constexpr size_t kHeadsAtOnce = 256;

}  // namespace

TreeCheck::TreeCheck(const TreeRows& rows, ShardId shard)
    : rows_(rows),
      shard_(shard),
      collector_(Position(1), [this](const TileCollector::Group& group, TreeTile& tile) {
        return CheckGroup(group, tile);
      }) {}

Status TreeCheck::Begin() {
  if (begun_) return {};
  begun_ = true;
  const auto groups = StoredGroups(rows_, shard_);
  if (!groups) return std::unexpected(groups.error());
  stored_groups_ = *groups;
  return ReadHeads(0);
}

Status TreeCheck::Add(const TreeNode& node, bool is_cut) {
  STELE_RETURN_IF_ERROR(Begin());
  return is_cut ? collector_.AddCut(node.records) : collector_.AddLeaf(node.hash);
}

Status TreeCheck::Finish() {
  STELE_RETURN_IF_ERROR(Begin());
  return collector_.Finish();
}

Status TreeCheck::CheckGroup(const TileCollector::Group& group, TreeTile& tile) {
  STELE_RETURN_IF_ERROR(RequireGone(rows_, shard_, group.number, &tile));
  tile.Complete();
  if (group.records == kGroupRecords && tile.Find(kTileLevels, 0) == nullptr)
    STELE_RETURN_IF_ERROR(TakeStored(group, &tile));
  STELE_RETURN_IF_ERROR(CheckHeads(group.number, tile, group.records));
  if (group.records < kGroupRecords) return {};
  std::vector<LogNode> stored;
  tile.AddTo(&frontier_, 0, group.number, group.records, &stored);
  if (group.number >= stored_groups_) return {};
  for (const LogNode& node : stored) STELE_RETURN_IF_ERROR(CheckStored(node));
  return {};
}

Status TreeCheck::TakeStored(const TileCollector::Group& group, TreeTile* tile) const {
  const uint64_t first = group.number * kGroupRecords + 1;
  if (group.number >= stored_groups_) {
    // A log from before there was a tree, which was only read since: nothing is compared with it.
    for (uint64_t number = 0; number < kGroupRecords; ++number)
      if (!tile->Covers(number)) tile->Set(0, number, LeafHash(Position(first + number), {}));
    tile->Complete();
    return {};
  }
  const auto stored = ReadNode(rows_, shard_, kTileLevels, group.number);
  if (!stored) return std::unexpected(stored.error());
  // Nothing is left of the group: its node says all.
  if (group.kept == 0 && *stored) {
    tile->Set(kTileLevels, 0, **stored);
    return {};
  }
  return Fail(
      ErrorCode::kStoreCorrupt,
      fmt::format("Expected the nodes above what was cut out of positions {} to {} of shard "
                  "{} among the rows of the log's tree but found none.",
                  first, first + kGroupRecords - 1, shard_.value));
}

Status TreeCheck::CheckStored(const LogNode& node) const {
  const auto stored = ReadNode(rows_, shard_, node.level, node.index);
  if (!stored) return std::unexpected(stored.error());
  if (*stored == node.hash) return {};
  return Fail(
      ErrorCode::kStoreCorrupt,
      fmt::format("Expected the hash {} over positions {} to {} of shard {} in the rows of "
                  "the log's tree but found {}.",
                  ToHex(node.hash), (node.index << node.level) + 1, (node.index + 1) << node.level,
                  shard_.value, *stored ? ToHex(**stored) : "none"));
}

Status TreeCheck::ReadHeads(uint64_t from) {
  if (!more_heads_ || !next_heads_.empty()) return {};
  more_heads_ = false;
  return ForEachHead(
      rows_, shard_, from, [&](uint64_t size, std::string_view note) -> Result<bool> {
        // Heads of several keys over as many records come together.
        more_heads_ = next_heads_.size() >= kHeadsAtOnce && next_heads_.back().size != size;
        if (more_heads_) return false;
        next_heads_.push_back({size, std::string(note)});
        return true;
      });
}

Status TreeCheck::CheckHeads(uint64_t group, const TreeTile& tile, uint64_t records) {
  const uint64_t begin = group * kGroupRecords;
  while (!next_heads_.empty() && next_heads_.front().size <= begin + records) {
    const Head given = std::move(next_heads_.front());
    next_heads_.pop_front();
    STELE_RETURN_IF_ERROR(ReadHeads(given.size + 1));
    const auto head = ParseHead(given.note);
    if (!head) return Fail(ErrorCode::kStoreCorrupt, head.error().message);
    LogFrontier tree = frontier_;
    const bool known = tile.AddTo(&tree, 0, group, given.size - begin);
    if (known && head->head.size == given.size && head->head.root == tree.Root()) {
      ++heads_;
      continue;
    }
    return Fail(
        ErrorCode::kStoreCorrupt,
        fmt::format("Expected the log of shard {} up to position {} to have the root {}, "
                    "which {} signed, but found {}: what is recorded there is not what it "
                    "was.",
                    shard_.value, given.size, ToHex(head->head.root), head->signatures.front().name,
                    known ? ToHex(tree.Root()) : "records cut out across that end"));
  }
  return {};
}

}  // namespace stele::eventstore
