#include "eventstore/block_sealer.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "base/check.h"
#include "eventstore/format.h"
#include "eventstore/limits.h"
#include "eventstore/record_tree.h"

namespace stele::eventstore {
namespace {

constexpr int kZstdLevel = 1;

}  // namespace

void BlockSealer::FreeContext::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

BlockSealer::BlockSealer(PayloadKeys* keys)
    : zstd_(ZSTD_createCCtx()),
      cipher_(keys == nullptr ? nullptr : std::make_unique<RecordCipher>(*keys)) {
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

Status BlockSealer::CheckLimits(const Batch& batch) const {
  if (batch.count() != 0 && batch.count() <= kMaxBlockRecords && batch.bytes() <= kMaxBlockBytes)
    return {};
  return Fail(ErrorCode::kLimitExceeded,
              fmt::format("Expected a batch of 1 to {} records and at most {} bytes but found {} "
                          "records and {} bytes.",
                          kMaxBlockRecords, kMaxBlockBytes, batch.count(), batch.bytes()));
}

Status BlockSealer::SealPayloads(ShardId shard, Position first, const Batch& batch,
                                 SealedBlock* sealed) {
  with_sealed_.Clear();
  const std::string_view frames = batch.frames();
  const auto offsets = batch.offsets();
  for (uint32_t i = 0; i < batch.count(); ++i) {
    const size_t end = i + 1 < batch.count() ? offsets[i + 1] : frames.size();
    frame_.clear();
    STELE_RETURN_IF_ERROR(cipher_->Seal(
        shard, first.Plus(i), frames.substr(offsets[i], end - offsets[i]), &frame_, &sealed->keys));
    with_sealed_.AddFrame(frame_);
  }
  // An instance's key is asked for by each of its records.
  std::ranges::sort(sealed->keys, {}, &KeyRow::name);
  const auto same = std::ranges::unique(sealed->keys, {}, &KeyRow::name);
  sealed->keys.erase(same.begin(), same.end());
  return CheckLimits(with_sealed_);
}

Status BlockSealer::Seal(ShardId shard, const LogTail& before, const Batch& given,
                         SealedBlock* sealed) {
  STELE_RETURN_IF_ERROR(CheckLimits(given));
  sealed->keys.clear();
  if (cipher_ != nullptr) STELE_RETURN_IF_ERROR(SealPayloads(shard, before.next, given, sealed));
  const Batch& batch = cipher_ == nullptr ? given : with_sealed_;
  BlockHeader header;
  header.shard = shard;
  header.count = batch.count();
  header.first = before.next;
  header.raw_bytes = static_cast<uint32_t>(batch.bytes());
  header.previous = before.hash;

  sealed->instances.clear();
  RecordTree tree(header.count);
  sealed->cover.Begin(header.first);
  const std::string_view frames = batch.frames();
  const auto offsets = batch.offsets();
  for (uint32_t i = 0; i < header.count; ++i) {
    const size_t end = i + 1 < header.count ? offsets[i + 1] : frames.size();
    const std::string_view frame = frames.substr(offsets[i], end - offsets[i]);
    sealed->cover.AddLeaf(LeafHash(header.first.Plus(i), frame), &tree);
    sealed->instances.push_back({FrameInstance(frame.data()), FrameFirstSeq(frame.data())});
  }
  sealed->cover.Finish(&tree);
  header.hash = LinkHash(LinkOf(header), tree.Root());

  StoreBody(batch, &sealed->value, &header.flags);
  header.stored_bytes = static_cast<uint32_t>(sealed->value.size() - kBlockHeaderBytes);
  EncodeBlockHeader(header, &sealed->value);
  sealed->shard = shard;
  sealed->before = before;
  sealed->after = {before.next.Plus(header.count), header.hash};
  sealed->raw_bytes = batch.bytes();
  sealed->last_time = FrameTime(frames.data() + offsets.back());
  return {};
}

}  // namespace stele::eventstore
