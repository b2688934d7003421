#include "base/instance_ranges.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

std::vector<InstanceId> Instances(std::initializer_list<uint64_t> numbers) {
  std::vector<InstanceId> instances;
  for (const uint64_t number : numbers) instances.emplace_back(number);
  return instances;
}

TEST(InstanceRanges, JoinWhatFollowsEachOtherAndComeApartAgain) {
  const auto instances = Instances({3, 7, 8, 9, 11});
  const auto ranges = RangesOf(instances);
  EXPECT_EQ(RangesText(ranges), "3, 7-9, 11");
  EXPECT_EQ(InstancesIn(ranges), instances);
  EXPECT_EQ(CountOf(ranges), 5u);
  EXPECT_TRUE(RangesOf({}).empty());
}

TEST(InstanceRanges, ContainTheirEndsAndNothingBetweenThem) {
  const auto ranges = RangesOf(Instances({3, 7, 8, 9}));
  std::vector<InstanceId> found;
  for (uint64_t number = 0; number <= 10; ++number)
    if (Contains(ranges, InstanceId(number))) found.emplace_back(number);
  EXPECT_EQ(found, Instances({3, 7, 8, 9}));
  EXPECT_FALSE(Contains({}, InstanceId(1)));
}

TEST(InstanceRanges, AreJoinedWithNeighboursAndWithThemselves) {
  auto ranges = RangesOf(Instances({3, 8, 9}));
  AddRanges(RangesOf(Instances({4, 6, 9, 10})), ranges);
  EXPECT_EQ(RangesText(ranges), "3-4, 6, 8-10");
  AddRanges({}, ranges);
  AddRanges(RangesOf(Instances({1, 5, 7})), ranges);
  EXPECT_EQ(RangesText(ranges), "1, 3-10");
}

TEST(InstanceRanges, EncloseFromTheLowestToTheHighest) {
  EXPECT_EQ(EnclosingRange(Instances({8, 3, 9, 5})), (InstanceRange{InstanceId(3), InstanceId(9)}));
  EXPECT_EQ(EnclosingRange(Instances({4})), (InstanceRange{InstanceId(4), InstanceId(4)}));
  EXPECT_EQ(EnclosingRange({}), InstanceRange());
}

}  // namespace
}  // namespace stele
