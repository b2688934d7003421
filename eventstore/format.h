// The bytes of the log, version 1: block headers and record frames. docs/log-format.md describes
// them for people. A released format is never changed in place; what this build does not know stops
// the reader with kStoreUnknownFormat, what cannot be right with kStoreCorrupt, both naming the
// shard and the position.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/hash.h"
#include "eventstore/record.h"
#include "eventstore/record_tree.h"

namespace stele::eventstore {

inline constexpr uint32_t kBlockMagic = 0x424C5453;  // "STLB"
inline constexpr uint16_t kFormatVersion = 1;

// Bits of BlockHeader::flags. The others are reserved and zero.
inline constexpr uint16_t kCompressionMask = 0x000F;
inline constexpr uint16_t kCompressionNone = 0;
inline constexpr uint16_t kCompressionZstd = 1;

inline constexpr size_t kBlockHeaderBytes = 104;
inline constexpr size_t kFrameHeaderBytes = 48;
inline constexpr size_t kFrameAlignment = 8;

struct BlockHeader {
  uint16_t version = kFormatVersion;
  uint16_t flags = kCompressionNone;
  ShardId shard;
  uint32_t count = 0;         // of records, at least 1
  Position first;             // of the first record
  uint32_t raw_bytes = 0;     // of the frames
  uint32_t stored_bytes = 0;  // of what follows the header
  Hash previous{};            // the hash of the block before; zero for a shard's first
  Hash hash{};
};

inline BlockLink LinkOf(const BlockHeader& header) {
  return {header.version, header.shard, header.first, header.count, header.previous};
}

// Fills the first kBlockHeaderBytes of `block`, whose body is already behind them.
void EncodeBlockHeader(const BlockHeader& header, std::string* block);

// Checks everything but the checksum. `first` is what the key says. Only of an archived block
// records may have been cut out, so that it has fewer frames than records.
Result<BlockHeader> DecodeBlockHeader(std::string_view block, ShardId shard, Position first,
                                      bool archived = false);

// REQUIRES: DecodeBlockHeader accepted the block.
Status VerifyBlockChecksum(std::string_view block, ShardId shard, Position first);

// Makes the checksum right again. For tests and fuzzers alone.
void ForgeBlockChecksum(std::string* block);

constexpr size_t PaddedSize(size_t size) {
  return (size + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}
// `asker_bytes`: those of the actor and the source together.
constexpr size_t FrameSize(size_t asker_bytes, size_t body_bytes) {
  return kFrameHeaderBytes + PaddedSize(asker_bytes) + body_bytes;
}

// REQUIRES: the record is within the limits.
void AppendFrame(const RecordHeader& header, std::string_view body, std::string* frames);

// Decodes the frame at the start of `rest`; its size is what the view spans. The error, if any, in
// `error`; a reference to a caller's object keeps the path of a scan free of copies.
bool DecodeFrame(std::string_view rest, ShardId shard, Position position, RecordView* view,
                 size_t* frame_bytes, Error* error);

// A record whose payloads are sealed has its seal in front of its body: nonce, zeros, tag.
inline constexpr size_t kSealBytes = 32;
inline constexpr size_t kSealTagAt = 16;
// Where the body begins in a frame that AppendFrame made.
size_t FrameBodyAt(const char* frame);
// The frame as one of a sealed record, its seal all zeros; where the seal begins in `frames`.
size_t AppendSealedFrame(std::string_view frame, std::string* frames);

// What stays in the place of records that were cut out: the node above them in the block's tree.
inline constexpr size_t kCutFrameBytes = kFrameHeaderBytes + sizeof(Hash);
void AppendCutFrame(const TreeNode& node, std::string* frames);
// Whether the frame at the start of `rest` says that it is one.
bool IsCutFrame(std::string_view rest);
// REQUIRES: IsCutFrame(rest). As DecodeFrame; the frame's size is kCutFrameBytes.
bool DecodeCutFrame(std::string_view rest, ShardId shard, Position position, TreeNode* node,
                    Error* error);

// How many bytes the block at the start of `rest` says that it has, unchecked; 0 when there are
// fewer than a header.
size_t ClaimedBlockBytes(std::string_view rest);

// The instance, first seq and time of an encoded frame, unchecked. REQUIRES: it was made by
// AppendFrame.
InstanceId FrameInstance(const char* frame);
Seq FrameFirstSeq(const char* frame);
TimeUs FrameTime(const char* frame);

}  // namespace stele::eventstore
