// Durations in buckets: what is exact, and how far off the rest may be.
#include "projections/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "projections/row.h"

namespace stele::projections {
namespace {

Histogram Of(const std::vector<int64_t>& values) {
  Histogram histogram;
  for (const int64_t value : values) histogram.Add(value);
  return histogram;
}

// From a microsecond to some days, evenly over the powers of ten.
std::vector<int64_t> Durations(size_t count, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int64_t> values;
  for (size_t i = 0; i < count; ++i) {
    const double exponent = static_cast<double>(random() % 1'150'000) / 100'000;
    values.push_back(static_cast<int64_t>(std::pow(10.0, exponent)));
  }
  return values;
}

TEST(Histogram, OfNothingTellsNothing) {
  const Histogram none;
  EXPECT_EQ(none.count(), 0u);
  EXPECT_EQ(none.Average(), 0);
  EXPECT_EQ(none.Percentile(500), 0);
  EXPECT_TRUE(none.Bars().empty());
}

TEST(Histogram, KnowsCountSumAndEndsExactly) {
  const Histogram histogram = Of({1'000'003, 7, 90'000'000'001});
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.sum(), 90'001'000'011u);
  EXPECT_EQ(histogram.min(), 7);
  EXPECT_EQ(histogram.max(), 90'000'000'001);
  EXPECT_EQ(histogram.Average(), 30'000'333'337);
  EXPECT_EQ(histogram.Percentile(0), 7);
  EXPECT_EQ(histogram.Percentile(1000), 90'000'000'001);
}

TEST(Histogram, TellsSmallValuesApart) {
  std::vector<int64_t> values;
  for (int64_t value = 0; value < 32; ++value) values.push_back(value);
  const Histogram histogram = Of(values);
  ASSERT_EQ(histogram.Bars().size(), 32u);
  for (int64_t value = 0; value < 32; ++value)
    EXPECT_EQ(histogram.Bars()[static_cast<size_t>(value)], (Histogram::Bar{value, value, 1}));
  EXPECT_EQ(histogram.Percentile(500), 15) << "the sixteenth of thirty-two";
}

TEST(Histogram, HasABucketForEveryValue) {
  std::vector<int64_t> edges = {0, INT64_MAX, INT64_MAX - 1};
  for (int shift = 1; shift < 63; ++shift)
    for (const int64_t off : {-1, 0, 1}) edges.push_back((int64_t{1} << shift) + off);
  for (const int64_t value : edges) {
    const std::vector<Histogram::Bar> bars = Of({value}).Bars();
    ASSERT_EQ(bars.size(), 1u);
    EXPECT_LE(bars[0].from, value);
    EXPECT_GE(bars[0].to, value);
    EXPECT_LE(static_cast<double>(bars[0].to - bars[0].from),
              static_cast<double>(bars[0].from) * 2 * Histogram::kRelativeError);
  }
}

TEST(Histogram, HasBucketsSideBySide) {
  Histogram histogram;
  for (int64_t value = 0; value < 5'000; ++value) histogram.Add(value);
  int64_t next = 0;
  for (const Histogram::Bar& bar : histogram.Bars()) {
    EXPECT_EQ(bar.from, next);
    next = bar.to + 1;
  }
}

TEST(Histogram, TellsPercentilesWithinItsError) {
  for (const size_t count : {1, 2, 3, 10, 101, 10'000}) {
    std::vector<int64_t> values = Durations(count, 42);
    const Histogram histogram = Of(values);
    std::ranges::sort(values);
    for (const uint32_t permille : {1, 100, 500, 900, 950, 990, 999}) {
      const size_t rank = std::max<size_t>((count * permille + 999) / 1000, 1);
      const auto exact = static_cast<double>(values[rank - 1]);
      EXPECT_NEAR(static_cast<double>(histogram.Percentile(permille)), exact,
                  exact * Histogram::kRelativeError)
          << permille << " of " << count;
    }
  }
}

TEST(Histogram, MergesIntoWhatOneOfAllValuesIs) {
  const std::vector<int64_t> one = Durations(500, 1), other = Durations(700, 2);
  std::vector<int64_t> both = one;
  both.insert(both.end(), other.begin(), other.end());
  Histogram merged = Of(one);
  merged.Merge(Of(other));
  EXPECT_EQ(merged, Of(both));
  Histogram turned = Of(other);
  turned.Merge(Of(one));
  EXPECT_EQ(turned, merged);
  turned.Merge(Histogram());
  EXPECT_EQ(turned, merged);
  Histogram fresh;
  fresh.Merge(merged);
  EXPECT_EQ(fresh, merged);
}

TEST(Histogram, TakesAClockThatWasPutBackAsNothing) {
  const Histogram histogram = Of({-5, 3});
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.sum(), 3u);
}

TEST(Histogram, StopsAtTheLargestSum) {
  Histogram histogram = Of({INT64_MAX, INT64_MAX, INT64_MAX});
  EXPECT_EQ(histogram.sum(), UINT64_MAX);
  histogram.Merge(Of({INT64_MAX}));
  EXPECT_EQ(histogram.sum(), UINT64_MAX);
  EXPECT_EQ(histogram.count(), 4u);
}

TEST(Histogram, IsTheSameAfterItWasStored) {
  const Histogram histogram = Of(Durations(300, 3));
  Histogram read;
  ASSERT_TRUE(DecodeRow(EncodeRow(histogram), &read));
  EXPECT_EQ(read, histogram);
}

}  // namespace
}  // namespace stele::projections
