// Opens a stored block and walks its records. Safe on arbitrary bytes: every length is checked, and
// what is wrong comes back as an error that names the shard and the position.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "eventstore/format.h"
#include "eventstore/record.h"
#include "eventstore/record_cipher.h"

struct ZSTD_DCtx_s;

namespace stele::eventstore {

// Keeps its buffer and its decompression context. Used by one thread at a time.
class BlockReader {
 public:
  BlockReader();
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  // Checks header and checksum, decompresses. The bytes of `block` are not needed afterwards. Only
  // what is archived may hold records that were cut out.
  Status Open(std::string_view block, ShardId shard, Position first, bool archived = false);

  // Of the last block that was opened.
  const BlockHeader& header() const { return header_; }
  bool archived() const { return archived_; }
  // The position of the record that Next returns, one past the last when the block is read.
  Position next_position() const { return header_.first.Plus(read_); }
  bool AtEnd() const { return read_ == header_.count; }

  // The next record; its views stay valid until Open. False with the error when it is damaged.
  // Records that were cut out and have one node are passed as one; the view has the shard and the
  // position of the first alone.
  // REQUIRES: !AtEnd().
  bool Next(RecordView* view, Error* error);
  // Opens the payloads of the record that Next returned last, in its place: afterwards frame() is
  // no longer what the chain has. REQUIRES: it is sealed, and not open.
  Status OpenPayloads(RecordCipher& cipher, RecordView* view);
  // How many records that Next returned last were cut out; 0: it returned one that is there.
  uint32_t cut() const { return cut_; }
  // What the chain has of it, or of them. Hashes the frame of one that is there.
  TreeNode Node() const;
  // All frames of the block, read or not.
  std::string_view frames() const { return frames_; }
  // The bytes of the frame that Next returned last.
  std::string_view frame() const { return frame_; }

  // Reads all records and compares the block's hash. REQUIRES: none was read since Open.
  // `summary`, if any, tells of the records; `each`, if any, gets their leaves, and the nodes above
  // those that were cut out.
  struct Summary {
    TimeUs earliest{INT64_MAX}, latest{INT64_MIN};  // of those that were not cut out
    uint32_t cut = 0;
  };
  using EachNode = std::function<Status(const TreeNode& node, bool is_cut)>;
  Status VerifyHash(Summary* summary = nullptr, const EachNode& each = nullptr);

 private:
  Status Decompress(std::string_view body);
  bool NextCut(RecordView* view, Error* error);
  bool Took(size_t bytes, uint32_t records, Error* error);

  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> zstd_;
  std::unique_ptr<uint64_t[]> buffer_;  // 8-byte aligned
  size_t capacity_ = 0;                 // in bytes
  BlockHeader header_;                  // count 0 until a block is open
  uint32_t read_ = 0;                   // records
  bool archived_ = false;
  uint32_t cut_ = 0;
  Hash cut_hash_{};  // of the node above records that were cut out
  std::string_view frames_;
  std::string_view rest_;
  std::string_view frame_;
};

}  // namespace stele::eventstore
