#include "eventstore/tree_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "eventstore/gone_nodes.h"

namespace stele::eventstore {
namespace {

constexpr size_t kTilesKept = 32;
constexpr int kAttempts = 3;

// The largest power of two below n. REQUIRES: n > 1.
uint64_t SplitOf(uint64_t n) {
  return std::bit_floor(n - 1);
}

}  // namespace

TreeReader::TreeReader(ShardId shard, std::unique_ptr<BlockSource> source,
                       std::unique_ptr<const TreeRows> rows)
    : shard_(shard),
      source_(std::move(source)),
      rows_(std::move(rows)),
      size_(source_->End().value - 1) {}

Status TreeReader::CheckWithin(uint64_t size) const {
  if (size <= size_) return {};
  return Fail(ErrorCode::kUnknownHead,
              fmt::format("Expected a size of at most {}, the records of shard {}, but found {}.",
                          size_, shard_.value, size));
}

Result<LogFrontier> TreeReader::Frontier(uint64_t size) {
  STELE_RETURN_IF_ERROR(CheckWithin(size));
  LogFrontier frontier;
  Status found;
  ForEachNodeOver(0, size, [&](uint8_t level, uint64_t index) {
    if (!found) return;
    auto hash = Node(level, index);
    if (hash)
      frontier.Add({level, index, *hash});
    else
      found = std::unexpected(std::move(hash).error());
  });
  if (!found) return std::unexpected(std::move(found).error());
  return frontier;
}

Result<TreeEdge> TreeReader::Edge(uint64_t size) {
  STELE_RETURN_IF_ERROR(CheckWithin(size));
  TreeEdge edge{size, {}};
  Status found;
  ForEachNodeOver(size / kGroupRecords * kGroupRecords, size, [&](uint8_t level, uint64_t index) {
    if (!found) return;
    auto hash = Node(level, index);
    if (hash)
      edge.nodes.push_back(*hash);
    else
      found = std::unexpected(std::move(hash).error());
  });
  if (!found) return std::unexpected(std::move(found).error());
  return edge;
}

Result<Hash> TreeReader::Root(uint64_t size) {
  const auto frontier = Frontier(size);
  if (!frontier) return std::unexpected(frontier.error());
  return frontier->Root();
}

Result<Hash> TreeReader::Subtree(uint64_t begin, uint64_t end) {
  const uint64_t records = end - begin;
  if (std::has_single_bit(records)) {
    const auto level = static_cast<uint8_t>(std::countr_zero(records));
    return Node(level, begin >> level);
  }
  const uint64_t middle = begin + SplitOf(records);
  const auto left = Subtree(begin, middle);
  if (!left) return left;
  const auto right = Subtree(middle, end);
  if (!right) return right;
  return NodeHash(*left, *right);
}

Result<std::vector<Hash>> TreeReader::InclusionPath(uint64_t index, uint64_t size) {
  STELE_RETURN_IF_ERROR(CheckWithin(size));
  CHECK(index < size, "record {} of {}", index, size);
  std::vector<Hash> path;
  // From the root down to the leaf; the path is the other way round.
  for (uint64_t begin = 0, end = size; end - begin > 1;) {
    const uint64_t middle = begin + SplitOf(end - begin);
    const auto beside = index < middle ? Subtree(middle, end) : Subtree(begin, middle);
    if (!beside) return std::unexpected(beside.error());
    path.push_back(*beside);
    (index < middle ? end : begin) = middle;
  }
  std::ranges::reverse(path);
  return path;
}

Result<std::vector<Hash>> TreeReader::ConsistencyPath(uint64_t from, uint64_t size) {
  STELE_RETURN_IF_ERROR(CheckWithin(size));
  CHECK(from > 0 && from <= size, "from {} to {}", from, size);
  std::vector<Hash> path;
  // SUBPROOF(m, D[n], b): `known` is b, whether the subtree is all that the older root is of.
  uint64_t begin = 0, end = size;
  bool known = true;
  while (from != end) {
    const uint64_t middle = begin + SplitOf(end - begin);
    const bool left = from <= middle;
    const auto beside = left ? Subtree(middle, end) : Subtree(begin, middle);
    if (!beside) return std::unexpected(beside.error());
    path.push_back(*beside);
    if (!left) known = false;
    (left ? end : begin) = middle;
  }
  if (!known) {
    const auto own = Subtree(begin, end);
    if (!own) return std::unexpected(own.error());
    path.push_back(*own);
  }
  std::ranges::reverse(path);
  return path;
}

Result<Hash> TreeReader::Node(uint8_t level, uint64_t index) {
  const auto height = static_cast<uint8_t>(level % kTileLevels);
  const Place place{static_cast<uint8_t>(level - height), index >> (kTileLevels - height)};
  const auto tile = Tile(place);
  if (!tile) return std::unexpected(tile.error());
  const uint64_t within = index & ((kGroupRecords >> height) - 1);
  if (const Hash* hash = (*tile)->Find(height, within)) return *hash;
  return Fail(ErrorCode::kUnsupported,
              fmt::format("Expected the hashes of positions {} to {} of shard {} in the log's tree "
                          "but found that the records were cut out by a build that kept none; "
                          "whatever opens the log to write gives it a tree.",
                          (index << level) + 1, (index + 1) << level, shard_.value));
}

Result<const TreeTile*> TreeReader::Tile(const Place& place) {
  const auto kept = std::ranges::find(tiles_, place, [](const auto& tile) { return tile.first; });
  if (kept != tiles_.end()) {
    tiles_.splice(tiles_.begin(), tiles_, kept);
    return &tiles_.front().second;
  }
  TreeTile tile;
  STELE_RETURN_IF_ERROR(place.base == 0 ? FillGroup(place.index, &tile) : FillStored(place, &tile));
  tile.Complete();
  if (tiles_.size() >= kTilesKept) tiles_.pop_back();
  tiles_.emplace_front(place, tile);
  return &tiles_.front().second;
}

Status TreeReader::ReadLeaves(uint64_t group, TreeTile* tile) {
  const uint64_t begin = group * kGroupRecords;
  const uint64_t end = std::min(size_, begin + kGroupRecords);
  RecordView record;
  Error error{};
  for (uint64_t next = begin; next < end;) {
    STELE_RETURN_IF_ERROR(OpenBlockAt(*source_, shard_, Position(next + 1), &reader_));
    while (!reader_.AtEnd() && next < end) {
      if (!reader_.Next(&record, &error)) return std::unexpected(std::move(error));
      const uint64_t after = reader_.next_position().value - 1;
      if (after <= next) continue;
      if (reader_.cut() == 0) tile->Set(0, next - begin, reader_.Node().hash);
      next = after;
    }
  }
  return {};
}

Status TreeReader::FillGroup(uint64_t group, TreeTile* tile) {
  // A record that is cut out meanwhile may be seen, and the node over it, too.
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    tile->Clear();
    STELE_RETURN_IF_ERROR(ReadLeaves(group, tile));
    const auto gone = ReadGone(*rows_, shard_, group);
    if (!gone) return std::unexpected(gone.error());
    if (gone->FillIn(tile)) return {};
  }
  tile->Clear();
  STELE_RETURN_IF_ERROR(ReadLeaves(group, tile));
  return RequireGone(*rows_, shard_, group, tile);
}

Status TreeReader::FillStored(const Place& place, TreeTile* tile) {
  const uint64_t first = place.index * kGroupRecords;
  const uint64_t count =
      std::min(kGroupRecords, (size_ >> place.base) - std::min(first, size_ >> place.base));
  STELE_RETURN_IF_ERROR(ForEachStoredNode(
      *rows_, shard_, place.base, first, count,
      [&](uint64_t index, const Hash& hash) { tile->Set(0, index - first, hash); }));
  for (uint64_t i = 0; i < count; ++i) {
    if (tile->Find(0, i) != nullptr) continue;
    // No row yet: of the two halves, down to what there is.
    const uint64_t index = first + i;
    const auto below = static_cast<uint8_t>(place.base - 1);
    const auto left = Node(below, 2 * index);
    if (!left) return std::unexpected(left.error());
    const auto right = Node(below, 2 * index + 1);
    if (!right) return std::unexpected(right.error());
    tile->Set(0, i, NodeHash(*left, *right));
  }
  return {};
}

Result<std::optional<std::string>> TreeReader::Frame(Position position) {
  STELE_RETURN_IF_ERROR(OpenBlockAt(*source_, shard_, position, &reader_));
  RecordView record;
  Error error{};
  while (!reader_.AtEnd()) {
    const bool here = reader_.next_position() == position;
    if (!reader_.Next(&record, &error)) return std::unexpected(std::move(error));
    if (here && reader_.cut() == 0) return std::string(reader_.frame());
    if (reader_.next_position() > position) break;
  }
  return std::nullopt;
}

Status TreeReader::ForEachHead(
    uint64_t from, const std::function<Result<bool>(uint64_t, std::string_view)>& visit) const {
  return eventstore::ForEachHead(*rows_, shard_, from, visit);
}

Result<std::vector<std::string>> TreeReader::HeadsFrom(uint64_t from, size_t limit) const {
  std::vector<std::string> heads;
  STELE_RETURN_IF_ERROR(ForEachHead(from, [&](uint64_t, std::string_view note) -> Result<bool> {
    heads.emplace_back(note);
    return heads.size() < limit;
  }));
  if (!heads.empty()) return heads;
  auto newest = NewestHead();
  if (!newest) return std::unexpected(std::move(newest).error());
  if (*newest) heads.push_back(**std::move(newest));
  return heads;
}

Result<std::optional<std::string>> TreeReader::NewestHead() const {
  const auto largest = LargestHead(*rows_, shard_);
  if (!largest) return std::unexpected(largest.error());
  const uint64_t end = std::min(*largest, size_);
  std::optional<std::string> newest;
  // Where larger ones were signed since this was made, the one before them lies further back.
  for (uint64_t back = 0;; back = 2 * back + 1) {
    const uint64_t from = end - std::min(end, back);
    STELE_RETURN_IF_ERROR(ForEachHead(from, [&](uint64_t size, std::string_view note) {
      const bool within = size <= size_;
      if (within) newest = note;
      return Result<bool>(within);
    }));
    if (newest || from == 0) return newest;
  }
}

}  // namespace stele::eventstore
