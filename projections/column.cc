#include "projections/column.h"

#include <fmt/format.h>

#include "projections/keys.h"
#include "projections/number_set.h"

namespace stele::projections {

namespace {

// Small for what is near zero, whatever its sign.
uint64_t Folded(uint64_t difference) {
  return difference << 1 ^ (difference >> 63 != 0 ? ~uint64_t{0} : 0);
}
uint64_t Unfolded(uint64_t folded) {
  return folded >> 1 ^ ((folded & 1) != 0 ? ~uint64_t{0} : 0);
}

std::unexpected<Error> Damaged(std::string_view what, size_t bytes) {
  return Fail(
      ErrorCode::kStoreCorrupt,
      fmt::format("Expected {} but found {} bytes that are none; rebuild the view", what, bytes));
}

}  // namespace

std::string ColumnKey(uint8_t field, uint64_t block) {
  return KeyWriter('c').Byte(field).Number(block).Take();
}

std::string ZonePrefix(uint8_t field, uint8_t level) {
  return KeyWriter('n').Byte(field).Byte(level).Take();
}

std::string ZoneKey(uint8_t field, uint8_t level, uint64_t node) {
  return KeyWriter('n').Byte(field).Byte(level).Number(node).Take();
}

std::string EncodeColumn(std::span<const ColumnEntry> entries, uint64_t base) {
  std::string bytes;
  bytes.reserve(entries.size() * 4);
  uint64_t value = 0;
  for (const ColumnEntry& entry : entries) {
    AppendVarint(bytes, entry.row - base);
    AppendVarint(bytes, Folded(static_cast<uint64_t>(entry.value) - value));
    base = entry.row;
    value = static_cast<uint64_t>(entry.value);
  }
  return bytes;
}

bool DecodeColumn(std::string_view bytes, uint64_t base, std::vector<ColumnEntry>* entries) {
  entries->clear();
  uint64_t value = 0;
  while (!bytes.empty()) {
    uint64_t distance = 0, difference = 0;
    if (!TakeVarint(bytes, &distance) || !TakeVarint(bytes, &difference)) return false;
    base += distance;
    value += Unfolded(difference);
    entries->push_back({base, static_cast<int64_t>(value)});
  }
  return true;
}

std::string EncodeZones(std::span<const Zone> zones, uint64_t base) {
  std::string bytes;
  uint64_t low = 0;
  for (const Zone& zone : zones) {
    const auto zone_low = static_cast<uint64_t>(zone.low);
    AppendVarint(bytes, zone.child - base);
    AppendVarint(bytes, Folded(zone_low - low));
    AppendVarint(bytes, static_cast<uint64_t>(zone.high) - zone_low);
    base = zone.child;
    low = zone_low;
  }
  return bytes;
}

bool DecodeZones(std::string_view bytes, uint64_t base, std::vector<Zone>* zones) {
  zones->clear();
  uint64_t low = 0;
  while (!bytes.empty()) {
    uint64_t distance = 0, difference = 0, height = 0;
    if (!TakeVarint(bytes, &distance) || !TakeVarint(bytes, &difference) ||
        !TakeVarint(bytes, &height))
      return false;
    base += distance;
    low += Unfolded(difference);
    zones->push_back({base, static_cast<int64_t>(low), static_cast<int64_t>(low + height)});
  }
  return true;
}

Result<std::vector<uint64_t>> ColumnReader::Roots(uint8_t field) {
  std::vector<uint64_t> roots;
  const std::string prefix = ZonePrefix(field, kZoneLevels);
  KeyCursor keys = reader_.Keys(prefix);
  for (; keys.valid(); keys.Next()) {
    const uint64_t node = KeyReader(keys.key().substr(prefix.size())).Number();
    if (!DecodeZones(keys.value(), node << kZoneBits, &zones_[{field, kZoneLevels, node}]))
      return Damaged("what the rows of some blocks lie between", keys.value().size());
    roots.push_back(node);
  }
  STELE_RETURN_IF_ERROR(keys.status());
  return roots;
}

Result<const std::vector<Zone>*> ColumnReader::Zones(uint8_t field, uint8_t level, uint64_t node) {
  const auto [found, is_new] = zones_.try_emplace({field, level, node});
  if (!is_new) return &found->second;
  const Result<std::optional<std::string>> bytes = reader_.Get(ZoneKey(field, level, node));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (bytes->has_value() && !DecodeZones(**bytes, node << kZoneBits, &found->second))
    return Damaged("what the rows of some blocks lie between", (*bytes)->size());
  return &found->second;
}

Result<std::vector<ColumnEntry>> ColumnReader::Block(uint8_t field, uint64_t block) {
  std::vector<ColumnEntry> entries;
  const Result<std::optional<std::string>> bytes = reader_.Get(ColumnKey(field, block));
  if (!bytes.has_value()) return std::unexpected(bytes.error());
  if (bytes->has_value() && !DecodeColumn(**bytes, block << block_bits_, &entries))
    return Damaged("the sorted numbers of a block of rows", (*bytes)->size());
  return entries;
}

}  // namespace stele::projections
