#include "eventstore/gone_nodes.h"

#include <fmt/format.h>

#include <cstring>

#include "eventstore/record_tree.h"

namespace stele::eventstore {
namespace {

constexpr char kRowVersion = 1;
constexpr size_t kNodeBytes = 1 + 1 + sizeof(Hash);  // level, number of the first record, hash

// The sizes of signed heads within the group.
Status AddHeads(const TreeRows& rows, ShardId shard, uint64_t group, KeptSizes* sizes) {
  const uint64_t begin = group * kGroupRecords;
  return ForEachHead(rows, shard, begin, [&](uint64_t size, std::string_view) -> Result<bool> {
    if (size >= begin + kGroupRecords) return false;
    sizes->insert(size);
    return true;
  });
}

}  // namespace

Result<GoneNodes> GoneNodes::Decode(ShardId shard, uint64_t group, std::string_view row) {
  GoneNodes gone(group);
  bool good = !row.empty() && row[0] == kRowVersion && row.size() % kNodeBytes == 1;
  for (size_t at = 1; good && at < row.size(); at += kNodeBytes) {
    const auto level = static_cast<uint8_t>(row[at]);
    const auto number = static_cast<uint8_t>(row[at + 1]);
    good = level <= kTileLevels && number % (1u << level) == 0;
    Node node{level, {}};
    std::memcpy(node.hash.data(), row.data() + at + 2, sizeof(Hash));
    gone.nodes_[number] = node;
  }
  if (good) return gone;
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected nodes over records that were cut out of positions {} to {} of "
                          "shard {} in a known form but found other bytes.",
                          group * kGroupRecords + 1, (group + 1) * kGroupRecords, shard.value));
}

void GoneNodes::Add(uint8_t number, const Hash& leaf, const KeptSizes& sizes) {
  uint64_t at = number;
  Node node{0, leaf};
  for (; node.level < kTileLevels; ++node.level) {
    const uint64_t half = uint64_t{1} << node.level;
    const uint64_t left = at & ~half, right = at | half;
    const auto other = nodes_.find(at == left ? right : left);
    if (other == nodes_.end() || other->second.level != node.level) break;
    if (sizes.contains(group_ * kGroupRecords + right)) break;
    node.hash = at == left ? NodeHash(node.hash, other->second.hash)
                           : NodeHash(other->second.hash, node.hash);
    nodes_.erase(other);
    at = left;
  }
  nodes_[at] = node;
}

std::string GoneNodes::Encode() const {
  std::string row(1, kRowVersion);
  for (const auto& [number, node] : nodes_) {
    row += static_cast<char>(node.level);
    row += static_cast<char>(number);
    row.append(reinterpret_cast<const char*>(node.hash.data()), node.hash.size());
  }
  return row;
}

bool GoneNodes::FillIn(TreeTile* tile) const {
  for (const auto& [number, node] : nodes_) {
    for (uint64_t leaf = number; leaf < number + (1u << node.level); ++leaf)
      if (tile->Find(0, leaf) != nullptr) return false;
    tile->Set(node.level, number >> node.level, node.hash);
  }
  return true;
}

void GoneNodes::Truncate(uint64_t records) {
  nodes_.erase(nodes_.lower_bound(records), nodes_.end());
}

Result<GoneNodes> ReadGone(const TreeRows& rows, ShardId shard, uint64_t group) {
  const auto row = rows.Read(GoneRowName(shard, group));
  if (!row) return std::unexpected(row.error());
  return *row ? GoneNodes::Decode(shard, group, **row) : GoneNodes(group);
}

Status RequireGone(const TreeRows& rows, ShardId shard, uint64_t group, TreeTile* tile) {
  const auto gone = ReadGone(rows, shard, group);
  if (!gone) return std::unexpected(gone.error());
  if (gone->FillIn(tile)) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected nodes over records that were cut out alone among positions {} "
                          "to {} of shard {} but found one over a record that is there.",
                          group * kGroupRecords + 1, (group + 1) * kGroupRecords, shard.value));
}

Result<std::vector<KeyRow>> RowsOfGone(const TreeRows& rows, ShardId shard,
                                       std::span<const CutLeaf> leaves, const KeptSizes& sizes) {
  std::vector<KeyRow> changed;
  for (size_t at = 0; at < leaves.size();) {
    const uint64_t group = (leaves[at].position.value - 1) / kGroupRecords;
    auto gone = ReadGone(rows, shard, group);
    if (!gone) return std::unexpected(std::move(gone).error());
    KeptSizes kept = sizes;
    STELE_RETURN_IF_ERROR(AddHeads(rows, shard, group, &kept));
    for (; at < leaves.size(); ++at) {
      const uint64_t index = leaves[at].position.value - 1;
      if (index / kGroupRecords != group) break;
      gone->Add(static_cast<uint8_t>(index % kGroupRecords), leaves[at].leaf, kept);
    }
    changed.push_back({GoneRowName(shard, group), gone->AreOne() ? "" : gone->Encode()});
  }
  return changed;
}

}  // namespace stele::eventstore
