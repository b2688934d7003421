#include "engine/tasks/bounded_text.h"

#include <gtest/gtest.h>

namespace stele::tasks {
namespace {

TEST(BoundedText, KeepsEverythingWithinItsLimit) {
  BoundedText text(10);
  text.Append("01234");
  text.Append("56789");
  EXPECT_FALSE(text.truncated());
  EXPECT_EQ(text.ToString(), "0123456789");
}

TEST(BoundedText, LeavesOutTheMiddleAndSaysHowMuch) {
  BoundedText text(10);
  for (int i = 0; i < 100; ++i) text.Append("abcdefghij");
  EXPECT_TRUE(text.truncated());
  EXPECT_EQ(text.ToString(), "abcde\n[… 990 bytes left out …]\nfghij");
}

TEST(BoundedText, CutsNoCharacterInTwo) {
  std::string euros;
  for (int i = 0; i < 20; ++i) euros += "€";
  EXPECT_TRUE(IsUtf8(KeepEnds(euros, 20)));
  EXPECT_EQ(Head("a€", 3), "a");
  EXPECT_EQ(Head("a€", 4), "a€");
  EXPECT_EQ(Tail("€a", 2), "a");
  EXPECT_EQ(Tail("€a", 9), "€a");
}

TEST(IsUtf8, RefusesWhatIsNone) {
  EXPECT_TRUE(IsUtf8("plain, 汉字, 🜂"));
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_FALSE(IsUtf8("\xff"));
  EXPECT_FALSE(IsUtf8("\xc0\x80"));          // too long a form
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));  // beyond the last character
  EXPECT_FALSE(IsUtf8("\xe2\x82"));          // cut off
}

}  // namespace
}  // namespace stele::tasks
