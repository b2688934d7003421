#include "base/check.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(Check, SaysNothingWhenTheConditionHolds) {
  int evaluated = 0;
  CHECK(++evaluated == 1, "never formatted: {}", ++evaluated);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, EndsTheProcessWithThePlaceTheConditionAndTheValues) {
  const int position = 7;
  EXPECT_DEATH(CHECK(position < 5, "position {} of {}", position, 5),
               "check_test\\.cc:[0-9]+: CHECK failed: position < 5: position 7 of 5");
}

TEST(CheckDeathTest, NeedsNoValues) {
  EXPECT_DEATH(CHECK(1 == 2), "CHECK failed: 1 == 2\n");
}

}  // namespace
}  // namespace stele
