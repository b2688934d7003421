// Answers out of a shard's tree (log_tree.h): roots, and the proofs of RFC 9162, 2.1.3 and 2.1.4.
// What is stored is taken from its rows, what is below that from the records. Where a log has no
// rows yet, because it was written by a build from before there were any and was only read since,
// all is computed.
//
// Keeps some parts of the tree, 16 KiB each, for who asks for neighbours. Used by one thread at a
// time.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/block_source.h"
#include "eventstore/tree_rows.h"
#include "eventstore/tree_tile.h"

namespace stele::eventstore {

class TreeReader {
 public:
  // REQUIRES: the rows outlive it.
  TreeReader(ShardId shard, std::unique_ptr<BlockSource> source,
             std::unique_ptr<const TreeRows> rows);

  ShardId shard() const { return shard_; }
  // The records that were durable when this was made. What is asked for is within them.
  uint64_t size() const { return size_; }

  Result<Hash> Root(uint64_t size);
  Result<LogFrontier> Frontier(uint64_t size);
  // Over the begin of the last group.
  Result<TreeEdge> Edge(uint64_t size);
  // The hashes beside the way from the record's leaf to the root. REQUIRES: index < size.
  Result<std::vector<Hash>> InclusionPath(uint64_t index, uint64_t size);
  // REQUIRES: 0 < from <= size.
  Result<std::vector<Hash>> ConsistencyPath(uint64_t from, uint64_t size);

  // The record as the tree has it, its payloads sealed if they are; nothing when it was cut out.
  Result<std::optional<std::string>> Frame(Position position);

  // The notes of signed heads over at least `from` records, the smallest first.
  Status ForEachHead(
      uint64_t from,
      const std::function<Result<bool>(uint64_t size, std::string_view note)>& visit) const;
  // The same, at most so many; beyond the last of them the newest alone.
  Result<std::vector<std::string>> HeadsFrom(uint64_t from, size_t limit) const;
  // The largest over size() records at most; nothing when there is none.
  Result<std::optional<std::string>> NewestHead() const;

 private:
  struct Place {
    uint8_t base;    // the level of the tile's leaves
    uint64_t index;  // of the tile
    bool operator==(const Place&) const = default;
  };

  Result<Hash> Node(uint8_t level, uint64_t index);
  // Over [begin, end) as ForEachNodeOver has it.
  Result<Hash> Subtree(uint64_t begin, uint64_t end);
  Result<const TreeTile*> Tile(const Place& place);
  Status ReadLeaves(uint64_t group, TreeTile* tile);
  Status FillGroup(uint64_t group, TreeTile* tile);
  Status FillStored(const Place& place, TreeTile* tile);
  Status CheckWithin(uint64_t size) const;

  const ShardId shard_;
  const std::unique_ptr<BlockSource> source_;
  const std::unique_ptr<const TreeRows> rows_;
  const uint64_t size_;
  BlockReader reader_;
  std::list<std::pair<Place, TreeTile>> tiles_;  // the one that was asked for last in front
};

}  // namespace stele::eventstore
