#include "eventstore/tree_rows.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kNodePrefix = "node";  // shard, level (1), index
constexpr std::string_view kGonePrefix = "gone";  // shard, group
constexpr std::string_view kEdgePrefix = "edge";  // shard
constexpr std::string_view kHeadPrefix = "head";  // shard, size, key id (4)
constexpr uint8_t kHighestLevel = 56;

template <class... Numbers>
std::string Name(std::string_view prefix, ShardId shard, Numbers... numbers) {
  std::string name(prefix);
  const auto append = [&name](auto number) {
    char bytes[sizeof number];
    StoreBig(number, bytes);
    name.append(bytes, sizeof bytes);
  };
  append(shard.value);
  (append(numbers), ...);
  return name;
}

std::unexpected<Error> BadRow(ShardId shard, std::string_view what) {
  return Fail(
      ErrorCode::kStoreCorrupt,
      fmt::format("Expected {} of the tree of shard {} in a known form among the log's rows "
                  "but found other bytes.",
                  what, shard.value));
}

Result<Hash> DecodeNode(ShardId shard, std::string_view value) {
  Hash hash;
  if (value.size() != hash.size()) return BadRow(shard, "a node");
  std::memcpy(hash.data(), value.data(), hash.size());
  return hash;
}

}  // namespace

MapRows::Map MapRows::Copy(std::string_view prefix, std::string_view from) const {
  std::unique_lock<std::mutex> lock;
  if (mutex_ != nullptr) lock = std::unique_lock(*mutex_);
  Map copy;
  for (auto row = rows_.lower_bound(std::max(prefix, from));
       row != rows_.end() && row->first.starts_with(prefix); ++row)
    copy.insert(*row);
  return copy;
}

Result<std::optional<std::string>> MapRows::Read(std::string_view name) const {
  std::unique_lock<std::mutex> lock;
  if (mutex_ != nullptr) lock = std::unique_lock(*mutex_);
  const auto row = rows_.find(name);
  if (row == rows_.end()) return std::nullopt;
  return row->second;
}

Status MapRows::ForEach(std::string_view prefix, std::string_view from, const Visit& visit) const {
  for (const auto& [name, value] : Copy(prefix, from)) {
    const auto more = visit(name, value);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  return {};
}

Result<std::optional<KeyRow>> MapRows::Last(std::string_view prefix) const {
  const Map rows = Copy(prefix, prefix);
  if (rows.empty()) return std::nullopt;
  return KeyRow{rows.rbegin()->first, rows.rbegin()->second};
}

KeyRow NodeRow(ShardId shard, const LogNode& node) {
  return {Name(kNodePrefix, shard, node.level, node.index),
          std::string(reinterpret_cast<const char*>(node.hash.data()), node.hash.size())};
}

Result<std::optional<Hash>> ReadNode(const TreeRows& rows, ShardId shard, uint8_t level,
                                     uint64_t index) {
  auto row = rows.Read(Name(kNodePrefix, shard, level, index));
  if (!row) return std::unexpected(std::move(row).error());
  if (!*row) return std::nullopt;
  auto hash = DecodeNode(shard, **row);
  if (!hash) return std::unexpected(std::move(hash).error());
  return *hash;
}

Status ForEachStoredNode(const TreeRows& rows, ShardId shard, uint8_t level, uint64_t from,
                         uint64_t count, const std::function<void(uint64_t, const Hash&)>& visit) {
  const std::string prefix = Name(kNodePrefix, shard, level);
  return rows.ForEach(prefix, Name(kNodePrefix, shard, level, from),
                      [&](std::string_view name, std::string_view value) -> Result<bool> {
                        if (name.size() != prefix.size() + 8) return BadRow(shard, "a node");
                        const auto index = LoadBig<uint64_t>(name.data() + prefix.size());
                        if (index - from >= count) return false;
                        const auto hash = DecodeNode(shard, value);
                        if (!hash) return std::unexpected(hash.error());
                        visit(index, *hash);
                        return true;
                      });
}

Result<uint64_t> StoredGroups(const TreeRows& rows, ShardId shard) {
  const std::string prefix = Name(kNodePrefix, shard, kTileLevels);
  const auto last = rows.Last(prefix);
  if (!last) return std::unexpected(last.error());
  if (!*last) return 0;
  if ((*last)->name.size() != prefix.size() + 8) return BadRow(shard, "a node");
  return LoadBig<uint64_t>((*last)->name.data() + prefix.size()) + 1;
}

std::string GoneRowName(ShardId shard, uint64_t group) {
  return Name(kGonePrefix, shard, group);
}

KeyRow EdgeRow(ShardId shard, const TreeEdge& edge) {
  std::string value(8, '\0');
  StoreLittle(edge.size, value.data());
  for (const Hash& node : edge.nodes)
    value.append(reinterpret_cast<const char*>(node.data()), node.size());
  return {Name(kEdgePrefix, shard), std::move(value)};
}

Result<std::optional<TreeEdge>> ReadEdge(const TreeRows& rows, ShardId shard) {
  const auto row = rows.Read(Name(kEdgePrefix, shard));
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  const std::string& value = **row;
  TreeEdge edge;
  if (value.size() < 8 || (value.size() - 8) % sizeof(Hash) != 0) return BadRow(shard, "the edge");
  edge.size = LoadLittle<uint64_t>(value.data());
  for (size_t at = 8; at < value.size(); at += sizeof(Hash))
    edge.nodes.push_back(*DecodeNode(shard, std::string_view(value).substr(at, sizeof(Hash))));
  if (edge.nodes.size() != static_cast<size_t>(std::popcount(edge.size % kGroupRecords)))
    return BadRow(shard, "the edge");
  return edge;
}

std::string HeadRowName(ShardId shard, uint64_t size, uint32_t key_id) {
  return Name(kHeadPrefix, shard, size, key_id);
}

Status ForEachHead(const TreeRows& rows, ShardId shard, uint64_t from,
                   const std::function<Result<bool>(uint64_t, std::string_view)>& visit) {
  const std::string prefix = Name(kHeadPrefix, shard);
  return rows.ForEach(prefix, Name(kHeadPrefix, shard, from),
                      [&](std::string_view name, std::string_view note) -> Result<bool> {
                        if (name.size() != prefix.size() + 12) return BadRow(shard, "a head");
                        return visit(LoadBig<uint64_t>(name.data() + prefix.size()), note);
                      });
}

Result<uint64_t> LargestHead(const TreeRows& rows, ShardId shard) {
  const std::string prefix = Name(kHeadPrefix, shard);
  const auto last = rows.Last(prefix);
  if (!last) return std::unexpected(last.error());
  if (!*last) return 0;
  if ((*last)->name.size() != prefix.size() + 12) return BadRow(shard, "a head");
  return LoadBig<uint64_t>((*last)->name.data() + prefix.size());
}

Status ForEachRowWithin(const TreeRows& rows, ShardId shard, uint64_t size,
                        const std::function<Status(const KeyRow&)>& visit) {
  // `units`: how many of those that the number in the name counts lie within.
  const auto up_to = [&](const std::string& prefix, uint64_t units) {
    return rows.ForEach(prefix, prefix,
                        [&](std::string_view name, std::string_view value) -> Result<bool> {
                          if (name.size() < prefix.size() + 8) return BadRow(shard, "a row");
                          if (LoadBig<uint64_t>(name.data() + prefix.size()) >= units) return false;
                          const Status done = visit({std::string(name), std::string(value)});
                          if (!done) return std::unexpected(done.error());
                          return true;
                        });
  };
  STELE_RETURN_IF_ERROR(up_to(Name(kGonePrefix, shard), size / kGroupRecords));
  STELE_RETURN_IF_ERROR(up_to(Name(kHeadPrefix, shard), size + 1));
  for (uint8_t level = kTileLevels; level <= kHighestLevel && size >> level != 0;
       level += kTileLevels)
    STELE_RETURN_IF_ERROR(up_to(Name(kNodePrefix, shard, level), size >> level));
  return {};
}

}  // namespace stele::eventstore
