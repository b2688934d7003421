// Opens a stored block and walks its records. Safe on arbitrary bytes: every length is checked, and
// what is wrong comes back as an error that names the shard and the position.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "eventstore/format.h"
#include "eventstore/record.h"

struct ZSTD_DCtx_s;

namespace stele::eventstore {

// Keeps its buffer and its decompression context. Used by one thread at a time.
class BlockReader {
 public:
  BlockReader();
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  // Checks header and checksum, decompresses. The bytes of `block` are not needed afterwards.
  Status Open(std::string_view block, ShardId shard, Position first);

  // Of the last block that was opened.
  const BlockHeader& header() const { return header_; }
  // The position of the record that Next returns, one past the last when the block is read.
  Position next_position() const { return header_.first.Plus(read_); }
  bool AtEnd() const { return read_ == header_.count; }

  // The next record; its views stay valid until Open. False with the error when it is damaged.
  // REQUIRES: !AtEnd().
  bool Next(RecordView* view, Error* error);
  // The bytes of the frame that Next returned last.
  std::string_view frame() const { return frame_; }

  // Reads the rest of the block from its first record on and compares its hash.
  Status VerifyHash();

 private:
  Status Decompress(std::string_view body);

  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> zstd_;
  std::unique_ptr<uint64_t[]> buffer_;  // 8-byte aligned
  size_t capacity_ = 0;                 // in bytes
  BlockHeader header_;                  // count 0 until a block is open
  uint32_t read_ = 0;                   // records
  std::string_view rest_;
  std::string_view frame_;
};

}  // namespace stele::eventstore
