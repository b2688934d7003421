// A chunk's body: what goes in comes out again, blocks of which nothing is left made anew from
// their roots, and runs that cannot be right are refused.
#include "eventstore/chunk_body.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "eventstore/block_sealer.h"
#include "eventstore/cut_frames.h"
#include "eventstore/little_endian.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(3);

// Blocks that follow each other, of 1, 2, 3 … records; those that are named are wholly cut out.
class ChunkBodyTest : public testing::Test {
 protected:
  void Add(uint32_t blocks, std::initializer_list<uint32_t> gone) {
    BlockSealer sealer;
    LogTail tail{Position(100), Hash{7}};
    for (uint32_t block = 1; block <= blocks; ++block) {
      SealedBlock sealed;
      ASSERT_OK(sealer.Seal(kShard, tail, RoundRobin(block, 1, 1), &sealed));
      tail = sealed.after;
      BlockReader reader;
      ASSERT_OK(reader.Open(sealed.value, kShard, sealed.before.next, true));
      std::string frames(reader.frames());
      if (std::ranges::find(gone, block) != gone.end())
        ASSERT_OK(CutFrames(reader, {InstanceId(1)}, &frames));
      std::string plain;
      MakePlainBlock(reader.header(), frames, &plain);
      expected_.push_back(plain);
      body_.Add(reader.header(), frames);
    }
  }
  Result<std::vector<StoredBlock>> List(std::string_view bytes) {
    return ListBlocks(bytes, kShard, Position(100), &made_);
  }

  ChunkBody body_;
  std::vector<std::string> expected_;
  std::string made_;
};

TEST_F(ChunkBodyTest, GivesBackEveryBlock) {
  Add(9, {1, 2, 5, 8, 9});
  const std::string bytes = body_.Finish();
  const auto blocks = List(bytes);
  ASSERT_OK(blocks);
  ASSERT_EQ(blocks->size(), 9u);
  Position next(100);
  BlockReader reader;
  for (uint32_t i = 0; i < 9; ++i) {
    EXPECT_EQ((*blocks)[i].first, next);
    EXPECT_EQ((*blocks)[i].bytes, expected_[i]) << i;
    ASSERT_OK(reader.Open((*blocks)[i].bytes, kShard, next, true));
    EXPECT_OK(reader.VerifyHash());
    next = next.Plus(i + 1);
  }
}

TEST_F(ChunkBodyTest, KeepsAHashAndANumberOfEachBlockThatIsGone) {
  Add(20, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  EXPECT_EQ(body_.Finish().size(), kRunHeaderBytes + 20 * kGoneBlockBytes);
  EXPECT_EQ(kGoneBlockBytes, 36u);
}

TEST_F(ChunkBodyTest, RefusesRunsThatCannotBeRight) {
  Add(3, {1, 2, 3});
  const std::string run = body_.Finish();
  ASSERT_OK(List(run));
  const auto with = [&](size_t at, uint32_t number) {
    std::string changed = run;
    StoreLittle(number, changed.data() + at);
    return changed;
  };
  EXPECT_CODE(List(with(4, 0)), kStoreCorrupt);
  EXPECT_CODE(List(with(4, 4)), kStoreCorrupt);
  EXPECT_CODE(List(with(4, UINT32_MAX)), kStoreCorrupt);
  EXPECT_CODE(List(with(kRunHeaderBytes, 0)), kStoreCorrupt);
  EXPECT_CODE(List(with(kRunHeaderBytes, (1u << 20) + 1)), kStoreCorrupt);
  for (size_t size = 1; size < run.size(); ++size)
    EXPECT_CODE(List(run.substr(0, size)), kStoreCorrupt);
}

}  // namespace
}  // namespace stele::eventstore
