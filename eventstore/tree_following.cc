#include "eventstore/tree_following.h"

#include <fmt/format.h>

#include <utility>

#include "eventstore/gone_nodes.h"
#include "eventstore/tree_reader.h"
#include "eventstore/tree_tile.h"

namespace stele::eventstore {
namespace {

constexpr size_t kRowsAtOnce = 4096;

class Follower {
 public:
  Follower(ShardId shard, const TreeAccess& access, LogFrontier frontier)
      : shard_(shard), access_(access), rows_(access.rows()), frontier_(std::move(frontier)) {}

  Status AddGroup(const TileCollector::Group& group, TreeTile& tile);
  Status Write();
  LogFrontier&& frontier() { return std::move(frontier_); }

 private:
  Status StandIn(const TileCollector::Group& group, TreeTile& tile);

  const ShardId shard_;
  const TreeAccess& access_;
  const std::unique_ptr<const TreeRows> rows_;
  LogFrontier frontier_;
  std::vector<KeyRow> added_;
};

Status Follower::AddGroup(const TileCollector::Group& group, TreeTile& tile) {
  STELE_RETURN_IF_ERROR(RequireGone(*rows_, shard_, group.number, &tile));
  tile.Complete();
  STELE_RETURN_IF_ERROR(StandIn(group, tile));
  std::vector<LogNode> stored;
  if (!tile.AddTo(&frontier_, 0, group.number, group.records, &stored))
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected nodes over the records that were cut out before position {} "
                            "of shard {} but found some that reach behind it.",
                            group.number * kGroupRecords + group.records + 1, shard_.value));
  for (const LogNode& node : stored) added_.push_back(NodeRow(shard_, node));
  return added_.size() < kRowsAtOnce ? Status() : Write();
}

Status Follower::StandIn(const TileCollector::Group& group, TreeTile& tile) {
  std::vector<CutLeaf> lost;
  for (uint64_t number = 0; number < group.records; ++number) {
    if (tile.Covers(number)) continue;
    const Position position(group.number * kGroupRecords + number + 1);
    lost.push_back({position, LeafHash(position, {})});
  }
  if (lost.empty()) return {};
  for (const CutLeaf& leaf : lost)
    tile.Set(0, (leaf.position.value - 1) % kGroupRecords, leaf.leaf);
  tile.Complete();
  auto gone = RowsOfGone(*rows_, shard_, lost, {});
  if (!gone) return std::unexpected(std::move(gone).error());
  for (KeyRow& row : *gone)
    if (!row.value.empty()) added_.push_back(std::move(row));
  return {};
}

Status Follower::Write() {
  if (added_.empty()) return {};
  STELE_RETURN_IF_ERROR(access_.write(added_));
  added_.clear();
  return {};
}

// The records behind the first `from`, each once.
Status CollectFrom(ShardId shard, uint64_t from, BlockSource& source, TileCollector* collector) {
  const uint64_t size = source.End().value - 1;
  BlockReader reader;
  RecordView record;
  Error error{};
  for (uint64_t next = from; next < size;) {
    STELE_RETURN_IF_ERROR(OpenBlockAt(source, shard, Position(next + 1), &reader));
    while (!reader.AtEnd()) {
      if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
      const uint64_t after = reader.next_position().value - 1;
      if (after <= next) continue;
      STELE_RETURN_IF_ERROR(reader.cut() > 0 ? collector->AddCut(after - next)
                                             : collector->AddLeaf(reader.Node().hash));
      next = after;
    }
  }
  return collector->Finish();
}

// The tree over the groups that are stored, then over what the archive has of the next one, then
// the records behind that.
Result<LogFrontier> FollowEdge(ShardId shard, TreeReader& tree, uint64_t done, const TreeEdge& edge,
                               BlockSource& source) {
  auto frontier = tree.Frontier(done);
  if (!frontier) return frontier;
  size_t number = 0;
  ForEachNodeOver(done, edge.size, [&](uint8_t level, uint64_t index) {
    frontier->Add({level, index, edge.nodes[number++]});
  });
  BlockReader reader;
  RecordView record;
  Error error{};
  for (uint64_t next = edge.size; next < tree.size();) {
    STELE_RETURN_IF_ERROR(OpenBlockAt(source, shard, Position(next + 1), &reader));
    while (!reader.AtEnd()) {
      if (!reader.Next(&record, &error)) return std::unexpected(std::move(error));
      if (reader.next_position().value - 1 <= next) continue;
      frontier->Add({0, next++, reader.Node().hash});
    }
  }
  return frontier;
}

}  // namespace

Result<LogFrontier> FollowTree(ShardId shard, const TreeAccess& access) {
  TreeReader tree(shard, access.source(), access.rows());
  const auto rows = access.rows();
  const auto groups = StoredGroups(*rows, shard);
  if (!groups) return std::unexpected(groups.error());
  const auto edge = ReadEdge(*rows, shard);
  if (!edge) return std::unexpected(edge.error());
  const uint64_t done = *groups * kGroupRecords;
  if (done > tree.size())
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected a tree over {} records of shard {} but found one over {} at "
                            "least.",
                            tree.size(), shard.value, done));
  const auto source = access.source();
  if (tree.size() - done < kGroupRecords) {
    const bool has_edge = *edge && (*edge)->size >= done && (*edge)->size <= tree.size();
    return has_edge ? FollowEdge(shard, tree, done, **edge, *source) : tree.Frontier(tree.size());
  }
  auto frontier = tree.Frontier(done);
  if (!frontier) return frontier;
  Follower follower(shard, access, *std::move(frontier));
  TileCollector collector(Position(done + 1),
                          [&](const TileCollector::Group& group, TreeTile& tile) {
                            return follower.AddGroup(group, tile);
                          });
  STELE_RETURN_IF_ERROR(CollectFrom(shard, done, *source, &collector));
  STELE_RETURN_IF_ERROR(follower.Write());
  return follower.frontier();
}

}  // namespace stele::eventstore
