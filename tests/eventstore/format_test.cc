#include "eventstore/format.h"

#include <gtest/gtest.h>

#include "eventstore/block_reader.h"
#include "eventstore/block_sealer.h"
#include "eventstore/hash.h"
#include "eventstore/limits.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

SealedBlock Seal(const Batch& batch, LogTail before = {}) {
  BlockSealer sealer;
  SealedBlock block;
  EXPECT_OK(sealer.Seal(ShardId(3), before, batch, &block));
  return block;
}

Status ReadWhole(std::string_view bytes, Position first) {
  BlockReader reader;
  STELE_RETURN_IF_ERROR(reader.Open(bytes, ShardId(3), first));
  return reader.VerifyHash();
}

TEST(BlockFormat, GivesBackWhatWasSealed) {
  Batch batch;
  batch.Add(HeaderFor(7, 3, 4), BodyFor(7, 3));
  batch.Add(HeaderFor(8, 1), "");
  const SealedBlock block = Seal(batch, {Position(41), {}});
  BlockReader reader;
  ASSERT_OK(reader.Open(block.value, ShardId(3), Position(41)));
  RecordView view;
  Error error{};
  ASSERT_TRUE(reader.Next(&view, &error)) << error.message;
  EXPECT_EQ(view.position, Position(41));
  EXPECT_EQ(view.header.instance, InstanceId(7));
  EXPECT_EQ(view.header.first_seq, Seq(3));
  EXPECT_EQ(view.header.event_count, 4u);
  EXPECT_EQ(view.header.time, HeaderFor(7, 3).time);
  EXPECT_EQ(view.header.causation, Position(1));
  EXPECT_EQ(view.header.actor, "an operator");
  EXPECT_EQ(view.body, BodyFor(7, 3));
  ASSERT_TRUE(reader.Next(&view, &error)) << error.message;
  EXPECT_EQ(view.position, Position(42));
  EXPECT_EQ(view.body, "");
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(block.after.next, Position(43));
}

TEST(BlockFormat, KeepsWhatDoesNotCompressAsItIs) {
  std::string noise;
  uint64_t state = 1;
  for (int i = 0; i < 4096; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    noise.push_back(static_cast<char>(state >> 56));
  }
  Batch batch;
  batch.Add(HeaderFor(1, 1), noise);
  const SealedBlock block = Seal(batch);
  auto header = DecodeBlockHeader(block.value, ShardId(3), Position(1));
  ASSERT_OK(header);
  EXPECT_EQ(header->flags, kCompressionNone);
  EXPECT_OK(ReadWhole(block.value, Position(1)));
}

TEST(BlockFormat, CompressesRecordsThatResembleEachOther) {
  const SealedBlock block = Seal(RoundRobin(100, 10, 1));
  EXPECT_LT(block.value.size(), block.raw_bytes / 3);
}

TEST(BlockFormat, DetectsEveryFlippedBit) {
  const SealedBlock block = Seal(RoundRobin(5, 2, 1));
  for (size_t bit = 0; bit < block.value.size() * 8; ++bit) {
    std::string bytes = block.value;
    bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
    const auto read = ReadWhole(bytes, Position(1));
    ASSERT_FALSE(read) << "bit " << bit;
    EXPECT_NE(read.error().message.find("position 1 of shard 3"), std::string::npos)
        << read.error().message;
  }
}

TEST(BlockFormat, DetectsEveryTruncation) {
  const SealedBlock block = Seal(RoundRobin(5, 2, 1));
  for (size_t size = 0; size < block.value.size(); ++size)
    EXPECT_CODE(ReadWhole(block.value.substr(0, size), Position(1)), kStoreCorrupt);
}

TEST(BlockFormat, RefusesAVersionFromTheFuture) {
  SealedBlock block = Seal(RoundRobin(1, 1, 1));
  block.value[4] = 2;
  ForgeBlockChecksum(&block.value);
  const auto read = ReadWhole(block.value, Position(1));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kStoreUnknownFormat);
  EXPECT_NE(read.error().message.find("found version 2"), std::string::npos);
}

TEST(BlockFormat, RefusesABlockOfAnotherPlace) {
  const SealedBlock block = Seal(RoundRobin(1, 1, 1));
  EXPECT_CODE(ReadWhole(block.value, Position(2)), kStoreCorrupt);
}

TEST(BlockFormat, RefusesRecordsThatAreNotThoseThatWereHashed) {
  SealedBlock block = Seal(RoundRobin(1, 1, 1));
  auto header = DecodeBlockHeader(block.value, ShardId(3), Position(1));
  ASSERT_OK(header);
  header->previous[0] ^= 1;
  EncodeBlockHeader(*header, &block.value);
  EXPECT_CODE(ReadWhole(block.value, Position(1)), kStoreCorrupt);
}

// SHA-256("\0" + eight bytes of position + the frame), computed elsewhere.
TEST(LeafHash, IsThatOfRfc9162OverPositionAndFrame) {
  EXPECT_EQ(ToHex(LeafHash(Position(1), "stele")),
            "3b07fbb1c49ebd0e16eea60fb29ffe3a930587d1e0bd45132b78b245b13dee3a");
}

// A record that was cut out is known by its leaf: the block's hash needs nothing else.
TEST(LinkHash, NeedsOnlyTheLeaves) {
  const Batch batch = RoundRobin(3, 1, 1);
  const SealedBlock block = Seal(batch);
  RecordTree tree(3);
  for (uint32_t i = 0; i < 3; ++i) {
    const size_t end = i < 2 ? batch.offsets()[i + 1] : batch.bytes();
    tree.AddLeaf(LeafHash(Position(1 + i),
                          batch.frames().substr(batch.offsets()[i], end - batch.offsets()[i])));
  }
  EXPECT_EQ(LinkHash({kFormatVersion, ShardId(3), Position(1), 3, Hash{}}, tree.Root()),
            block.after.hash);
}

TEST(Batch, SplitsAndJoinsWithoutChangingRecords) {
  const Batch whole = RoundRobin(9, 2, 1);
  Batch front, joined;
  front.Append(whole);
  front.Truncate(4);
  joined.Append(front);
  joined.Append(whole, 4);
  EXPECT_EQ(front.count(), 4u);
  EXPECT_EQ(joined.frames(), whole.frames());
  EXPECT_TRUE(std::ranges::equal(joined.offsets(), whole.offsets()));
}

TEST(BlockSealer, RefusesAnEmptyBatch) {
  BlockSealer sealer;
  SealedBlock block;
  EXPECT_CODE(sealer.Seal(ShardId(0), {}, Batch(), &block), kLimitExceeded);
}

TEST(BatchDeathTest, DoesNotTakeABodyOutOfStep) {
  Batch batch;
  EXPECT_DEATH(batch.Add(HeaderFor(1, 1), "seven b"), "body of 7 bytes");
}

TEST(BatchDeathTest, DoesNotTakeALongActor) {
  Batch batch;
  RecordHeader header = HeaderFor(1, 1);
  const std::string actor(kMaxActorBytes + 1, 'a');
  header.actor = actor;
  EXPECT_DEATH(batch.Add(header, ""), "actor of 256 bytes");
}

}  // namespace
}  // namespace stele::eventstore
