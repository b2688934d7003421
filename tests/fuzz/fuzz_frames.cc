// Any bytes as a stored block and as record frames: an error with the position, or records that
// encode to the same bytes again. The first byte chooses.

#include <string>

#include "base/check.h"
#include "eventstore/block_reader.h"
#include "eventstore/format.h"

using stele::Error;
using stele::Position;
using stele::ShardId;
using stele::eventstore::AppendFrame;
using stele::eventstore::BlockHeader;
using stele::eventstore::BlockReader;
using stele::eventstore::EncodeBlockHeader;
using stele::eventstore::ForgeBlockChecksum;
using stele::eventstore::kBlockHeaderBytes;
using stele::eventstore::kCompressionNone;
using stele::eventstore::kCompressionZstd;
using stele::eventstore::RecordView;

namespace {

constexpr ShardId kShard(0);
constexpr Position kFirst(1);

void CheckError(const Error& error) {
  CHECK(error.message.find("position") != std::string::npos, "{}", error.message);
  CHECK(error.message.find("of shard 0") != std::string::npos, "{}", error.message);
}

void ReadBlock(const std::string& block) {
  BlockReader reader;
  if (auto opened = reader.Open(block, kShard, kFirst); !opened) {
    CheckError(opened.error());
    CHECK(reader.AtEnd());
    return;
  }
  RecordView view;
  Error error{};
  std::string again;
  while (!reader.AtEnd()) {
    if (!reader.Next(&view, &error)) {
      CheckError(error);
      return;
    }
    CHECK(reinterpret_cast<uintptr_t>(view.body.data()) % 8 == 0);
    again.clear();
    AppendFrame(view.header, view.body, &again);
    CHECK(again == reader.frame());
  }
  if (reader.Open(block, kShard, kFirst))
    if (auto verified = reader.VerifyHash(); !verified) CheckError(verified.error());
}

// The bytes behind a header that fits them.
std::string BlockAround(std::string_view body, uint16_t flags, uint32_t count, uint32_t raw_bytes) {
  BlockHeader header;
  header.flags = flags;
  header.shard = kShard;
  header.first = kFirst;
  header.count = count;
  header.raw_bytes = raw_bytes;
  header.stored_bytes = static_cast<uint32_t>(body.size());
  std::string block(kBlockHeaderBytes, '\0');
  block += body;
  EncodeBlockHeader(header, &block);
  return block;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const uint32_t count = 1 + data[0] / 4;
  switch (data[0] % 4) {
    case 0: {
      std::string block(bytes);
      ReadBlock(block);
      if (block.size() < kBlockHeaderBytes) return 0;
      ForgeBlockChecksum(&block);
      ReadBlock(block);
      return 0;
    }
    case 1:
    case 2:
      ReadBlock(BlockAround(bytes, kCompressionNone, count, static_cast<uint32_t>(bytes.size())));
      return 0;
    case 3:
      ReadBlock(BlockAround(bytes, kCompressionZstd, count, count * 64));
      return 0;
  }
  return 0;
}
