// Reads an archive segment. Opening reads its header, index and footer; a block is read with its
// chunk. Safe on any bytes: what is wrong comes back as an error that names the file, the positions
// and the byte.
//
// Keeps the file open, so that a segment that is replaced meanwhile can be read to its end. Used by
// one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "eventstore/archive_format.h"
#include "eventstore/block_source.h"

struct ZSTD_DCtx_s;

namespace stele::eventstore {

class SegmentReader {
 public:
  // `recorded` is what the log knows of the segment. `sequential`: it will be read as a whole.
  static Result<std::unique_ptr<SegmentReader>> Open(const std::string& path,
                                                     const SegmentHeader& recorded,
                                                     bool sequential);
  ~SegmentReader();
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  // The last block that begins at or before `position`. REQUIRES: the segment has that position.
  Result<StoredBlock> Find(Position position);
  // The first block that begins after `position`; nothing behind the last one.
  Result<std::optional<StoredBlock>> After(Position position);

 private:
  SegmentReader(int file, const std::string& path, const SegmentHeader& header);
  Status ReadIndex();
  Status CheckIndex();
  Status LoadChunk(size_t number);
  Status Decompress(const ChunkHeader& chunk, std::string_view body);
  Status List(const ChunkHeader& chunk, Position end);
  Status ReadAt(uint64_t at, size_t bytes, std::string* out) const;
  size_t ChunkOf(Position position) const;
  IndexSlot Slot(size_t number) const { return IndexSlotAt(index_, number); }
  // Adds where it was found.
  std::unexpected<Error> InContext(Error error, uint64_t at) const;
  std::unexpected<Error> Corrupt(uint64_t at, const std::string& expected,
                                 const std::string& found) const;

  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  const int file_;
  const std::string path_;
  const SegmentHeader header_;
  std::string index_;
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> zstd_;
  // The chunk that was loaded last, if any.
  size_t loaded_ = SIZE_MAX;
  std::string stored_;
  std::unique_ptr<char[]> raw_;
  size_t capacity_ = 0;
  std::string made_;  // blocks of which nothing is left
  std::vector<StoredBlock> blocks_;
};

}  // namespace stele::eventstore
