// The bytes of an archive segment, version 1: a header, chunks of blocks, an index of the chunks, a
// footer. docs/log-format.md describes them for people. Every byte is under a checksum: the
// header's own, a chunk's own, the index's in the footer, the footer's own.
//
// What this build does not know is kStoreUnknownFormat, what cannot be right kStoreCorrupt; the
// caller adds which file and positions it was looking for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/hash.h"

namespace stele::eventstore {

inline constexpr uint32_t kSegmentMagic = 0x414C5453;  // "STLA"
inline constexpr uint32_t kChunkMagic = 0x434C5453;    // "STLC"
inline constexpr uint32_t kFooterMagic = 0x5A4C5453;   // "STLZ"
inline constexpr uint16_t kSegmentVersion = 1;

inline constexpr size_t kSegmentHeaderBytes = 152;
inline constexpr size_t kChunkHeaderBytes = 40;
inline constexpr size_t kIndexEntryBytes = 16;
inline constexpr size_t kFooterBytes = 40;

struct SegmentHeader {
  ShardId shard;
  uint32_t chunks = 0;
  Position first, last;     // of its records
  TimeUs earliest, latest;  // of its records, those that were cut out included
  uint64_t cut = 0;         // records that were cut out
  uint64_t file_bytes = 0;  // of the whole file
  Hash previous{};          // of the block before the first
  Hash hash{};              // of the last block
  uint64_t index_at = 0;    // where the index begins in the file
  uint64_t raw_bytes = 0;   // of its frames
  bool operator==(const SegmentHeader&) const = default;
};

std::string EncodeSegmentHeader(const SegmentHeader& header);
// Checks checksum, version, and that the numbers fit each other.
Result<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

// Some blocks, one after the other, each as docs/log-format.md describes it with flags 0, as one
// zstd frame.
struct ChunkHeader {
  uint32_t blocks = 0;
  Position first;  // of the first block
  uint32_t records = 0;
  uint32_t raw_bytes = 0;     // of the blocks
  uint32_t stored_bytes = 0;  // of what follows the header
  bool compressed = false;
};

// Fills the first kChunkHeaderBytes of `chunk`, whose body is already behind them.
void EncodeChunkHeader(const ChunkHeader& header, std::string* chunk);
// `chunk` is the header and the body. Checks the checksum and that the numbers fit each other.
Result<ChunkHeader> DecodeChunkHeader(std::string_view chunk);

struct IndexSlot {
  Position first;  // of the chunk's first block
  uint64_t at;     // where the chunk begins in the file
};
void AppendIndexSlot(const IndexSlot& slot, std::string* index);
// REQUIRES: the index has that many.
IndexSlot IndexSlotAt(std::string_view index, size_t number);

std::string EncodeFooter(const SegmentHeader& header, std::string_view index);
// That the footer is this header's and this index's.
Status CheckFooter(std::string_view footer, const SegmentHeader& header, std::string_view index);

}  // namespace stele::eventstore
