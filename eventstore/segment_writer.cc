#include "eventstore/segment_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "eventstore/durable_files.h"
#include "eventstore/limits.h"

namespace stele::eventstore {
namespace {

// Measured: docs/retention.md.
constexpr int kZstdLevel = 9;

}  // namespace

void SegmentWriter::FreeContext::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

SegmentWriter::SegmentWriter(int file, const std::string& path, ShardId shard, uint64_t chunk_bytes)
    : file_(file),
      path_(path),
      chunk_bytes_(std::min<uint64_t>(chunk_bytes, kTargetChunkBytes)),
      zstd_(ZSTD_createCCtx()) {
  CHECK(zstd_ != nullptr);
  const size_t set = ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, kZstdLevel);
  CHECK(!ZSTD_isError(set), "{}", ZSTD_getErrorName(set));
  header_.shard = shard;
  header_.earliest = TimeUs(INT64_MAX);
  header_.latest = TimeUs(INT64_MIN);
}

SegmentWriter::~SegmentWriter() {
  close(file_);
  if (!released_) unlink(path_.c_str());
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(const std::string& path, ShardId shard,
                                                             uint64_t chunk_bytes) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("make " + path);
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(file, path, shard, chunk_bytes));
}

Status SegmentWriter::Write(std::string_view bytes, uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write " + path_);
    bytes.remove_prefix(static_cast<size_t>(count));
    at += static_cast<uint64_t>(count);
  }
  return {};
}

Status SegmentWriter::Add(const Block& block) {
  const BlockHeader& header = block.header;
  if (records_ == 0) {
    header_.first = header.first;
    header_.previous = header.previous;
  }
  CHECK(header.first == header_.first.Plus(records_), "a block at position {} behind {} records",
        header.first.value, records_);
  body_.Add(header, block.frames);
  if (chunk_.blocks == 0) chunk_.first = header.first;
  ++chunk_.blocks;
  chunk_.records += header.count;
  records_ += header.count;
  header_.last = header.first.Plus(header.count - 1);
  header_.hash = header.hash;
  header_.cut += block.cut;
  header_.raw_bytes += block.frames.size();
  CoverTimes(block.earliest, block.latest);
  return body_.size() >= chunk_bytes_ ? WriteChunk() : Status();
}

void SegmentWriter::CoverTimes(TimeUs earliest, TimeUs latest) {
  header_.earliest = std::min(header_.earliest, earliest);
  header_.latest = std::max(header_.latest, latest);
}

Status SegmentWriter::WriteChunk() {
  const std::string& blocks = body_.Finish();
  chunk_.raw_bytes = static_cast<uint32_t>(blocks.size());
  // One byte less than the blocks: compression that does not shrink fails for want of room.
  stored_.resize(kChunkHeaderBytes + blocks.size() - 1);
  const size_t size = ZSTD_compress2(zstd_.get(), stored_.data() + kChunkHeaderBytes,
                                     blocks.size() - 1, blocks.data(), blocks.size());
  chunk_.compressed = !ZSTD_isError(size);
  stored_.resize(kChunkHeaderBytes + (chunk_.compressed ? size : 0));
  if (!chunk_.compressed) stored_ += blocks;
  chunk_.stored_bytes = static_cast<uint32_t>(stored_.size() - kChunkHeaderBytes);
  EncodeChunkHeader(chunk_, &stored_);
  STELE_RETURN_IF_ERROR(Write(stored_, at_));
  AppendIndexSlot({chunk_.first, at_}, &index_);
  at_ += stored_.size();
  ++header_.chunks;
  chunk_ = {};
  body_.Clear();
  return {};
}

Result<SegmentHeader> SegmentWriter::Finish() {
  CHECK(records_ > 0, "a segment without records");
  if (chunk_.blocks > 0) STELE_RETURN_IF_ERROR(WriteChunk());
  header_.index_at = at_;
  header_.file_bytes = at_ + index_.size() + kFooterBytes;
  STELE_RETURN_IF_ERROR(Write(index_ + EncodeFooter(header_, index_), at_));
  STELE_RETURN_IF_ERROR(Write(EncodeSegmentHeader(header_), 0));
  if (fsync(file_) != 0) return SystemError("sync " + path_);
  return header_;
}

}  // namespace stele::eventstore
