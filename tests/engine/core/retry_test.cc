// Attempts: tried again, timed out, interrupted, too late.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;

CoreDriver OneStep(std::string_view fields) {
  return CoreDriver(fmt::format("id: one\nsteps:\n  - {{id: a, type: script, {}}}\n", fields));
}

// The delays before each retry, until the instance fails.
std::vector<int64_t> Delays(std::string_view policy) {
  CoreDriver one = OneStep(fmt::format("retry: {{{}}}", policy));
  one.Start();
  std::vector<int64_t> delays;
  for (one.Fail("a"); one.Status() == "running"; one.Fail("a")) {
    delays.push_back(one.NextTimerInMs());
    one.Elapse();
  }
  return delays;
}

TEST(Retry, WaitsTheSameTimeWhenFixed) {
  EXPECT_THAT(Delays("max_attempts: 4, initial_delay: 2s, backoff: fixed"),
              ElementsAre(2000, 2000, 2000));
}

TEST(Retry, WaitsLongerByTheSameWhenLinear) {
  EXPECT_THAT(Delays("max_attempts: 4, initial_delay: 2s, backoff: linear"),
              ElementsAre(2000, 4000, 6000));
}

TEST(Retry, MultipliesUpToItsMaximumWhenExponential) {
  EXPECT_THAT(Delays("max_attempts: 6, initial_delay: 1s, multiplier: 3, max_delay: 20s"),
              ElementsAre(1000, 3000, 9000, 20000, 20000));
}

TEST(Retry, DrawsWithinItsJitterAndTheSameEachTime) {
  constexpr std::string_view kPolicy =
      "max_attempts: 20, initial_delay: 10s, backoff: fixed, jitter: 0.5";
  const std::vector<int64_t> delays = Delays(kPolicy);
  EXPECT_EQ(delays.size(), 19u);
  for (const int64_t delay : delays) {
    EXPECT_GE(delay, 5000);
    EXPECT_LE(delay, 10000);
  }
  EXPECT_NE(delays[0], delays[1]);
  EXPECT_EQ(delays, Delays(kPolicy));
}

TEST(Retry, IsOnlyForTheErrorsThatThePolicyNames) {
  constexpr std::string_view kPolicy = "retry: {max_attempts: 3, retry_on: [timeout, busy]}";
  CoreDriver named = OneStep(kPolicy);
  named.Start().Fail("a", "busy");
  EXPECT_EQ(named.Status(), "running");
  CoreDriver other = OneStep(kPolicy);
  other.Start().Fail("a", "broken");
  EXPECT_EQ(other.Failure(), "broken");
}

TEST(Retry, IsNotForErrorsThatThePolicyExcludesOrThatAreFinal) {
  CoreDriver excluded = OneStep("retry: {max_attempts: 3, no_retry_on: [broken]}");
  excluded.Start().Fail("a", "broken");
  EXPECT_EQ(excluded.Failure(), "broken");
  CoreDriver final = OneStep("retry: {max_attempts: 3}");
  final.Start().Fail("a", "busy", /*retryable=*/false);
  EXPECT_EQ(final.Failure(), "busy");
}

TEST(Retry, StartsTheNextAttemptAndRefusesTheOld) {
  CoreDriver one = OneStep("retry: {max_attempts: 2, initial_delay: 1s}");
  one.Start().Fail("a");
  EXPECT_EQ(one.Do(model::CompleteAttempt{.run = one.Run("a"), .attempt = 1})->code,
            ErrorCode::kStaleAttempt);
  one.Elapse();
  EXPECT_THAT(one.Last(), ElementsAre("a: retry elapsed", "a: attempt 2"));
  EXPECT_EQ(one.Do(model::CompleteAttempt{.run = one.Run("a"), .attempt = 1})->code,
            ErrorCode::kStaleAttempt);
  EXPECT_EQ(one.Do(model::FailAttempt{.run = one.Run("a"), .attempt = 3})->code,
            ErrorCode::kStaleAttempt);
  one.Complete("a");
  EXPECT_EQ(one.Status(), "completed");
}

TEST(Timeout, FailsTheAttemptWithWhatThePolicySays) {
  CoreDriver one = OneStep("timeout: 10s, retry: {max_attempts: 2, initial_delay: 1s}");
  one.Start();
  // Who has the attempt keeps its time: it may wait for a place before.
  EXPECT_EQ(one.NextTimerInMs(), -1);
  one.Fail("a", "timeout").Elapse();
  EXPECT_THAT(one.Last(), ElementsAre("a: retry elapsed", "a: attempt 2"));
  EXPECT_EQ(one.NextTimerInMs(), -1);
  one.Fail("a", "timeout");
  EXPECT_EQ(one.Failure(), "timeout");
}

TEST(Timer, IsRefusedBeforeItsTimeAndWhenItIsAnother) {
  CoreDriver one = OneStep("retry: {max_attempts: 2, initial_delay: 1s}");
  one.Start().Fail("a");
  const RunId run = one.Run("a");
  EXPECT_EQ(one.Do(model::ElapseTimer{model::TimerKind::kRetry, run, 1})->code,
            ErrorCode::kStaleAttempt);
  one.Wait(1'000'000);
  EXPECT_EQ(one.Do(model::ElapseTimer{model::TimerKind::kDelay, run, 1})->code,
            ErrorCode::kStaleAttempt);
  EXPECT_EQ(one.Do(model::ElapseTimer{model::TimerKind::kRetry, run, 2})->code,
            ErrorCode::kStaleAttempt);
  EXPECT_FALSE(one.Do(model::ElapseTimer{model::TimerKind::kRetry, run, 1}).has_value());
}

TEST(Delay, EndsWithItsTimer) {
  CoreDriver delay(R"(
id: delay
steps:
  - {id: wait, type: delay, duration: "{{variables.pause}}"}
  - {id: a, type: script, depends_on: [wait]}
)");
  delay.Start(R"({"pause":"90s"})");
  EXPECT_EQ(delay.NextTimerInMs(), 90'000);
  EXPECT_THAT(delay.Running(), ElementsAre());
  delay.Elapse();
  EXPECT_THAT(delay.Running(), ElementsAre("a"));

  CoreDriver bad(std::make_shared<const definition::Definition>(delay.definition()));
  bad.Start(R"({"pause":"soon"})");
  EXPECT_EQ(bad.Failure(), "duration");
}

TEST(Interruption, ByACrashIsChargedToThePolicy) {
  CoreDriver one = OneStep("retry: {max_attempts: 2, initial_delay: 1s}");
  one.Start().Interrupt("a", Interruption::kCrash).Elapse().Interrupt("a", Interruption::kCrash);
  EXPECT_EQ(one.Failure(), "interrupted");
}

TEST(Interruption, ByAShutdownIsNot) {
  CoreDriver one = OneStep("retry: {max_attempts: 2, initial_delay: 1s}");
  one.Start();
  for (int i = 0; i < 5; ++i) {
    one.Interrupt("a", Interruption::kShutdown);
    EXPECT_THAT(one.Running(), ElementsAre());
    EXPECT_EQ(one.NextTimerInMs(), -1);
    EXPECT_FALSE(one.Do(model::RestartAttempt{one.Run("a")}).has_value());
  }
  EXPECT_EQ(one.Do(model::RestartAttempt{one.Run("a")})->code, ErrorCode::kWrongState);
  one.Fail("a");
  EXPECT_EQ(one.Status(), "running") << "the first attempt that counts";
  one.Elapse().Fail("a");
  EXPECT_EQ(one.Failure(), "boom");
}

TEST(Retry, OfNoDelayHasNoneHoweverOftenItIsMultiplied) {
  const std::vector<int64_t> delays =
      Delays("max_attempts: 400, initial_delay: 0s, multiplier: 10");
  EXPECT_EQ(delays, std::vector<int64_t>(399, 0));
}

}  // namespace
}  // namespace stele::test
