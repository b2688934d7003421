#include "base/clock.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(ManualClock, StandsStillUntilItIsMoved) {
  ManualClock clock(TimeUs(1'000));
  EXPECT_EQ(clock.Now(), TimeUs(1'000));
  EXPECT_EQ(clock.Now(), TimeUs(1'000));
  clock.Advance(250);
  EXPECT_EQ(clock.Now(), TimeUs(1'250));
  clock.Set(TimeUs(10));
  EXPECT_EQ(clock.Now(), TimeUs(10));
}

TEST(SystemClock, CountsMicrosecondsSinceTheEpoch) {
  // Between 2020 and 2200: a wrong unit or epoch is off by a factor, not by years.
  const TimeUs now = SystemClock().Now();
  EXPECT_GT(now, TimeUs(1'577'836'800'000'000));
  EXPECT_LT(now, TimeUs(7'258'118'400'000'000));
}

}  // namespace
}  // namespace stele
