// Numbers of rows in a block, and what rows are sorted by, as bytes.
#include "projections/number_set.h"

#include <gmock/gmock.h>

#include <random>

#include "projections/column.h"

namespace stele::projections {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr uint64_t kBase = 7 << 10;

Numbers ReadBack(const Numbers& numbers, uint64_t base = kBase) {
  Numbers read;
  EXPECT_TRUE(DecodeNumbers(EncodeNumbers(numbers, base), base, &read));
  return read;
}

TEST(NumberSet, ReadsBackWhatWasWritten) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    const uint64_t spread = 1 + random() % (round % 2 == 0 ? 5 : 5'000'000);
    Numbers numbers;
    uint64_t last = kBase + random() % spread;
    for (uint64_t n = 1 + random() % 300; n > 0; --n) {
      numbers.push_back(last);
      last += 1 + random() % spread;
    }
    EXPECT_THAT(ReadBack(numbers), ElementsAreArray(numbers));
  }
}

TEST(NumberSet, OfManyIsABitEach) {
  Numbers all;
  for (uint64_t i = 0; i < 1'024; ++i) all.push_back(kBase + i);
  EXPECT_EQ(EncodeNumbers(all, kBase).size(), 129u);
  EXPECT_THAT(ReadBack(all), ElementsAreArray(all));
}

TEST(NumberSet, OfOneIsAFewBytes) {
  EXPECT_EQ(EncodeNumbers(Numbers{kBase}, kBase).size(), 2u);
  EXPECT_EQ(EncodeNumbers(Numbers{kBase + 1'023}, kBase).size(), 3u);
  EXPECT_THAT(ReadBack({kBase + (uint64_t{1} << 33)}), ElementsAreArray({kBase + (1ull << 33)}));
}

TEST(NumberSet, IsNotReadFromOtherBytes) {
  Numbers numbers;
  EXPECT_FALSE(DecodeNumbers("", kBase, &numbers));
  EXPECT_FALSE(DecodeNumbers(std::string(1, '\0'), kBase, &numbers));
  EXPECT_FALSE(DecodeNumbers("\2abc", kBase, &numbers)) << "no such form";
  EXPECT_FALSE(DecodeNumbers(std::string("\0\x80", 2), kBase, &numbers)) << "half a distance";
  EXPECT_FALSE(DecodeNumbers(std::string("\0\1\0", 3), kBase, &numbers)) << "one twice";
}

TEST(Column, ReadsBackWhatWasWritten) {
  const std::vector<ColumnEntry> entries = {
      {kBase, INT64_MIN}, {kBase + 1, INT64_MAX}, {kBase + 5, -1}, {kBase + 1'000, 0}};
  std::vector<ColumnEntry> read;
  ASSERT_TRUE(DecodeColumn(EncodeColumn(entries, kBase), kBase, &read));
  ASSERT_EQ(read.size(), entries.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].row, entries[i].row);
    EXPECT_EQ(read[i].value, entries[i].value);
  }
  EXPECT_FALSE(DecodeColumn("\1", kBase, &read));
  EXPECT_TRUE(DecodeColumn("", kBase, &read));
  EXPECT_THAT(read, IsEmpty());
}

TEST(Zones, ReadBackWhatWasWritten) {
  const std::vector<Zone> zones = {
      {kBase, INT64_MIN, INT64_MAX}, {kBase + 9, -5, -5}, {kBase + 255, 1, 2}};
  std::vector<Zone> read;
  ASSERT_TRUE(DecodeZones(EncodeZones(zones, kBase), kBase, &read));
  ASSERT_EQ(read.size(), zones.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].child, zones[i].child);
    EXPECT_EQ(read[i].low, zones[i].low);
    EXPECT_EQ(read[i].high, zones[i].high);
  }
  EXPECT_FALSE(DecodeZones("\1\1", kBase, &read));
}

}  // namespace
}  // namespace stele::projections
