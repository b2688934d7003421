#include "eventstore/block_reader.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
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
  rest_ = frames_ = {out, static_cast<size_t>(claimed)};
  return {};
}

Status BlockReader::Open(std::string_view block, ShardId shard, Position first, bool archived) {
  header_.count = read_ = 0;
  archived_ = archived;
  auto header = DecodeBlockHeader(block, shard, first, archived);
  if (!header) return std::unexpected(std::move(header).error());
  STELE_RETURN_IF_ERROR(VerifyBlockChecksum(block, shard, first));
  header_ = *header;
  const uint32_t count = std::exchange(header_.count, 0);
  STELE_RETURN_IF_ERROR(Decompress(block.substr(kBlockHeaderBytes)));
  header_.count = count;
  return {};
}

bool BlockReader::Next(RecordView* view, Error* error) {
  if (archived_ && IsCutFrame(rest_)) [[unlikely]]
    return NextCut(view, error);
  cut_ = 0;
  size_t size = 0;
  if (!DecodeFrame(rest_, header_.shard, next_position(), view, &size, error)) return false;
  return Took(size, 1, error);
}

Status BlockReader::OpenPayloads(RecordCipher& cipher, RecordView* view) {
  char* frames = reinterpret_cast<char*>(buffer_.get());
  return cipher.Open(frames + (frame_.data() - frames_.data()), view);
}

bool BlockReader::NextCut(RecordView* view, Error* error) {
  *view = {};
  view->shard = header_.shard;
  view->position = next_position();
  TreeNode node;
  if (!DecodeCutFrame(rest_, header_.shard, view->position, &node, error)) return false;
  cut_ = node.records;
  cut_hash_ = node.hash;
  if (cut_ <= header_.count - read_) return Took(kCutFrameBytes, cut_, error);
  *error = Corrupt(header_, fmt::format("{} more records", header_.count - read_),
                   fmt::format("{} that were cut out", cut_))
               .error();
  return false;
}

TreeNode BlockReader::Node() const {
  if (cut_ > 0) return {cut_, cut_hash_};
  return {1, LeafHash(header_.first.Plus(read_ - 1), frame_)};
}

bool BlockReader::Took(size_t bytes, uint32_t records, Error* error) {
  frame_ = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  read_ += records;
  if (AtEnd() && !rest_.empty()) {
    *error = Corrupt(header_, fmt::format("{} records", header_.count),
                     fmt::format("{} bytes behind them", rest_.size()))
                 .error();
    return false;
  }
  return true;
}

Status BlockReader::VerifyHash(Summary* summary, const EachNode& each) {
  RecordTree tree(header_.count);
  RecordView view;
  Error error{};
  while (!AtEnd()) {
    if (!Next(&view, &error)) return std::unexpected(error);
    const TreeNode node = Node();
    if (!tree.AddNode(node))
      return Corrupt(header_, "records cut out at a node of the tree",
                     fmt::format("{} of them before position {}", cut_, next_position().value));
    if (each) STELE_RETURN_IF_ERROR(each(node, cut_ > 0));
    if (summary == nullptr) continue;
    if (cut_ > 0) {
      summary->cut += cut_;
    } else {
      summary->earliest = std::min(summary->earliest, view.header.time);
      summary->latest = std::max(summary->latest, view.header.time);
    }
  }
  const Hash hash = LinkHash(LinkOf(header_), tree.Root());
  if (hash == header_.hash) return {};
  return Corrupt(header_, "records with hash " + ToHex(header_.hash), ToHex(hash));
}

}  // namespace stele::eventstore
