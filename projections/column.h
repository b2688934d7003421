// Numbers that rows are sorted by, block by block (table.h), and what those of many blocks lie
// between: a tree of which each node tells the lowest and the highest below it, so that the rows
// that come first are found without a look at the others.
//
//   'c' field, block          -> the number of each row in the block that has one
//   'n' field, level, node    -> of each child with rows: the lowest and the highest
// A node of level 1 has 256 blocks, one of level 2 has 256 of those, and so on.
//
// Thread: any; a reader's.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "projections/view_store.h"

namespace stele::projections {

struct ColumnEntry {
  uint64_t row = 0;  // its number
  int64_t value = 0;
};
struct Zone {
  uint64_t child = 0;
  int64_t low = 0;
  int64_t high = 0;
};

inline constexpr uint8_t kZoneBits = 8;
inline constexpr uint8_t kZoneLevels = 3;

std::string ColumnKey(uint8_t field, uint64_t block);
std::string ZonePrefix(uint8_t field, uint8_t level);
std::string ZoneKey(uint8_t field, uint8_t level, uint64_t node);

// Ascending by row or child, none of them below `base`.
std::string EncodeColumn(std::span<const ColumnEntry> entries, uint64_t base);
std::string EncodeZones(std::span<const Zone> zones, uint64_t base);
// False: the bytes are none.
bool DecodeColumn(std::string_view bytes, uint64_t base, std::vector<ColumnEntry>* entries);
bool DecodeZones(std::string_view bytes, uint64_t base, std::vector<Zone>* zones);

// Reads them for one search; a node is read once.
class ColumnReader {
 public:
  // REQUIRES: the reader outlives it.
  ColumnReader(const ViewReader& reader, uint8_t block_bits)
      : reader_(reader), block_bits_(block_bits) {}

  // All nodes of the highest level.
  Result<std::vector<uint64_t>> Roots(uint8_t field);
  // Good as long as this. Empty: there is no such node.
  Result<const std::vector<Zone>*> Zones(uint8_t field, uint8_t level, uint64_t node);
  Result<std::vector<ColumnEntry>> Block(uint8_t field, uint64_t block);

 private:
  const ViewReader& reader_;
  uint8_t block_bits_;
  std::map<std::tuple<uint8_t, uint8_t, uint64_t>, std::vector<Zone>> zones_;
};

}  // namespace stele::projections
