// What is stored of a shard's tree (log_tree.h): rows in the log's family `meta`, written with the
// blocks that they follow from (docs/log-format.md, "The tree over all records").
//
//   node, shard, level, index     a node of a stored level: 32 bytes
//   gone, shard, group            nodes over records that were cut out of a group (gone_nodes.h)
//   edge, shard                   where the archive ends: the nodes over its last group, as far as
//   it
//                                 goes, so that a log is opened without its archive
//   head, shard, size, key        a signed head: the text of its note (signed_head.h)
//
// Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/log_tree.h"
#include "eventstore/sealed_block.h"

namespace stele::eventstore {

// The rows of a log, of all its shards.
class TreeRows {
 public:
  // False: that is enough.
  using Visit = std::function<Result<bool>(std::string_view name, std::string_view value)>;

  virtual ~TreeRows() = default;
  virtual Result<std::optional<std::string>> Read(std::string_view name) const = 0;
  // Those whose name begins with `prefix` and is not before `from`, in order.
  virtual Status ForEach(std::string_view prefix, std::string_view from,
                         const Visit& visit) const = 0;
  // The last one whose name begins with `prefix`; nothing when there is none.
  virtual Result<std::optional<KeyRow>> Last(std::string_view prefix) const = 0;
};

// Rows in memory. REQUIRES: the map is changed under the mutex alone, if one is given.
class MapRows final : public TreeRows {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;
  explicit MapRows(const Map& rows, std::mutex* mutex = nullptr) : rows_(rows), mutex_(mutex) {}
  Result<std::optional<std::string>> Read(std::string_view name) const override;
  Status ForEach(std::string_view prefix, std::string_view from, const Visit& visit) const override;
  Result<std::optional<KeyRow>> Last(std::string_view prefix) const override;

 private:
  Map Copy(std::string_view prefix, std::string_view from) const;

  const Map& rows_;
  std::mutex* const mutex_;
};

KeyRow NodeRow(ShardId shard, const LogNode& node);
Result<std::optional<Hash>> ReadNode(const TreeRows& rows, ShardId shard, uint8_t level,
                                     uint64_t index);
// Those of indexes [from, from + count) that there are. `visit(index, hash)`.
Status ForEachStoredNode(const TreeRows& rows, ShardId shard, uint8_t level, uint64_t from,
                         uint64_t count,
                         const std::function<void(uint64_t index, const Hash& hash)>& visit);
// How many groups of records have their node stored; they are the first ones.
Result<uint64_t> StoredGroups(const TreeRows& rows, ShardId shard);

std::string GoneRowName(ShardId shard, uint64_t group);

// The first `size` records; of their last group the fewest nodes over its begin, the largest first.
struct TreeEdge {
  uint64_t size = 0;
  std::vector<Hash> nodes;
};
KeyRow EdgeRow(ShardId shard, const TreeEdge& edge);
Result<std::optional<TreeEdge>> ReadEdge(const TreeRows& rows, ShardId shard);

std::string HeadRowName(ShardId shard, uint64_t size, uint32_t key_id);
// Of heads over at least `from` records, the smallest first: visit(size, note).
Status ForEachHead(const TreeRows& rows, ShardId shard, uint64_t from,
                   const std::function<Result<bool>(uint64_t size, std::string_view note)>& visit);
// The size of the largest head; 0: there is none.
Result<uint64_t> LargestHead(const TreeRows& rows, ShardId shard);

// All rows of the shard that say something of the first `size` records alone.
Status ForEachRowWithin(const TreeRows& rows, ShardId shard, uint64_t size,
                        const std::function<Status(const KeyRow&)>& visit);

}  // namespace stele::eventstore
