#include "server/observation/durations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace stele::server {
namespace {

using testing::ElementsAre;

constexpr std::array kBounds = {1.0, 2.0, 4.0};

TEST(Durations, GoToTheFirstBoundThatIsNotBelow) {
  Durations durations(kBounds);
  for (const int64_t us : {0, 1'000'000, 1'000'001, 4'000'000, 4'000'001}) durations.Add(us);
  EXPECT_THAT(durations.counts(), ElementsAre(2, 1, 1));
  EXPECT_EQ(durations.count(), 5u);
  EXPECT_DOUBLE_EQ(durations.sum_seconds(), 10.000002);
}

TEST(Durations, OfAClockThatWasPutBackAreNothing) {
  Durations durations(kBounds);
  durations.Add(-5);
  EXPECT_THAT(durations.counts(), ElementsAre(1, 0, 0));
  EXPECT_EQ(durations.sum_seconds(), 0);
}

TEST(Durations, OfAHistogramHaveItsCountAndSum) {
  projections::Histogram histogram;
  for (const int64_t us : {500'000, 1'500'000, 3'000'000, 9'000'000}) histogram.Add(us);
  const Durations durations = Durations::Of(histogram, kBounds);
  EXPECT_THAT(durations.counts(), ElementsAre(1, 1, 1));
  EXPECT_EQ(durations.count(), 4u);
  EXPECT_DOUBLE_EQ(durations.sum_seconds(), 14.0);
}

TEST(Durations, HaveBoundsThatAscend) {
  for (const auto bounds : {RequestBounds(), WorkBounds(), DoublingBounds()})
    for (size_t i = 1; i < bounds.size(); ++i) EXPECT_LT(bounds[i - 1], bounds[i]);
  EXPECT_EQ(DoublingBounds().size(), 10u);
  EXPECT_EQ(DoublingBounds().back(), 512);
}

}  // namespace
}  // namespace stele::server
