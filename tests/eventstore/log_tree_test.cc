// The tree over all records: roots and proofs against a second, plain implementation of RFC 9162,
// and against the known answers of Certificate Transparency's tests.
#include "eventstore/log_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <set>
#include <string>
#include <vector>

#include "eventstore/gone_nodes.h"
#include "eventstore/record_tree.h"
#include "eventstore/tree_proof.h"
#include "eventstore/tree_rows.h"
#include "tests/eventstore/plain_tree.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// The leaves of the tests of Certificate Transparency and the roots over the first of them.
const std::vector<std::string> kLeaves = {"",
                                          "00",
                                          "10",
                                          "2021",
                                          "3031",
                                          "40414243",
                                          "5051525354555657",
                                          "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

TEST(LogFrontier, HasTheRootsOfCertificateTransparency) {
  LogFrontier frontier;
  EXPECT_EQ(ToHex(frontier.Root()), kRoots[0]);
  for (size_t i = 0; i < kLeaves.size(); ++i) {
    frontier.Add({0, i, LeafOf(FromHex(kLeaves[i]))});
    EXPECT_EQ(ToHex(frontier.Root()), kRoots[i + 1]) << i;
  }
}

TEST(BlockCover, MakesTheSameTreeOfWhateverBlocks) {
  const std::vector<Hash> leaves = SomeLeaves(1500);
  std::vector<LogNode> expected;
  LogFrontier one_by_one;
  for (uint64_t i = 0; i < leaves.size(); ++i) one_by_one.Add({0, i, leaves[i]}, &expected);
  for (uint64_t size : {1, 2, 3, 7, 64, 255, 256, 257, 700, 1500}) {
    LogFrontier frontier;
    std::vector<LogNode> stored;
    BlockCover cover;
    for (uint64_t begin = 0; begin < leaves.size(); begin += size) {
      const uint64_t end = std::min<uint64_t>(begin + size, leaves.size());
      RecordTree block(static_cast<uint32_t>(end - begin));
      cover.Begin(Position(begin + 1));
      for (uint64_t i = begin; i < end; ++i) cover.AddLeaf(leaves[i], &block);
      cover.Finish(&block);
      EXPECT_EQ(block.Root(), PlainRoot(leaves, begin, end));
      EXPECT_LE(cover.nodes().size(), 2 * std::bit_width(size));
      stored.insert(stored.end(), cover.stored().begin(), cover.stored().end());
      for (const LogNode& node : cover.nodes()) frontier.Add(node, &stored);
    }
    EXPECT_EQ(frontier.Root(), one_by_one.Root()) << size;
    const auto place = [](const LogNode& node) { return std::pair(node.level, node.index); };
    std::ranges::sort(stored, {}, place);
    std::ranges::sort(expected, {}, place);
    EXPECT_EQ(stored, expected) << size;
  }
}

TEST(RootByInclusion, IsTheRootForEveryRecordOfEveryTree) {
  const std::vector<Hash> leaves = SomeLeaves(40);
  for (uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = PlainRoot(leaves, 0, size);
    for (uint64_t index = 0; index < size; ++index) {
      const std::vector<Hash> path = PlainPath(leaves, index, 0, size);
      EXPECT_EQ(RootByInclusion(index, size, leaves[index], path), root);
      EXPECT_NE(RootByInclusion(index, size, leaves[(index + 1) % leaves.size()], path), root);
      EXPECT_EQ(RootByInclusion(size, size, leaves[index], path), std::nullopt);
      if (size > 1) {
        EXPECT_NE(RootByInclusion((index + 1) % size, size, leaves[index], path), root);
      }
      std::vector<Hash> longer = path;
      longer.push_back(leaves[0]);
      EXPECT_EQ(RootByInclusion(index, size, leaves[index], longer), std::nullopt);
      for (size_t i = 0; i < path.size(); ++i) {
        std::vector<Hash> changed = path;
        changed[i][i % 32] ^= 1;
        EXPECT_NE(RootByInclusion(index, size, leaves[index], changed), root);
        std::vector<Hash> shorter = path;
        shorter.erase(shorter.begin() + static_cast<ptrdiff_t>(i));
        EXPECT_NE(RootByInclusion(index, size, leaves[index], shorter), root);
      }
    }
  }
}

TEST(IsConsistent, HoldsForEveryBeginOfEveryTreeAndForNothingElse) {
  const std::vector<Hash> leaves = SomeLeaves(40);
  for (uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = PlainRoot(leaves, 0, size);
    for (uint64_t older = 1; older <= size; ++older) {
      const Hash old_root = PlainRoot(leaves, 0, older);
      const std::vector<Hash> path = PlainConsistency(leaves, older, size);
      EXPECT_TRUE(IsConsistent(older, old_root, size, root, path)) << older << " " << size;
      Hash wrong = old_root;
      wrong[7] ^= 4;
      EXPECT_FALSE(IsConsistent(older, wrong, size, root, path));
      wrong = root;
      wrong[9] ^= 8;
      EXPECT_FALSE(IsConsistent(older, old_root, size, wrong, path));
      for (size_t i = 0; i < path.size(); ++i) {
        std::vector<Hash> changed = path;
        changed[i][3] ^= 1;
        EXPECT_FALSE(IsConsistent(older, old_root, size, root, changed));
        changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
        EXPECT_FALSE(IsConsistent(older, old_root, size, root, changed));
      }
      std::vector<Hash> longer = path;
      longer.push_back(root);
      EXPECT_FALSE(IsConsistent(older, old_root, size, root, longer));
    }
  }
  EXPECT_TRUE(IsConsistent(0, PlainRoot(leaves, 0, 0), 7, PlainRoot(leaves, 0, 7), {}));
  EXPECT_FALSE(IsConsistent(0, leaves[0], 7, PlainRoot(leaves, 0, 7), {}));
  EXPECT_FALSE(IsConsistent(8, PlainRoot(leaves, 0, 8), 7, PlainRoot(leaves, 0, 7), {}));
}

// All nodes that the tile and the kept ones give.
TEST(GoneNodes, GiveTheGroupsNodeWhateverIsCut) {
  const std::vector<Hash> leaves = SomeLeaves(kGroupRecords);
  const Hash root = PlainRoot(leaves, 0, kGroupRecords);
  uint64_t random = 7;
  for (int round = 0; round < 50; ++round) {
    GoneNodes gone(3);
    std::set<uint8_t> cut;
    const uint64_t wanted = round * 5;
    while (cut.size() < wanted) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      const auto number = static_cast<uint8_t>(random >> 40);
      if (cut.insert(number).second) gone.Add(number, leaves[number], {3 * kGroupRecords + 77});
    }
    const auto read = GoneNodes::Decode(ShardId(0), 3, gone.Encode());
    ASSERT_OK(read);
    TreeTile tile;
    for (uint64_t i = 0; i < kGroupRecords; ++i)
      if (!cut.contains(static_cast<uint8_t>(i))) tile.Set(0, i, leaves[i]);
    ASSERT_TRUE(read->FillIn(&tile));
    tile.Complete();
    ASSERT_NE(tile.Find(kTileLevels, 0), nullptr);
    EXPECT_EQ(*tile.Find(kTileLevels, 0), root);
    LogFrontier part;
    TreeTile copy = tile;
    ASSERT_TRUE(copy.AddTo(&part, 0, 0, 77)) << "the size that is asked for stays known";
    EXPECT_EQ(part.Root(), PlainRoot(leaves, 0, 77));
  }
}

TEST(GoneNodes, AreOneWhenAllIsGoneUnlessASizeIsAskedFor) {
  const std::vector<Hash> leaves = SomeLeaves(kGroupRecords);
  GoneNodes all(0), split(0);
  for (uint64_t i = 0; i < kGroupRecords; ++i) {
    all.Add(static_cast<uint8_t>(255 - i), leaves[255 - i], {});
    split.Add(static_cast<uint8_t>(i), leaves[i], {128});
  }
  EXPECT_TRUE(all.AreOne());
  EXPECT_FALSE(split.AreOne());
  EXPECT_EQ(split.Encode().size(), 1u + 2 * 34);
}

TEST(GoneNodes, RefuseToStandForARecordThatIsThere) {
  const std::vector<Hash> leaves = SomeLeaves(4);
  GoneNodes gone(0);
  gone.Add(0, leaves[0], {});
  gone.Add(1, leaves[1], {});
  TreeTile tile;
  tile.Set(0, 1, leaves[2]);
  EXPECT_FALSE(gone.FillIn(&tile));
}

}  // namespace
}  // namespace stele::eventstore
