#include "eventstore/format.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "eventstore/limits.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

// Offsets in a block's header.
enum BlockField : size_t {
  kMagicAt = 0,
  kVersionAt = 4,
  kFlagsAt = 6,
  kShardAt = 8,
  kCountAt = 12,
  kFirstAt = 16,
  kRawBytesAt = 24,
  kStoredBytesAt = 28,
  kPreviousAt = 32,
  kHashAt = 64,
  kChecksumAt = 96,
};
static_assert(kChecksumAt + 8 == kBlockHeaderBytes);

// Offsets in a frame's header.
enum FrameField : size_t {
  kSizeAt = 0,
  kEventCountAt = 4,
  kCutRecordsAt = 4,  // where they were cut out
  kInstanceAt = 8,
  kFirstSeqAt = 16,
  kTimeAt = 24,
  kCausationAt = 32,
  kActorLengthAt = 40,
  kKindAt = 41,
  kSourceLengthAt = 42,
  kReservedAt = 43,  // five zero bytes
};
constexpr uint8_t kKindRecord = 0;
constexpr uint8_t kKindCut = 1;
constexpr uint8_t kKindSealed = 2;

// Of the actor and the source behind it.
size_t AskerBytes(const char* frame) {
  return size_t{static_cast<uint8_t>(frame[kActorLengthAt])} +
         static_cast<uint8_t>(frame[kSourceLengthAt]);
}

uint64_t BlockChecksum(std::string_view block) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, block.data(), kChecksumAt);
  XXH3_64bits_update(&state, block.data() + kBlockHeaderBytes, block.size() - kBlockHeaderBytes);
  return XXH3_64bits_digest(&state);
}

std::string Where(ShardId shard, Position position) {
  return fmt::format("at position {} of shard {}", position.value, shard.value);
}

Error Corrupt(ShardId shard, Position position, const std::string& expected,
              const std::string& found) {
  return Error{ErrorCode::kStoreCorrupt, fmt::format("Expected {} {} but found {}.", expected,
                                                     Where(shard, position), found)};
}

Error Unknown(ShardId shard, Position position, const std::string& expected,
              const std::string& found) {
  return Error{ErrorCode::kStoreUnknownFormat, fmt::format("Expected {} {} but found {}.", expected,
                                                           Where(shard, position), found)};
}

}  // namespace

void EncodeBlockHeader(const BlockHeader& header, std::string* block) {
  char* out = block->data();
  StoreLittle(kBlockMagic, out + kMagicAt);
  StoreLittle(header.version, out + kVersionAt);
  StoreLittle(header.flags, out + kFlagsAt);
  StoreLittle(header.shard.value, out + kShardAt);
  StoreLittle(header.count, out + kCountAt);
  StoreLittle(header.first.value, out + kFirstAt);
  StoreLittle(header.raw_bytes, out + kRawBytesAt);
  StoreLittle(header.stored_bytes, out + kStoredBytesAt);
  std::memcpy(out + kPreviousAt, header.previous.data(), header.previous.size());
  std::memcpy(out + kHashAt, header.hash.data(), header.hash.size());
  ForgeBlockChecksum(block);
}

void ForgeBlockChecksum(std::string* block) {
  StoreLittle(BlockChecksum(*block), block->data() + kChecksumAt);
}

Result<BlockHeader> DecodeBlockHeader(std::string_view block, ShardId shard, Position first,
                                      bool archived) {
  const auto corrupt = [&](const std::string& expected, const std::string& found) {
    return std::unexpected(Corrupt(shard, first, expected, found));
  };
  if (block.size() < kBlockHeaderBytes)
    return corrupt(fmt::format("a block of at least {} bytes", kBlockHeaderBytes),
                   fmt::format("{} bytes", block.size()));
  const char* in = block.data();
  if (const auto magic = LoadLittle<uint32_t>(in + kMagicAt); magic != kBlockMagic)
    return corrupt(fmt::format("a block that begins with {:08x}", kBlockMagic),
                   fmt::format("{:08x}", magic));
  BlockHeader header;
  header.version = LoadLittle<uint16_t>(in + kVersionAt);
  if (header.version != kFormatVersion)
    return std::unexpected(Unknown(shard, first,
                                   fmt::format("a block of format version {}", kFormatVersion),
                                   fmt::format("version {}", header.version)));
  header.flags = LoadLittle<uint16_t>(in + kFlagsAt);
  if (header.flags != kCompressionNone && header.flags != kCompressionZstd)
    return std::unexpected(Unknown(shard, first, "block flags 0 (plain) or 1 (zstd)",
                                   fmt::format("{:#x}", header.flags)));
  header.shard = ShardId(LoadLittle<uint32_t>(in + kShardAt));
  header.first = Position(LoadLittle<uint64_t>(in + kFirstAt));
  if (header.shard != shard || header.first != first)
    return corrupt("the block of that place", "the block " + Where(header.shard, header.first));
  header.count = LoadLittle<uint32_t>(in + kCountAt);
  if (header.count == 0 || header.count > kMaxBlockRecords ||
      first.value > UINT64_MAX - kMaxBlockRecords)
    return corrupt(fmt::format("1 to {} records in the block", kMaxBlockRecords),
                   fmt::format("{}", header.count));
  header.raw_bytes = LoadLittle<uint32_t>(in + kRawBytesAt);
  const uint32_t frames = archived ? 1 : header.count;  // at least
  if (header.raw_bytes > kMaxBlockBytes || header.raw_bytes / kFrameHeaderBytes < frames)
    return corrupt(
        fmt::format("{} to {} bytes of frames", frames * kFrameHeaderBytes, kMaxBlockBytes),
        fmt::format("{}", header.raw_bytes));
  header.stored_bytes = LoadLittle<uint32_t>(in + kStoredBytesAt);
  if (header.stored_bytes != block.size() - kBlockHeaderBytes)
    return corrupt(fmt::format("a block body of {} bytes", header.stored_bytes),
                   fmt::format("{} bytes", block.size() - kBlockHeaderBytes));
  std::memcpy(header.previous.data(), in + kPreviousAt, header.previous.size());
  std::memcpy(header.hash.data(), in + kHashAt, header.hash.size());
  return header;
}

Status VerifyBlockChecksum(std::string_view block, ShardId shard, Position first) {
  const auto stored = LoadLittle<uint64_t>(block.data() + kChecksumAt);
  const uint64_t computed = BlockChecksum(block);
  if (stored == computed) return {};
  return std::unexpected(Corrupt(shard, first, fmt::format("a block with checksum {:016x}", stored),
                                 fmt::format("bytes with checksum {:016x}", computed)));
}

void AppendFrame(const RecordHeader& header, std::string_view body, std::string* frames) {
  const size_t asker_bytes = header.actor.size() + header.source.size();
  const size_t size = FrameSize(asker_bytes, body.size());
  char out[kFrameHeaderBytes] = {};
  StoreLittle(static_cast<uint32_t>(size), out + kSizeAt);
  StoreLittle(header.event_count, out + kEventCountAt);
  StoreLittle(header.instance.value, out + kInstanceAt);
  StoreLittle(header.first_seq.value, out + kFirstSeqAt);
  StoreLittle(header.time.value, out + kTimeAt);
  StoreLittle(header.causation.value, out + kCausationAt);
  out[kActorLengthAt] = static_cast<char>(header.actor.size());
  out[kSourceLengthAt] = static_cast<char>(header.source.size());
  out[kKindAt] = kKindRecord;
  frames->append(out, sizeof out);
  if (asker_bytes != 0) {
    frames->append(header.actor).append(header.source);
    frames->append(PaddedSize(asker_bytes) - asker_bytes, '\0');
  }
  frames->append(body);
}

bool DecodeFrame(std::string_view rest, ShardId shard, Position position, RecordView* view,
                 size_t* frame_bytes, Error* error) {
  const auto corrupt = [&](const std::string& expected, const std::string& found) {
    *error = Corrupt(shard, position, expected, found);
    return false;
  };
  if (rest.size() < kFrameHeaderBytes)
    return corrupt("a record", fmt::format("{} bytes", rest.size()));
  const char* in = rest.data();
  const size_t size = LoadLittle<uint32_t>(in + kSizeAt);
  const size_t actor_bytes = static_cast<uint8_t>(in[kActorLengthAt]);
  const auto kind = static_cast<uint8_t>(in[kKindAt]);
  if (kind != kKindRecord && kind != kKindSealed) {
    *error =
        Unknown(shard, position, fmt::format("a record of kind {} or {}", kKindRecord, kKindSealed),
                fmt::format("kind {}", kind));
    return false;
  }
  const size_t asker_bytes = AskerBytes(in);
  const size_t seal_at = kFrameHeaderBytes + PaddedSize(asker_bytes);
  const size_t body_at = seal_at + (kind == kKindSealed ? kSealBytes : 0);
  if (size < body_at || size > rest.size() || size % kFrameAlignment != 0)
    return corrupt(fmt::format("a record of {} to {} bytes in steps of {}", body_at, rest.size(),
                               kFrameAlignment),
                   fmt::format("{}", size));
  for (size_t at = kReservedAt; at < kFrameHeaderBytes; ++at)
    if (in[at] != 0) return corrupt("reserved bytes of zero", fmt::format("{:#x}", in[at]));
  for (size_t at = kFrameHeaderBytes + asker_bytes; at < seal_at; ++at)
    if (in[at] != 0) return corrupt("padding of zeros", fmt::format("{:#x}", in[at]));
  view->shard = shard;
  view->position = position;
  view->header.instance = InstanceId(LoadLittle<uint64_t>(in + kInstanceAt));
  view->header.first_seq = Seq(LoadLittle<uint64_t>(in + kFirstSeqAt));
  view->header.event_count = LoadLittle<uint32_t>(in + kEventCountAt);
  view->header.time = TimeUs(LoadLittle<int64_t>(in + kTimeAt));
  view->header.causation = Position(LoadLittle<uint64_t>(in + kCausationAt));
  view->header.actor = rest.substr(kFrameHeaderBytes, actor_bytes);
  view->header.source = rest.substr(kFrameHeaderBytes + actor_bytes, asker_bytes - actor_bytes);
  view->seal = rest.substr(seal_at, body_at - seal_at);
  view->erased = false;
  view->body = rest.substr(body_at, size - body_at);
  *frame_bytes = size;
  return true;
}

size_t FrameBodyAt(const char* frame) {
  return kFrameHeaderBytes + PaddedSize(AskerBytes(frame));
}

size_t AppendSealedFrame(std::string_view frame, std::string* frames) {
  const size_t at = frames->size();
  const size_t body_at = FrameBodyAt(frame.data());
  frames->append(frame.substr(0, body_at)).append(kSealBytes, '\0').append(frame.substr(body_at));
  char* out = frames->data() + at;
  StoreLittle(static_cast<uint32_t>(frame.size() + kSealBytes), out + kSizeAt);
  out[kKindAt] = kKindSealed;
  return at + body_at;
}

void AppendCutFrame(const TreeNode& node, std::string* frames) {
  char out[kFrameHeaderBytes] = {};
  StoreLittle(static_cast<uint32_t>(kCutFrameBytes), out + kSizeAt);
  StoreLittle(node.records, out + kCutRecordsAt);
  out[kKindAt] = kKindCut;
  frames->append(out, sizeof out);
  frames->append(reinterpret_cast<const char*>(node.hash.data()), node.hash.size());
}

bool IsCutFrame(std::string_view rest) {
  return rest.size() >= kFrameHeaderBytes && static_cast<uint8_t>(rest[kKindAt]) == kKindCut;
}

bool DecodeCutFrame(std::string_view rest, ShardId shard, Position position, TreeNode* node,
                    Error* error) {
  const auto size = LoadLittle<uint32_t>(rest.data() + kSizeAt);
  if (size != kCutFrameBytes || size > rest.size()) {
    *error = Corrupt(shard, position,
                     fmt::format("records that were cut out, in {} bytes,", kCutFrameBytes),
                     fmt::format("{} of {}", size, rest.size()));
    return false;
  }
  for (size_t at = kCutRecordsAt + 4; at < kFrameHeaderBytes; ++at)
    if (at != kKindAt && rest[at] != 0) {
      *error = Corrupt(shard, position, "nothing but zeros where records were cut out",
                       fmt::format("{:#x}", rest[at]));
      return false;
    }
  node->records = LoadLittle<uint32_t>(rest.data() + kCutRecordsAt);
  if (node->records == 0) {
    *error = Corrupt(shard, position, "records that were cut out", "none");
    return false;
  }
  std::memcpy(node->hash.data(), rest.data() + kFrameHeaderBytes, node->hash.size());
  return true;
}

size_t ClaimedBlockBytes(std::string_view rest) {
  if (rest.size() < kBlockHeaderBytes) return 0;
  return kBlockHeaderBytes + LoadLittle<uint32_t>(rest.data() + kStoredBytesAt);
}

InstanceId FrameInstance(const char* frame) {
  return InstanceId(LoadLittle<uint64_t>(frame + kInstanceAt));
}
Seq FrameFirstSeq(const char* frame) {
  return Seq(LoadLittle<uint64_t>(frame + kFirstSeqAt));
}
TimeUs FrameTime(const char* frame) {
  return TimeUs(LoadLittle<int64_t>(frame + kTimeAt));
}

}  // namespace stele::eventstore
