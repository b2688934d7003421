#include "eventstore/chunk_body.h"

#include <fmt/format.h>

#include "eventstore/cut_frames.h"
#include "eventstore/limits.h"
#include "eventstore/little_endian.h"

namespace stele::eventstore {
namespace {

constexpr size_t kMadeBlockBytes = kBlockHeaderBytes + kCutFrameBytes;

// The root of a block of which nothing else is left.
bool IsGone(const BlockHeader& header, std::string_view frames, TreeNode* root) {
  Error ignored{};
  return frames.size() == kCutFrameBytes && IsCutFrame(frames) &&
         DecodeCutFrame(frames, header.shard, header.first, root, &ignored) &&
         root->records == header.count;
}

uint32_t BlocksOfRun(std::string_view run) {
  return LoadLittle<uint32_t>(run.data() + 4);
}

bool IsRun(std::string_view rest) {
  return rest.size() >= kRunHeaderBytes && LoadLittle<uint32_t>(rest.data()) == kRunMagic;
}

std::unexpected<Error> BadRun(ShardId shard, Position first, const std::string& expected,
                              const std::string& found) {
  return Fail(
      ErrorCode::kStoreCorrupt,
      fmt::format("Expected {} at position {} of shard {}, where all was cut out, but found "
                  "{}.",
                  expected, first.value, shard.value, found));
}

// How many bytes of blocks the runs of a body stand for. Nothing is checked but what it needs.
size_t MadeBytes(std::string_view body) {
  size_t bytes = 0;
  while (!body.empty()) {
    size_t size = 0;
    if (IsRun(body)) {
      const uint64_t blocks = BlocksOfRun(body);
      size = kRunHeaderBytes + blocks * kGoneBlockBytes;
      if (size > body.size()) return bytes;
      bytes += blocks * kMadeBlockBytes;
    } else {
      size = ClaimedBlockBytes(body);
      if (size == 0 || size > body.size()) return bytes;
    }
    body.remove_prefix(size);
  }
  return bytes;
}

// Takes the run at the start of `rest`. REQUIRES: IsRun(*rest), and room in `made`.
Status MakeRun(std::string_view* rest, ShardId shard, Position* next, std::string* made,
               std::vector<StoredBlock>* blocks) {
  const uint64_t count = BlocksOfRun(*rest);
  const size_t size = kRunHeaderBytes + count * kGoneBlockBytes;
  if (count == 0 || size > rest->size())
    return BadRun(shard, *next, "1 or more blocks that are there",
                  fmt::format("{} in {} bytes", count, rest->size()));
  BlockHeader header;
  header.shard = shard;
  std::memcpy(header.previous.data(), rest->data() + 8, header.previous.size());
  std::string frames, block;
  for (uint64_t i = 0; i < count; ++i) {
    TreeNode root;
    root.records = LoadLittle<uint32_t>(rest->data() + kRunHeaderBytes + 4 * i);
    std::memcpy(root.hash.data(), rest->data() + kRunHeaderBytes + 4 * count + sizeof(Hash) * i,
                sizeof(Hash));
    if (root.records == 0 || root.records > kMaxBlockRecords)
      return BadRun(shard, *next, fmt::format("1 to {} records", kMaxBlockRecords),
                    fmt::format("{}", root.records));
    header.first = *next;
    header.count = root.records;
    header.hash = LinkHash(LinkOf(header), root.hash);
    frames.clear();
    AppendCutFrame(root, &frames);
    MakePlainBlock(header, frames, &block);
    const size_t at = made->size();
    made->append(block);
    blocks->push_back({*next, std::string_view(*made).substr(at), true});
    *next = next->Plus(root.records);
    header.previous = header.hash;
  }
  rest->remove_prefix(size);
  return {};
}

}  // namespace

void ChunkBody::Add(const BlockHeader& header, std::string_view frames) {
  TreeNode root;
  if (!IsGone(header, frames, &root)) {
    Finish();
    MakePlainBlock(header, frames, &block_);
    bytes_ += block_;
    return;
  }
  if (counts_.empty()) before_ = header.previous;
  char count[4];
  StoreLittle(root.records, count);
  counts_.append(count, sizeof count);
  roots_.append(reinterpret_cast<const char*>(root.hash.data()), root.hash.size());
}

size_t ChunkBody::size() const {
  return bytes_.size() + counts_.size() + roots_.size();
}

const std::string& ChunkBody::Finish() {
  if (counts_.empty()) return bytes_;
  char start[8];
  StoreLittle(kRunMagic, start);
  StoreLittle(static_cast<uint32_t>(counts_.size() / 4), start + 4);
  bytes_.append(start, sizeof start);
  bytes_.append(reinterpret_cast<const char*>(before_.data()), before_.size());
  bytes_ += counts_;
  bytes_ += roots_;
  counts_.clear();
  roots_.clear();
  return bytes_;
}

Result<std::vector<StoredBlock>> ListBlocks(std::string_view body, ShardId shard, Position first,
                                            std::string* made) {
  std::vector<StoredBlock> blocks;
  made->clear();
  made->reserve(MadeBytes(body));
  while (!body.empty()) {
    if (IsRun(body)) {
      STELE_RETURN_IF_ERROR(MakeRun(&body, shard, &first, made, &blocks));
      continue;
    }
    const size_t bytes = ClaimedBlockBytes(body);
    auto header = DecodeBlockHeader(body.substr(0, bytes), shard, first, /*archived=*/true);
    if (!header) return std::unexpected(std::move(header).error());
    blocks.push_back({first, body.substr(0, bytes), true});
    body.remove_prefix(bytes);
    first = first.Plus(header->count);
  }
  return blocks;
}

}  // namespace stele::eventstore
