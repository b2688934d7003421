#include "server/auth/login_throttle.h"

#include <gtest/gtest.h>

#include <string>

namespace stele::server {
namespace {

constexpr TimeUs kStart(1'700'000'000'000'000);

TimeUs After(int64_t seconds) {
  return kStart.Plus(seconds * kSecondUs);
}

void FailTimes(LoginThrottle& throttle, int times, std::string_view name, std::string_view source) {
  for (int i = 0; i < times; ++i) throttle.Failed(name, source, kStart);
}

TEST(LoginThrottle, LetsFourFailuresPass) {
  LoginThrottle throttle;
  EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", kStart), std::nullopt);
  FailTimes(throttle, 4, "ada", "10.0.0.1");
  EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", kStart), std::nullopt);
}

TEST(LoginThrottle, DoublesTheWaitUpToAQuarterOfAnHour) {
  LoginThrottle throttle;
  FailTimes(throttle, 4, "ada", "10.0.0.1");
  int64_t seconds = 1;
  for (int failures = 5; failures < 40; ++failures) {
    throttle.Failed("ada", "10.0.0.1", kStart);
    EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", kStart),
              std::min<int64_t>(seconds, 900) * kSecondUs)
        << failures;
    seconds = std::min<int64_t>(seconds * 2, 4096);
  }
}

TEST(LoginThrottle, CountsDownWithTheClock) {
  LoginThrottle throttle;
  FailTimes(throttle, 8, "ada", "10.0.0.1");
  EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", After(0)), 8 * kSecondUs);
  EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", After(3)), 5 * kSecondUs);
  EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", After(8)), std::nullopt);
  EXPECT_EQ(throttle.WaitUs("ada", "10.0.0.1", After(-1000)), 8 * kSecondUs)
      << "a clock that was set back";
}

TEST(LoginThrottle, CountsByNameAndByAddress) {
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) throttle.Failed("ada", "10.0.0." + std::to_string(i), kStart);
  EXPECT_TRUE(throttle.WaitUs("ada", "10.9.9.9", kStart).has_value());
  EXPECT_FALSE(throttle.WaitUs("bob", "10.0.0.1", kStart).has_value());
  for (int i = 0; i < 5; ++i) throttle.Failed("user" + std::to_string(i), "10.1.1.1", kStart);
  EXPECT_TRUE(throttle.WaitUs("bob", "10.1.1.1", kStart).has_value());
  EXPECT_FALSE(throttle.WaitUs("user1", "10.2.2.2", kStart).has_value());
}

TEST(LoginThrottle, TakesANetworkOfIPv6ForOneAddress) {
  LoginThrottle throttle;
  for (int i = 1; i <= 5; ++i)
    throttle.Failed("user" + std::to_string(i), "2001:db8:1:2::" + std::to_string(i), kStart);
  EXPECT_TRUE(throttle.WaitUs("x", "2001:db8:1:2:ffff::9", kStart).has_value());
  EXPECT_FALSE(throttle.WaitUs("x", "2001:db8:1:3::1", kStart).has_value());
  for (int i = 1; i <= 5; ++i) throttle.Failed("u" + std::to_string(i), "::ffff:10.0.0.1", kStart);
  EXPECT_TRUE(throttle.WaitUs("x", "10.0.0.1", kStart).has_value());
  EXPECT_FALSE(throttle.WaitUs("x", "::ffff:10.0.0.2", kStart).has_value());
}

TEST(LoginThrottle, ForgetsANameThatSucceeded) {
  LoginThrottle throttle;
  FailTimes(throttle, 5, "ada", "10.0.0.1");
  throttle.Succeeded("ada", "10.0.0.1");
  EXPECT_FALSE(throttle.WaitUs("ada", "10.0.0.1", kStart).has_value());
  FailTimes(throttle, 4, "ada", "10.0.0.9");
  EXPECT_FALSE(throttle.WaitUs("ada", "10.0.0.8", kStart).has_value());
}

TEST(LoginThrottle, SellsNoTriesForAPasswordOfOnesOwn) {
  LoginThrottle throttle;
  for (int i = 0; i < 5; ++i) {
    throttle.Failed("victim" + std::to_string(i), "10.0.0.1", kStart);
    throttle.Failed("mallory", "10.0.0.1", kStart);
    throttle.Succeeded("mallory", "10.0.0.1");
  }
  EXPECT_EQ(throttle.WaitUs("victim9", "10.0.0.1", kStart), kSecondUs);
}

TEST(LoginThrottle, ForgetsAfterAnHour) {
  LoginThrottle throttle;
  FailTimes(throttle, 30, "ada", "10.0.0.1");
  throttle.Failed("ada", "10.0.0.1", After(3599));
  EXPECT_TRUE(throttle.WaitUs("ada", "10.0.0.1", After(3599)).has_value());
  throttle.Failed("ada", "10.0.0.1", After(3599 + 3600));
  EXPECT_FALSE(throttle.WaitUs("ada", "10.0.0.1", After(3599 + 3600)).has_value());
}

TEST(LoginThrottle, TracksABoundedNumberAndDropsTheOneThatFailedLongestAgo) {
  LoginThrottle throttle(6);
  FailTimes(throttle, 5, "ada", "10.0.0.1");
  FailTimes(throttle, 5, "bob", "10.0.0.2");
  throttle.Failed("ada", "10.0.0.1", kStart);
  throttle.Failed("eve", "10.0.0.3", kStart);
  EXPECT_EQ(throttle.tracked(), 6u);
  throttle.Failed("kim", "10.0.0.4", kStart);
  EXPECT_EQ(throttle.tracked(), 6u);
  EXPECT_FALSE(throttle.WaitUs("bob", "10.0.0.2", kStart).has_value());
  EXPECT_TRUE(throttle.WaitUs("ada", "10.0.0.1", kStart).has_value());
}

TEST(LoginThrottle, TracksTenThousandAtMost) {
  LoginThrottle throttle;
  for (int i = 0; i < 20'000; ++i) throttle.Failed("n" + std::to_string(i), "10.0.0.1", kStart);
  EXPECT_EQ(throttle.tracked(), kMaxThrottled);
  EXPECT_TRUE(throttle.WaitUs("new", "10.0.0.1", kStart).has_value());
}

TEST(LoginThrottle, KeepsWhatItCountedWhenItIsMoved) {
  LoginThrottle first;
  FailTimes(first, 5, "ada", "10.0.0.1");
  LoginThrottle second(std::move(first));
  second.Failed("ada", "10.0.0.1", kStart);
  EXPECT_EQ(second.WaitUs("ada", "10.0.0.2", kStart), 2 * kSecondUs);
}

}  // namespace
}  // namespace stele::server
