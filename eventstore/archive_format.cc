#include "eventstore/archive_format.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "eventstore/limits.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

// Offsets in a segment's header.
enum SegmentField : size_t {
  kMagicAt = 0,
  kVersionAt = 4,
  kFlagsAt = 6,
  kShardAt = 8,
  kChunksAt = 12,
  kFirstAt = 16,
  kLastAt = 24,
  kEarliestAt = 32,
  kLatestAt = 40,
  kCutAt = 48,
  kFileBytesAt = 56,
  kPreviousAt = 64,
  kHashAt = 96,
  kIndexAtAt = 128,
  kRawBytesAt = 136,
  kChecksumAt = 144,
};
static_assert(kChecksumAt + 8 == kSegmentHeaderBytes);

// Offsets in a chunk's header.
enum ChunkField : size_t {
  kChunkMagicAt = 0,
  kChunkBlocksAt = 4,
  kChunkFirstAt = 8,
  kChunkRecordsAt = 16,
  kChunkRawBytesAt = 20,
  kChunkStoredBytesAt = 24,
  kChunkFlagsAt = 28,
  kChunkChecksumAt = 32,
};
static_assert(kChunkChecksumAt + 8 == kChunkHeaderBytes);
constexpr uint32_t kChunkPlain = 0;
constexpr uint32_t kChunkZstd = 1;

// Offsets in the footer.
enum FooterField : size_t {
  kFooterMagicAt = 0,
  kFooterChunksAt = 4,
  kFooterIndexAtAt = 8,
  kFooterIndexSumAt = 16,
  kFooterHeaderSumAt = 24,
  kFooterChecksumAt = 32,
};
static_assert(kFooterChecksumAt + 8 == kFooterBytes);

uint64_t Checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t ChunkChecksum(std::string_view chunk) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, chunk.data(), kChunkChecksumAt);
  XXH3_64bits_update(&state, chunk.data() + kChunkHeaderBytes, chunk.size() - kChunkHeaderBytes);
  return XXH3_64bits_digest(&state);
}

std::unexpected<Error> Corrupt(const std::string& expected, const std::string& found) {
  return Fail(ErrorCode::kStoreCorrupt, fmt::format("Expected {} but found {}.", expected, found));
}

std::unexpected<Error> WrongChecksum(std::string_view what, uint64_t stored, uint64_t computed) {
  return Corrupt(fmt::format("{} with checksum {:016x}", what, stored),
                 fmt::format("bytes with checksum {:016x}", computed));
}

Status CheckMagic(std::string_view what, uint32_t expected, uint32_t found) {
  if (expected == found) return {};
  return Corrupt(fmt::format("{} that begins with {:08x}", what, expected),
                 fmt::format("{:08x}", found));
}

Status CheckSegmentNumbers(const SegmentHeader& header) {
  const uint64_t index_bytes = uint64_t{header.chunks} * kIndexEntryBytes;
  const bool fit = header.chunks > 0 && header.first.value > 0 && header.first <= header.last &&
                   header.last.value < UINT64_MAX && header.earliest <= header.latest &&
                   header.cut <= header.last.value - header.first.value + 1 &&
                   header.index_at >= kSegmentHeaderBytes && header.index_at <= header.file_bytes &&
                   header.file_bytes - header.index_at == index_bytes + kFooterBytes;
  if (fit) return {};
  return Corrupt("numbers that fit each other in a segment's header",
                 fmt::format("positions {} to {}, {} cut out, {} chunks, an index at {} of {} "
                             "bytes",
                             header.first.value, header.last.value, header.cut, header.chunks,
                             header.index_at, header.file_bytes));
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  char* out = bytes.data();
  StoreLittle(kSegmentMagic, out + kMagicAt);
  StoreLittle(kSegmentVersion, out + kVersionAt);
  StoreLittle(header.shard.value, out + kShardAt);
  StoreLittle(header.chunks, out + kChunksAt);
  StoreLittle(header.first.value, out + kFirstAt);
  StoreLittle(header.last.value, out + kLastAt);
  StoreLittle(header.earliest.value, out + kEarliestAt);
  StoreLittle(header.latest.value, out + kLatestAt);
  StoreLittle(header.cut, out + kCutAt);
  StoreLittle(header.file_bytes, out + kFileBytesAt);
  std::memcpy(out + kPreviousAt, header.previous.data(), header.previous.size());
  std::memcpy(out + kHashAt, header.hash.data(), header.hash.size());
  StoreLittle(header.index_at, out + kIndexAtAt);
  StoreLittle(header.raw_bytes, out + kRawBytesAt);
  StoreLittle(Checksum({out, kChecksumAt}), out + kChecksumAt);
  return bytes;
}

Result<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() != kSegmentHeaderBytes)
    return Corrupt(fmt::format("a segment's header of {} bytes", kSegmentHeaderBytes),
                   fmt::format("{}", bytes.size()));
  const char* in = bytes.data();
  STELE_RETURN_IF_ERROR(
      CheckMagic("a segment", kSegmentMagic, LoadLittle<uint32_t>(in + kMagicAt)));
  const auto stored = LoadLittle<uint64_t>(in + kChecksumAt);
  if (const uint64_t computed = Checksum({in, kChecksumAt}); stored != computed)
    return WrongChecksum("a segment's header", stored, computed);
  const auto version = LoadLittle<uint16_t>(in + kVersionAt);
  const auto flags = LoadLittle<uint16_t>(in + kFlagsAt);
  if (version != kSegmentVersion || flags != 0)
    return Fail(ErrorCode::kStoreUnknownFormat,
                fmt::format("Expected a segment of version {} with flags 0 but found version {} "
                            "with flags {:#x}.",
                            kSegmentVersion, version, flags));
  SegmentHeader header;
  header.shard = ShardId(LoadLittle<uint32_t>(in + kShardAt));
  header.chunks = LoadLittle<uint32_t>(in + kChunksAt);
  header.first = Position(LoadLittle<uint64_t>(in + kFirstAt));
  header.last = Position(LoadLittle<uint64_t>(in + kLastAt));
  header.earliest = TimeUs(LoadLittle<int64_t>(in + kEarliestAt));
  header.latest = TimeUs(LoadLittle<int64_t>(in + kLatestAt));
  header.cut = LoadLittle<uint64_t>(in + kCutAt);
  header.file_bytes = LoadLittle<uint64_t>(in + kFileBytesAt);
  std::memcpy(header.previous.data(), in + kPreviousAt, header.previous.size());
  std::memcpy(header.hash.data(), in + kHashAt, header.hash.size());
  header.index_at = LoadLittle<uint64_t>(in + kIndexAtAt);
  header.raw_bytes = LoadLittle<uint64_t>(in + kRawBytesAt);
  STELE_RETURN_IF_ERROR(CheckSegmentNumbers(header));
  return header;
}

void EncodeChunkHeader(const ChunkHeader& header, std::string* chunk) {
  char* out = chunk->data();
  StoreLittle(kChunkMagic, out + kChunkMagicAt);
  StoreLittle(header.blocks, out + kChunkBlocksAt);
  StoreLittle(header.first.value, out + kChunkFirstAt);
  StoreLittle(header.records, out + kChunkRecordsAt);
  StoreLittle(header.raw_bytes, out + kChunkRawBytesAt);
  StoreLittle(header.stored_bytes, out + kChunkStoredBytesAt);
  StoreLittle(header.compressed ? kChunkZstd : kChunkPlain, out + kChunkFlagsAt);
  StoreLittle(ChunkChecksum(*chunk), out + kChunkChecksumAt);
}

Result<ChunkHeader> DecodeChunkHeader(std::string_view chunk) {
  if (chunk.size() < kChunkHeaderBytes)
    return Corrupt(fmt::format("a chunk of at least {} bytes", kChunkHeaderBytes),
                   fmt::format("{}", chunk.size()));
  const char* in = chunk.data();
  STELE_RETURN_IF_ERROR(
      CheckMagic("a chunk", kChunkMagic, LoadLittle<uint32_t>(in + kChunkMagicAt)));
  const auto stored = LoadLittle<uint64_t>(in + kChunkChecksumAt);
  if (const uint64_t computed = ChunkChecksum(chunk); stored != computed)
    return WrongChecksum("a chunk", stored, computed);
  ChunkHeader header;
  header.blocks = LoadLittle<uint32_t>(in + kChunkBlocksAt);
  header.first = Position(LoadLittle<uint64_t>(in + kChunkFirstAt));
  header.records = LoadLittle<uint32_t>(in + kChunkRecordsAt);
  header.raw_bytes = LoadLittle<uint32_t>(in + kChunkRawBytesAt);
  header.stored_bytes = LoadLittle<uint32_t>(in + kChunkStoredBytesAt);
  const auto flags = LoadLittle<uint32_t>(in + kChunkFlagsAt);
  if (flags != kChunkPlain && flags != kChunkZstd)
    return Fail(ErrorCode::kStoreUnknownFormat,
                fmt::format("Expected chunk flags 0 (plain) or 1 (zstd) but found {:#x}.", flags));
  header.compressed = flags == kChunkZstd;
  if (header.stored_bytes != chunk.size() - kChunkHeaderBytes || header.blocks == 0 ||
      header.records < header.blocks || header.raw_bytes > kMaxChunkBytes)
    return Corrupt(
        fmt::format("a chunk of {} bytes", chunk.size() - kChunkHeaderBytes),
        fmt::format("one of {} blocks, {} records, {} bytes and {} before compression",
                    header.blocks, header.records, header.stored_bytes, header.raw_bytes));
  return header;
}

void AppendIndexSlot(const IndexSlot& slot, std::string* index) {
  char out[kIndexEntryBytes];
  StoreLittle(slot.first.value, out);
  StoreLittle(slot.at, out + 8);
  index->append(out, sizeof out);
}

IndexSlot IndexSlotAt(std::string_view index, size_t number) {
  const char* in = index.data() + number * kIndexEntryBytes;
  return {Position(LoadLittle<uint64_t>(in)), LoadLittle<uint64_t>(in + 8)};
}

std::string EncodeFooter(const SegmentHeader& header, std::string_view index) {
  std::string bytes(kFooterBytes, '\0');
  char* out = bytes.data();
  StoreLittle(kFooterMagic, out + kFooterMagicAt);
  StoreLittle(header.chunks, out + kFooterChunksAt);
  StoreLittle(header.index_at, out + kFooterIndexAtAt);
  StoreLittle(Checksum(index), out + kFooterIndexSumAt);
  StoreLittle(Checksum(EncodeSegmentHeader(header)), out + kFooterHeaderSumAt);
  StoreLittle(Checksum({out, kFooterChecksumAt}), out + kFooterChecksumAt);
  return bytes;
}

Status CheckFooter(std::string_view footer, const SegmentHeader& header, std::string_view index) {
  const std::string expected = EncodeFooter(header, index);
  if (footer == expected) return {};
  const auto sum = [](std::string_view bytes) {
    return LoadLittle<uint64_t>(bytes.data() + kFooterIndexSumAt);
  };
  if (footer.size() == kFooterBytes && sum(footer) != sum(expected))
    return WrongChecksum("a segment's index", sum(footer), sum(expected));
  return Corrupt("the footer of the segment's header and index", "other bytes");
}

}  // namespace stele::eventstore
