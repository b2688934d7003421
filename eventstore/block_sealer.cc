#include "eventstore/block_sealer.h"

#include <fmt/format.h>
#include <zstd.h>

#include "base/check.h"
#include "eventstore/format.h"
#include "eventstore/limits.h"

namespace stele::eventstore {
namespace {

constexpr int kZstdLevel = 1;

}  // namespace

void BlockSealer::FreeContext::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

BlockSealer::BlockSealer() : zstd_(ZSTD_createCCtx()) {
  CHECK(zstd_ != nullptr);
  const size_t set = ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, kZstdLevel);
  CHECK(!ZSTD_isError(set), "{}", ZSTD_getErrorName(set));
}

BlockSealer::~BlockSealer() = default;

void BlockSealer::StoreBody(const Batch& batch, std::string* value, uint16_t* flags) {
  const std::string_view frames = batch.frames();
  // One byte less than the frames: compression that does not shrink fails for want of room.
  value->resize_and_overwrite(kBlockHeaderBytes + frames.size() - 1, [&](char* out, size_t size) {
    const size_t stored = ZSTD_compress2(zstd_.get(), out + kBlockHeaderBytes,
                                         size - kBlockHeaderBytes, frames.data(), frames.size());
    return ZSTD_isError(stored) ? 0 : kBlockHeaderBytes + stored;
  });
  *flags = kCompressionZstd;
  if (!value->empty()) return;
  *flags = kCompressionNone;
  value->resize(kBlockHeaderBytes);
  value->append(frames);
}

Status BlockSealer::Seal(ShardId shard, const LogTail& before, const Batch& batch,
                         SealedBlock* sealed) {
  if (batch.count() == 0 || batch.count() > kMaxBlockRecords || batch.bytes() > kMaxBlockBytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected a batch of 1 to {} records and at most {} bytes but found {} "
                            "records and {} bytes.",
                            kMaxBlockRecords, kMaxBlockBytes, batch.count(), batch.bytes()));
  BlockHeader header;
  header.shard = shard;
  header.count = batch.count();
  header.first = before.next;
  header.raw_bytes = static_cast<uint32_t>(batch.bytes());
  header.previous = before.hash;

  sealed->instances.clear();
  BlockHasher hasher(header.version, shard, header.first, header.count, header.previous);
  const std::string_view frames = batch.frames();
  const auto offsets = batch.offsets();
  for (uint32_t i = 0; i < header.count; ++i) {
    const size_t end = i + 1 < header.count ? offsets[i + 1] : frames.size();
    const std::string_view frame = frames.substr(offsets[i], end - offsets[i]);
    hasher.AddLeaf(LeafHash(header.first.Plus(i), frame));
    sealed->instances.push_back({FrameInstance(frame.data()), FrameFirstSeq(frame.data())});
  }
  header.hash = hasher.Finish();

  StoreBody(batch, &sealed->value, &header.flags);
  header.stored_bytes = static_cast<uint32_t>(sealed->value.size() - kBlockHeaderBytes);
  EncodeBlockHeader(header, &sealed->value);
  sealed->shard = shard;
  sealed->before = before;
  sealed->after = {before.next.Plus(header.count), header.hash};
  sealed->raw_bytes = batch.bytes();
  return {};
}

}  // namespace stele::eventstore
