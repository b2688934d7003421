// Writes an archive segment aside: blocks are collected into chunks, compressed better than the hot
// log does, and written one after the other; Finish makes the file whole and durable. Its place
// among the segments is the caller's business.
//
// Removes the file when it is not finished. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "eventstore/archive_format.h"
#include "eventstore/block_reader.h"
#include "eventstore/chunk_body.h"

struct ZSTD_CCtx_s;

namespace stele::eventstore {

class SegmentWriter {
 public:
  // Replaces what is there under the name. A chunk ends with the block that reaches `chunk_bytes`,
  // at most kTargetChunkBytes. kIo with the path and the reason.
  static Result<std::unique_ptr<SegmentWriter>> Create(const std::string& path, ShardId shard,
                                                       uint64_t chunk_bytes);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // `frames` are the block's, which replace its own where records were cut out of it. `cut` says
  // how many that are, `earliest` and `latest` when its records were.
  struct Block {
    BlockHeader header;
    std::string_view frames;
    uint64_t cut = 0;
    TimeUs earliest{INT64_MAX}, latest{INT64_MIN};
  };
  // REQUIRES: it follows the one before.
  Status Add(const Block& block);

  uint64_t records() const { return records_; }
  // What the file has by now.
  uint64_t bytes() const { return at_; }
  // Records' times that Add was not told, because they were cut out.
  void CoverTimes(TimeUs earliest, TimeUs latest);

  // Completes and syncs the file. REQUIRES: a block was added.
  Result<SegmentHeader> Finish();
  // The file is not removed any more: it has another name, or is somebody else's.
  void Release() { released_ = true; }

 private:
  SegmentWriter(int file, const std::string& path, ShardId shard, uint64_t chunk_bytes);
  Status WriteChunk();
  Status Write(std::string_view bytes, uint64_t at);

  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  const int file_;
  const std::string path_;
  const uint64_t chunk_bytes_;
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> zstd_;
  bool released_ = false;
  SegmentHeader header_;
  uint64_t at_ = kSegmentHeaderBytes;  // where the next chunk begins
  uint64_t records_ = 0;
  std::string index_;
  ChunkHeader chunk_;  // the one that is being collected; no blocks: none
  ChunkBody body_;     // of it
  std::string stored_;
};

}  // namespace stele::eventstore
