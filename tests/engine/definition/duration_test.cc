#include "engine/definition/duration.h"

#include <gtest/gtest.h>

namespace stele::definition {
namespace {

TEST(Duration, IsReadInEveryNotation) {
  EXPECT_EQ(ParseDuration("30s"), 30'000'000);
  EXPECT_EQ(ParseDuration("1h30m"), 5'400'000'000);
  EXPECT_EQ(ParseDuration("500ms"), 500'000);
  EXPECT_EQ(ParseDuration("2 minutes"), 120'000'000);
  EXPECT_EQ(ParseDuration("1.5s"), 1'500'000);
  EXPECT_EQ(ParseDuration("1 day 2 hours"), 93'600'000'000);
  EXPECT_EQ(ParseDuration("PT5M"), 300'000'000);
  EXPECT_EQ(ParseDuration("P1DT12H"), 129'600'000'000);
  EXPECT_EQ(ParseDuration("90"), 90'000'000);
}

TEST(Duration, IsRefusedWhenItHasNoFixedMeaning) {
  for (const char* text : {"", "s", "5x", "-5s", "5s5", "1e9s", "P1M", "PT", "P", "PT5", "1..2s",
                           "99999 days", ".", "5 s x", "nan", "inf s"})
    EXPECT_FALSE(ParseDuration(text)) << text;
}

TEST(Duration, HasABoundThatIsSaidOfWhatIsLonger) {
  EXPECT_EQ(DurationBound(Value("4000d")), " of at most 10 years");
  EXPECT_EQ(DurationBound(Value("P4000D")), " of at most 10 years");
  EXPECT_EQ(DurationBound(Value(1e9)), " of at most 10 years");
  for (const Value& other : {Value("3660d"), Value("soon"), Value(), Value(5), Value(true)})
    EXPECT_EQ(DurationBound(other), "");
}

}  // namespace
}  // namespace stele::definition
