// Keys sort as what they hold does.
#include "projections/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace stele::projections {
namespace {

using testing::Each;
using testing::ElementsAre;

std::string TextKey(std::string_view text, uint8_t behind = 0) {
  return KeyWriter('t').Text(text).Byte(behind).Take();
}

TEST(Keys, OfTextsSortAsTheTextsWhateverFollows) {
  using namespace std::string_literals;
  const std::vector<std::string> texts = {"",  "\0"s,   "\0\0"s,    "\0a"s, "\1"s,
                                          "a", "a\0"s,  "a\0b"s,    "a\1"s, "aa",
                                          "b", "\xFF"s, "\xFF\xFF"s};
  ASSERT_TRUE(std::ranges::is_sorted(texts, [](const std::string& a, const std::string& b) {
    return std::string_view(a) < std::string_view(b);
  }));
  for (size_t i = 0; i + 1 < texts.size(); ++i)
    EXPECT_LT(TextKey(texts[i], 255), TextKey(texts[i + 1], 0)) << i;
}

TEST(Keys, OfMomentsHaveTheLatestFirst) {
  const std::vector<int64_t> falling = {INT64_MAX, 5, 1, 0, -1, -5, INT64_MIN};
  std::vector<std::string> keys;
  for (const int64_t value : falling) keys.push_back(KeyWriter('t').Descending(value).Take());
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    KeyReader reader(keys[i]);
    reader.Byte();
    EXPECT_EQ(reader.Descending(), falling[i]);
  }
}

TEST(Keys, AreReadAsTheyWereWritten) {
  using namespace std::string_literals;
  const std::string bytes =
      KeyWriter('k').Text("a\0b"s).Number(7).Text("").Byte(9).Raw("rest").Take();
  KeyReader reader(bytes);
  EXPECT_EQ(reader.Byte(), 'k');
  EXPECT_EQ(reader.Text(), "a\0b"s);
  EXPECT_EQ(reader.Number(), 7u);
  EXPECT_EQ(reader.Text(), "");
  EXPECT_EQ(reader.Byte(), 9);
  EXPECT_EQ(reader.rest(), "rest");
  EXPECT_TRUE(reader.ok());
}

TEST(Keys, ThatWereCutAreNoticed) {
  const std::string whole = KeyWriter('k').Text("abc").Number(7).Take();
  std::vector<bool> read;
  for (size_t size = 0; size < whole.size(); ++size) {
    KeyReader reader(std::string_view(whole).substr(0, size));
    reader.Byte();
    reader.Text();
    reader.Number();
    read.push_back(reader.ok());
  }
  EXPECT_THAT(read, Each(false));
}

TEST(Keys, BehindAPrefixComeBehindAllThatBeginSo) {
  EXPECT_EQ(EndOfPrefix("ab"), "ac");
  EXPECT_EQ(EndOfPrefix("a\xFF"), "b");
  EXPECT_EQ(EndOfPrefix("\xFF\xFF"), "");
}

}  // namespace
}  // namespace stele::projections
