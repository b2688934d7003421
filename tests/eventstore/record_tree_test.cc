// The tree over a block's records, and what stays of it when records are cut out.
#include "eventstore/record_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "eventstore/block_sealer.h"
#include "eventstore/cut_frames.h"
#include "eventstore/format.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

Hash LeafOf(uint64_t number) {
  return LeafHash(Position(number), "stele");
}

Hash RootOf(uint32_t records) {
  RecordTree tree(records);
  for (uint32_t i = 1; i <= records; ++i) tree.AddLeaf(LeafOf(i));
  return tree.Root();
}

// As RFC 9162 defines it, 2.1.1.
Hash DefinedRoot(uint64_t first, uint64_t records) {
  if (records == 1) return LeafOf(first);
  uint64_t left = 1;
  while (left * 2 < records) left *= 2;
  return NodeHash(DefinedRoot(first, left), DefinedRoot(first + left, records - left));
}

TEST(RecordTree, IsThatOfRfc9162) {
  for (uint32_t records = 1; records <= 70; ++records)
    ASSERT_EQ(RootOf(records), DefinedRoot(1, records)) << records;
}

// Computed elsewhere, from the definition.
TEST(RecordTree, HasTheKnownRootOfFiveRecords) {
  EXPECT_EQ(ToHex(RootOf(5)), "0e6e3e0fe61a2247308ac8c31f573754ce56a0ccf329069e2ec5c0f1d09fa3ff");
}

TEST(RecordTree, TakesOnlyNodesThatItHas) {
  RecordTree tree(7);
  EXPECT_FALSE(tree.AddNode({0, {}}));
  EXPECT_FALSE(tree.AddNode({8, {}}));
  EXPECT_FALSE(tree.AddNode({3, {}}));
  EXPECT_TRUE(tree.AddNode({2, DefinedRoot(1, 2)}));
  EXPECT_FALSE(tree.AddNode({4, {}}));
  EXPECT_FALSE(tree.AddNode({5, {}}));
  EXPECT_TRUE(tree.AddNode({2, DefinedRoot(3, 2)}));
  EXPECT_TRUE(tree.AddNode({2, DefinedRoot(5, 2)}));
  EXPECT_TRUE(tree.AddNode({1, LeafOf(7)}));
  EXPECT_FALSE(tree.AddNode({1, LeafOf(8)}));
  EXPECT_EQ(tree.Root(), RootOf(7));
  RecordTree whole(7);
  EXPECT_TRUE(whole.AddNode({7, RootOf(7)}));
  EXPECT_EQ(whole.Root(), RootOf(7));
}

constexpr ShardId kShard(3);

// A block of so many records, each of an instance of its own: 1, 2, 3 and so on.
std::string BlockOf(uint32_t records) {
  Batch batch;
  for (uint64_t instance = 1; instance <= records; ++instance) AddRecord(&batch, instance, 1);
  BlockSealer sealer;
  SealedBlock sealed;
  EXPECT_OK(sealer.Seal(kShard, {}, batch, &sealed));
  return sealed.value;
}

// Cuts them out of the block; the number of frames that are left.
size_t CutOf(std::string* block, const std::vector<InstanceId>& instances) {
  BlockReader reader;
  EXPECT_OK(reader.Open(*block, kShard, Position(1), /*archived=*/true));
  std::string frames;
  EXPECT_EQ(CutFrames(reader, instances, &frames), instances.size());
  MakePlainBlock(reader.header(), frames, block);
  EXPECT_OK(reader.Open(*block, kShard, Position(1), true));
  size_t left = 0;
  RecordView view;
  Error error{};
  for (; !reader.AtEnd(); ++left) EXPECT_TRUE(reader.Next(&view, &error)) << error.message;
  EXPECT_OK(reader.Open(*block, kShard, Position(1), true));
  EXPECT_OK(reader.VerifyHash());
  return left;
}

std::vector<InstanceId> AllBut(uint64_t records, std::initializer_list<uint64_t> kept) {
  std::vector<InstanceId> instances;
  for (uint64_t i = 1; i <= records; ++i)
    if (std::ranges::find(kept, i) == kept.end()) instances.push_back(InstanceId(i));
  return instances;
}

TEST(CutFrames, LeavesTheFewestHashes) {
  for (const auto& [kept, frames] :
       std::initializer_list<std::pair<uint64_t, size_t>>{{1, 11}, {512, 11}, {1024, 11}}) {
    std::string block = BlockOf(1024);
    EXPECT_EQ(CutOf(&block, AllBut(1024, {kept})), frames) << kept;
  }
  std::string block = BlockOf(1000);
  EXPECT_EQ(CutOf(&block, AllBut(1000, {})), 1u);
}

TEST(CutFrames, LeavesTheSameInWhateverOrderTheyGo) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    const auto records = static_cast<uint32_t>(1 + random() % 200);
    std::vector<InstanceId> all = AllBut(records, {});
    std::ranges::shuffle(all, random);
    all.resize(random() % (all.size() + 1));
    std::string at_once = BlockOf(records), bit_by_bit = at_once;
    for (size_t at = 0; at < all.size();) {
      const size_t end = std::min(all.size(), at + 1 + random() % 30);
      std::vector<InstanceId> some(all.begin() + static_cast<ptrdiff_t>(at),
                                   all.begin() + static_cast<ptrdiff_t>(end));
      std::ranges::sort(some);
      CutOf(&bit_by_bit, some);
      at = end;
    }
    std::ranges::sort(all);
    if (!all.empty()) CutOf(&at_once, all);
    ASSERT_EQ(at_once, bit_by_bit) << records << " records, round " << round;
  }
}

}  // namespace
}  // namespace stele::eventstore
