#include "eventstore/segment_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "eventstore/chunk_body.h"
#include "eventstore/durable_files.h"
#include "eventstore/format.h"
#include "eventstore/limits.h"

namespace stele::eventstore {
namespace {

std::string Name(const std::string& path, const SegmentHeader& header) {
  return fmt::format("the archive segment {} with positions {} to {} of shard {}", path,
                     header.first.value, header.last.value, header.shard.value);
}

}  // namespace

void SegmentReader::FreeContext::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

SegmentReader::SegmentReader(int file, const std::string& path, const SegmentHeader& header)
    : file_(file), path_(path), header_(header), zstd_(ZSTD_createDCtx()) {
  CHECK(zstd_ != nullptr);
}

SegmentReader::~SegmentReader() {
  close(file_);
}

std::unexpected<Error> SegmentReader::InContext(Error error, uint64_t at) const {
  error.message += fmt::format(" It is in {}, at byte {}.", Name(path_, header_), at);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> SegmentReader::Corrupt(uint64_t at, const std::string& expected,
                                              const std::string& found) const {
  return InContext(
      {ErrorCode::kStoreCorrupt, fmt::format("Expected {} but found {}.", expected, found)}, at);
}

Result<std::unique_ptr<SegmentReader>> SegmentReader::Open(const std::string& path,
                                                           const SegmentHeader& recorded,
                                                           bool sequential) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected {} but found no such file.", Name(path, recorded)));
  if (file < 0) return SystemError("open " + Name(path, recorded));
  std::unique_ptr<SegmentReader> reader(new SegmentReader(file, path, recorded));
  if (sequential) (void)posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
  struct stat status{};
  if (fstat(file, &status) != 0) return SystemError("look at " + Name(path, recorded));
  if (static_cast<uint64_t>(status.st_size) != recorded.file_bytes)
    return reader->Corrupt(static_cast<uint64_t>(status.st_size),
                           fmt::format("{} bytes", recorded.file_bytes),
                           fmt::format("{}", status.st_size));
  STELE_RETURN_IF_ERROR(reader->ReadIndex());
  return reader;
}

Status SegmentReader::ReadAt(uint64_t at, size_t bytes, std::string* out) const {
  out->resize(bytes);
  size_t done = 0;
  while (done < bytes) {
    const ssize_t count =
        pread(file_, out->data() + done, bytes - done, static_cast<off_t>(at + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read " + Name(path_, header_));
    if (count == 0)
      return Corrupt(at + done, fmt::format("{} more bytes", bytes - done), "the end of the file");
    done += static_cast<size_t>(count);
  }
  return {};
}

Status SegmentReader::ReadIndex() {
  std::string bytes;
  STELE_RETURN_IF_ERROR(ReadAt(0, kSegmentHeaderBytes, &bytes));
  auto header = DecodeSegmentHeader(bytes);
  if (!header) return InContext(std::move(header).error(), 0);
  if (*header != header_)
    return Corrupt(0, "the header that was noted in the log",
                   fmt::format("that of positions {} to {} of shard {}, {} cut out, ending with "
                               "hash {}",
                               header->first.value, header->last.value, header->shard.value,
                               header->cut, ToHex(header->hash)));
  STELE_RETURN_IF_ERROR(
      ReadAt(header_.index_at, size_t{header_.chunks} * kIndexEntryBytes, &index_));
  STELE_RETURN_IF_ERROR(ReadAt(header_.file_bytes - kFooterBytes, kFooterBytes, &bytes));
  if (auto checked = CheckFooter(bytes, header_, index_); !checked)
    return InContext(std::move(checked).error(), header_.index_at);
  return CheckIndex();
}

Status SegmentReader::CheckIndex() {
  bool ordered = Slot(0).first == header_.first && Slot(0).at == kSegmentHeaderBytes;
  for (size_t i = 1; i < header_.chunks; ++i)
    ordered = ordered && Slot(i - 1).first < Slot(i).first &&
              Slot(i - 1).at + kChunkHeaderBytes < Slot(i).at;
  const IndexSlot last = Slot(header_.chunks - 1);
  if (ordered && last.first <= header_.last && last.at + kChunkHeaderBytes < header_.index_at)
    return {};
  return Corrupt(header_.index_at, "an index in the order of the chunks", "another order");
}

size_t SegmentReader::ChunkOf(Position position) const {
  size_t low = 0, high = header_.chunks;  // it is at `low` or behind, and before `high`
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    (Slot(middle).first <= position ? low : high) = middle;
  }
  return low;
}

Status SegmentReader::LoadChunk(size_t number) {
  if (loaded_ == number) return {};
  loaded_ = SIZE_MAX;
  const bool is_last = number + 1 == header_.chunks;
  const IndexSlot slot = Slot(number);
  const uint64_t end = is_last ? header_.index_at : Slot(number + 1).at;
  if (end - slot.at > kChunkHeaderBytes + kMaxChunkBytes)
    return Corrupt(slot.at, fmt::format("a chunk of at most {} bytes", kMaxChunkBytes),
                   fmt::format("{}", end - slot.at));
  STELE_RETURN_IF_ERROR(ReadAt(slot.at, end - slot.at, &stored_));
  auto chunk = DecodeChunkHeader(stored_);
  if (!chunk) return InContext(std::move(chunk).error(), slot.at);
  const Position records_end = is_last ? header_.last.Next() : Slot(number + 1).first;
  if (chunk->first != slot.first || chunk->first.Plus(chunk->records) != records_end)
    return Corrupt(
        slot.at,
        fmt::format("a chunk with positions {} to {}", slot.first.value, records_end.value - 1),
        fmt::format("one with {} records from position {} on", chunk->records, chunk->first.value));
  auto listed = Decompress(*chunk, std::string_view(stored_).substr(kChunkHeaderBytes));
  if (listed) listed = List(*chunk, records_end);
  if (!listed) return InContext(std::move(listed).error(), slot.at);
  loaded_ = number;
  return {};
}

Status SegmentReader::Decompress(const ChunkHeader& chunk, std::string_view body) {
  const auto claimed =
      chunk.compressed ? ZSTD_getFrameContentSize(body.data(), body.size()) : body.size();
  if (claimed != chunk.raw_bytes)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected {} bytes of blocks in a chunk but found {}.", chunk.raw_bytes,
                            claimed == ZSTD_CONTENTSIZE_ERROR ? "no zstd frame"
                                                              : fmt::format("{}", claimed)));
  if (capacity_ < claimed) {
    raw_ = std::make_unique_for_overwrite<char[]>(claimed);
    capacity_ = claimed;
  }
  if (!chunk.compressed) {
    std::memcpy(raw_.get(), body.data(), body.size());
    return {};
  }
  const size_t size =
      ZSTD_decompressDCtx(zstd_.get(), raw_.get(), claimed, body.data(), body.size());
  if (!ZSTD_isError(size) && size == claimed) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} bytes of zstd data in a chunk but found {}.", claimed,
                          ZSTD_isError(size) ? ZSTD_getErrorName(size) : fmt::format("{}", size)));
}

Status SegmentReader::List(const ChunkHeader& chunk, Position end) {
  auto blocks = ListBlocks({raw_.get(), chunk.raw_bytes}, header_.shard, chunk.first, &made_);
  if (!blocks) return std::unexpected(std::move(blocks).error());
  blocks_ = std::move(*blocks);
  Position next = chunk.first;
  if (!blocks_.empty()) {
    const StoredBlock& last = blocks_.back();
    const auto header = DecodeBlockHeader(last.bytes, header_.shard, last.first, true);
    if (!header) return std::unexpected(header.error());
    next = last.first.Plus(header->count);
  }
  if (next == end && blocks_.size() == chunk.blocks) return {};
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} blocks up to position {} in a chunk but found {} up to {}.",
                          chunk.blocks, end.value - 1, blocks_.size(), next.value - 1));
}

Result<StoredBlock> SegmentReader::Find(Position position) {
  STELE_RETURN_IF_ERROR(LoadChunk(ChunkOf(position)));
  auto block = std::upper_bound(blocks_.begin(), blocks_.end(), position,
                                [](Position p, const StoredBlock& b) { return p < b.first; });
  CHECK(block != blocks_.begin(), "position {} before the segment", position.value);
  return *--block;
}

Result<std::optional<StoredBlock>> SegmentReader::After(Position position) {
  if (position >= header_.last) return std::nullopt;
  size_t chunk = position < header_.first ? 0 : ChunkOf(position);
  for (; chunk < header_.chunks; ++chunk) {
    STELE_RETURN_IF_ERROR(LoadChunk(chunk));
    const auto block =
        std::upper_bound(blocks_.begin(), blocks_.end(), position,
                         [](Position p, const StoredBlock& b) { return p < b.first; });
    if (block != blocks_.end()) return *block;
  }
  return std::nullopt;
}

}  // namespace stele::eventstore
