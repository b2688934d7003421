#include "base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace stele {
namespace {

TEST(Ids, DoNotConvertIntoEachOther) {
  EXPECT_FALSE((std::is_convertible_v<Position, Seq>));
  EXPECT_FALSE((std::is_constructible_v<Position, Seq>));
  EXPECT_FALSE((std::is_convertible_v<uint64_t, InstanceId>));
  EXPECT_FALSE((std::is_convertible_v<InstanceId, uint64_t>));
  EXPECT_FALSE((std::is_assignable_v<Position&, uint64_t>));
}

TEST(Ids, AreEmptyAtZero) {
  EXPECT_FALSE(static_cast<bool>(InstanceId()));
  EXPECT_TRUE(static_cast<bool>(InstanceId(1)));
}

TEST(Ids, CountAndCompare) {
  EXPECT_EQ(Seq(4).Next(), Seq(5));
  EXPECT_EQ(Position(10).Plus(32), Position(42));
  EXPECT_LT(Position(9), Position(10));
  EXPECT_LT(TimeUs(-1), TimeUs(0));
}

TEST(Ids, KeepAllOfTheirBits) {
  EXPECT_EQ(Position(UINT64_MAX).value, UINT64_MAX);
  EXPECT_EQ(StepIndex(kNoIndex).value, UINT32_MAX);
}

TEST(Ids, AreKeysOfUnorderedContainers) {
  std::unordered_set<InstanceId> ids;
  for (uint64_t i = 1; i <= 1'000; ++i) ids.insert(InstanceId(i));
  EXPECT_EQ(ids.size(), 1'000u);
  EXPECT_TRUE(ids.contains(InstanceId(1'000)));
  EXPECT_FALSE(ids.contains(InstanceId(1'001)));
}

}  // namespace
}  // namespace stele
