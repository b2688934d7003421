#include "cli/load/load.h"

#include <gtest/gtest.h>

#include <vector>

namespace stele::load {
namespace {

constexpr int64_t kSecond = 1'000'000;
// Where the tests' time begins: the clock's zero is nobody's.
constexpr int64_t kBegin = 50 * kSecond;

// A load, and what it said.
struct Told {
  explicit Told(const Plan& plan)
      : load(plan, {.window_begins = [this] { ++begun; },
                    .window_ends = [this] { ++ended; },
                    .second = [this](const Progress& now) { progress.push_back(now); }}) {
    load.Begin(kBegin);
  }

  // What may be begun by then.
  std::vector<int64_t> TakeAll(int64_t now_us) {
    std::vector<int64_t> taken;
    while (const auto from_us = load.Take(now_us)) taken.push_back(*from_us - kBegin);
    return taken;
  }

  int begun = 0;
  int ended = 0;
  std::vector<Progress> progress;
  Load load;
};

TEST(OpenLoop, CountsFromWhenEachWasDueHoweverLateItIsBegun) {
  Told told({.rate = 10, .duration_us = kSecond});
  EXPECT_EQ(told.TakeAll(kBegin), (std::vector<int64_t>{0}));
  // Nobody looked for 0.35 s: what was due meanwhile counts from its own moment.
  EXPECT_EQ(told.TakeAll(kBegin + 350'000), (std::vector<int64_t>{100'000, 200'000, 300'000}));
  EXPECT_EQ(told.load.NextLookUs(kBegin + 395'000), kBegin + 400'000);
}

TEST(OpenLoop, GoesOnThoughNothingIsAnswered) {
  Told told({.rate = 10, .duration_us = 2 * kSecond});
  EXPECT_EQ(told.TakeAll(kBegin + kSecond).size(), 11u);
  EXPECT_EQ(told.TakeAll(kBegin + 1'500'000).size(), 5u);
}

TEST(OpenLoop, ATargetThatStoodStillShowsInEveryLatency) {
  Told told({.rate = 10, .duration_us = kSecond});
  for (int64_t i = 0; i < 10; ++i) ASSERT_TRUE(told.load.Take(kBegin + i * 100'000).has_value());
  // All are answered at the end.
  for (int64_t i = 0; i < 10; ++i) told.load.Done(kBegin + i * 100'000, kBegin + kSecond - 1, 0);
  ASSERT_TRUE(told.load.Look(kBegin + kSecond));
  const auto measured = told.load.Finish();
  ASSERT_TRUE(measured.has_value());
  EXPECT_EQ(measured->latencies_us.max(), kSecond - 1);
  EXPECT_NEAR(static_cast<double>(measured->latencies_us.Percentile(500)), 5e5, 0.05e6);
}

TEST(ClosedLoop, KeepsSoManyUnderWay) {
  Told told({.in_flight = 3, .duration_us = kSecond});
  EXPECT_EQ(told.TakeAll(kBegin).size(), 3u);
  EXPECT_EQ(told.TakeAll(kBegin + 1'000).size(), 0u);
  told.load.Done(kBegin, kBegin + 2'000, 7);
  EXPECT_EQ(told.TakeAll(kBegin + 2'000), (std::vector<int64_t>{2'000}));
}

TEST(ClosedLoop, ARefusalIsNoOperationAndIsFollowedByAPause) {
  Told told({.in_flight = 1, .count = 1});
  ASSERT_EQ(told.TakeAll(kBegin).size(), 1u);
  told.load.Refuse(kBegin + 10, "Expected less but found more");
  EXPECT_EQ(told.TakeAll(kBegin + 20).size(), 0u);
  const int64_t next_us = told.load.NextLookUs(kBegin + 20);
  EXPECT_GT(next_us, kBegin + 1'000);
  EXPECT_FALSE(told.load.Look(next_us));
  ASSERT_EQ(told.TakeAll(next_us).size(), 1u);
  told.load.Done(next_us, next_us + 5, 3);
  ASSERT_TRUE(told.load.Look(next_us + 6));
  const auto measured = told.load.Finish();
  ASSERT_TRUE(measured.has_value());
  EXPECT_EQ(measured->refused, 1u);
  EXPECT_EQ(measured->first_refusal, "Expected less but found more");
  EXPECT_EQ(measured->done, 1u);
}

TEST(Window, IsBehindTheWarmUp) {
  Told told({.in_flight = 4, .warm_up_us = kSecond, .duration_us = kSecond});
  EXPECT_FALSE(told.load.Look(kBegin));
  EXPECT_EQ(told.begun, 0);
  ASSERT_EQ(told.TakeAll(kBegin).size(), 4u);
  // In the warm-up alone; begun in it, done behind; begun and done within; done when it is over.
  told.load.Done(kBegin, kBegin + 10, 100);
  EXPECT_FALSE(told.load.Look(kBegin + kSecond));
  EXPECT_EQ(told.begun, 1);
  told.load.Done(kBegin, kBegin + kSecond + 10, 130);
  told.load.Done(kBegin + kSecond, kBegin + kSecond + 40, 150);
  EXPECT_FALSE(told.load.Look(kBegin + 2 * kSecond)) << "one is under way";
  EXPECT_EQ(told.ended, 1);
  EXPECT_EQ(told.TakeAll(kBegin + 2 * kSecond).size(), 0u);
  told.load.Done(kBegin + kSecond + 30, kBegin + 2 * kSecond + 30, 170);
  ASSERT_TRUE(told.load.Look(kBegin + 2 * kSecond + 40));
  const auto measured = told.load.Finish();
  ASSERT_TRUE(measured.has_value());
  EXPECT_EQ(measured->done, 4u);
  EXPECT_EQ(measured->done_in_window, 2u);
  EXPECT_EQ(measured->window_us, kSecond);
  EXPECT_EQ(measured->records_in_window, 50u);
  EXPECT_EQ(measured->latencies_us.count(), 2u) << "of those that were begun within it";
  EXPECT_EQ(measured->latencies_us.max(), kSecond);
  EXPECT_EQ(told.ended, 1);
}

TEST(Window, OfACountIsFromItsBeginToItsLastAnswer) {
  Told told({.in_flight = 2, .count = 2});
  EXPECT_FALSE(told.load.Look(kBegin));
  EXPECT_EQ(told.begun, 1);
  ASSERT_EQ(told.TakeAll(kBegin).size(), 2u);
  told.load.Done(kBegin, kBegin + 100, 4);
  EXPECT_EQ(told.TakeAll(kBegin + 100).size(), 0u);
  told.load.Done(kBegin, kBegin + 400, 9);
  ASSERT_TRUE(told.load.Look(kBegin + 5'000));
  EXPECT_EQ(told.ended, 1);
  const auto measured = told.load.Finish();
  ASSERT_TRUE(measured.has_value());
  EXPECT_EQ(measured->done_in_window, 2u);
  EXPECT_NEAR(static_cast<double>(measured->window_us), 400, 1);
}

TEST(Progress, IsToldEachSecond) {
  Told told({.in_flight = 1, .warm_up_us = kSecond, .duration_us = 5 * kSecond});
  ASSERT_TRUE(told.load.Take(kBegin).has_value());
  told.load.Done(kBegin, kBegin + 1, 0);
  told.load.Look(kBegin + kSecond - 1);
  EXPECT_TRUE(told.progress.empty());
  told.load.Look(kBegin + kSecond + 10);
  told.load.Look(kBegin + kSecond + 20);
  ASSERT_EQ(told.progress.size(), 1u);
  EXPECT_EQ(told.progress[0].done_since, 1u);
  told.load.Look(kBegin + 2 * kSecond);
  ASSERT_EQ(told.progress.size(), 2u);
  EXPECT_EQ(told.progress[1].done_since, 0u);
}

TEST(Load, EndsWhenWhatIsUnderWayIsNeverAnswered) {
  Told told({.in_flight = 2, .duration_us = kSecond});
  ASSERT_EQ(told.TakeAll(kBegin).size(), 2u);
  EXPECT_FALSE(told.load.Look(kBegin + 30 * kSecond));
  ASSERT_TRUE(told.load.Look(kBegin + 100 * kSecond));
  const auto measured = told.load.Finish();
  ASSERT_FALSE(measured.has_value());
  EXPECT_EQ(measured.error().code, ErrorCode::kTimeout);
  EXPECT_NE(measured.error().message.find("2 of 2"), std::string::npos) << measured.error().message;
}

TEST(Load, EndsAtOnceWithWhatFailed) {
  Told told({.in_flight = 2, .duration_us = kSecond});
  ASSERT_EQ(told.TakeAll(kBegin).size(), 2u);
  told.load.Fail({ErrorCode::kClosed, "the first"});
  told.load.Fail({ErrorCode::kIo, "the second"});
  ASSERT_TRUE(told.load.Look(kBegin + 1));
  EXPECT_EQ(told.load.Finish().error().message, "the first");
  EXPECT_TRUE(told.TakeAll(kBegin + 2).empty());
}

TEST(Load, ThatFailsHasWhatItMeasuredUntilThen) {
  for (const uint64_t count : {0, 10}) {
    Told told({.in_flight = 2, .duration_us = 10 * kSecond, .count = count});
    told.load.Look(kBegin);
    ASSERT_EQ(told.TakeAll(kBegin).size(), 2u);
    told.load.Done(kBegin, kBegin + kSecond, 1);
    told.load.Fail({ErrorCode::kClosed, "it has gone"});
    ASSERT_TRUE(told.load.Look(kBegin + 2 * kSecond));
    EXPECT_EQ(told.ended, 1) << "what was used until then is known, too";
    const auto measured = told.load.Finish();
    ASSERT_TRUE(measured.has_value());
    EXPECT_EQ(measured->cut_short->message, "it has gone");
    EXPECT_EQ(measured->done_in_window, 1u);
    EXPECT_EQ(measured->latencies_us.count(), 1u);
    EXPECT_EQ(measured->window_us, count > 0 ? kSecond + 1 : 2 * kSecond);
  }
}

TEST(Load, ThatFailsInItsWarmUpHasMeasuredNothing) {
  Told told({.in_flight = 1, .warm_up_us = kSecond, .duration_us = kSecond});
  told.load.Look(kBegin);
  ASSERT_TRUE(told.load.Take(kBegin).has_value());
  told.load.Done(kBegin, kBegin + 5, 1);
  told.load.Fail({ErrorCode::kClosed, "it has gone"});
  ASSERT_TRUE(told.load.Look(kBegin + 6));
  EXPECT_EQ(told.load.Finish().error().message, "it has gone");
}

TEST(Load, ThatIsStoppedHasWhatItMeasuredUntilThen) {
  Told told({.in_flight = 1, .duration_us = 10 * kSecond});
  told.load.Look(kBegin);
  ASSERT_TRUE(told.load.Take(kBegin).has_value());
  told.load.Stop(kBegin + 2 * kSecond);
  EXPECT_FALSE(told.load.Look(kBegin + 2 * kSecond)) << "one is under way";
  told.load.Done(kBegin, kBegin + 2 * kSecond + 5, 1);
  ASSERT_TRUE(told.load.Look(kBegin + 2 * kSecond + 6));
  EXPECT_EQ(told.load.Finish()->window_us, 2 * kSecond);
  EXPECT_EQ(told.load.Finish()->latencies_us.count(), 1u);
}

}  // namespace
}  // namespace stele::load
