#include "eventstore/block_reader.h"

#include <fmt/format.h>
#include <zstd.h>

#include <cstring>

#include "base/check.h"

namespace stele::eventstore {
namespace {

std::unexpected<Error> Corrupt(const BlockHeader& header, const std::string& expected,
                               const std::string& found) {
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} in the block at position {} of shard {} but found {}.",
                          expected, header.first.value, header.shard.value, found));
}

}  // namespace

void BlockReader::FreeContext::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

BlockReader::BlockReader() : zstd_(ZSTD_createDCtx()) {
  CHECK(zstd_ != nullptr);
}
BlockReader::~BlockReader() = default;

Status BlockReader::Decompress(std::string_view body) {
  const bool compressed = (header_.flags & kCompressionMask) == kCompressionZstd;
  const auto claimed =
      compressed ? ZSTD_getFrameContentSize(body.data(), body.size()) : body.size();
  if (claimed != header_.raw_bytes)
    return Corrupt(
        header_, fmt::format("{} bytes of frames", header_.raw_bytes),
        claimed == ZSTD_CONTENTSIZE_ERROR ? "no zstd frame" : fmt::format("{}", claimed));
  if (capacity_ < claimed) {
    buffer_ = std::make_unique_for_overwrite<uint64_t[]>((claimed + 7) / 8);
    capacity_ = (claimed + 7) / 8 * 8;
  }
  char* out = reinterpret_cast<char*>(buffer_.get());
  if (!compressed) {
    std::memcpy(out, body.data(), body.size());
  } else {
    const size_t size = ZSTD_decompressDCtx(zstd_.get(), out, claimed, body.data(), body.size());
    if (ZSTD_isError(size) || size != claimed)
      return Corrupt(header_, fmt::format("{} bytes of zstd data", claimed),
                     ZSTD_isError(size) ? ZSTD_getErrorName(size) : fmt::format("{}", size));
  }
  rest_ = {out, static_cast<size_t>(claimed)};
  return {};
}

Status BlockReader::Open(std::string_view block, ShardId shard, Position first) {
  header_.count = read_ = 0;
  auto header = DecodeBlockHeader(block, shard, first);
  if (!header) return std::unexpected(std::move(header).error());
  STELE_RETURN_IF_ERROR(VerifyBlockChecksum(block, shard, first));
  header_ = *header;
  const uint32_t count = std::exchange(header_.count, 0);
  STELE_RETURN_IF_ERROR(Decompress(block.substr(kBlockHeaderBytes)));
  header_.count = count;
  return {};
}

bool BlockReader::Next(RecordView* view, Error* error) {
  size_t size = 0;
  if (!DecodeFrame(rest_, header_.shard, next_position(), view, &size, error)) return false;
  frame_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  ++read_;
  if (AtEnd() && !rest_.empty()) {
    *error = Corrupt(header_, fmt::format("{} records", header_.count),
                     fmt::format("{} bytes behind them", rest_.size()))
                 .error();
    return false;
  }
  return true;
}

Status BlockReader::VerifyHash() {
  BlockHasher hasher(header_.version, header_.shard, header_.first, header_.count,
                     header_.previous);
  RecordView view;
  Error error{};
  while (!AtEnd()) {
    if (!Next(&view, &error)) return std::unexpected(error);
    hasher.AddLeaf(LeafHash(view.position, frame_));
  }
  const Hash hash = hasher.Finish();
  if (hash == header_.hash) return {};
  return Corrupt(header_, "records with hash " + ToHex(header_.hash), ToHex(hash));
}

}  // namespace stele::eventstore
