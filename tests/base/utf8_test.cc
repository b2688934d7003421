// Which bytes are text.
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(IsUtf8, TakesWellFormedTextAlone) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("Prüfung 審査 🜂"));
  EXPECT_FALSE(IsUtf8("\xFF\xFE"));
  EXPECT_FALSE(IsUtf8("cut \xC3"));
  EXPECT_FALSE(IsUtf8("\xC0\x80")) << "too long a form";
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80")) << "half of a pair";
}

TEST(Utf8Length, IsThatOfTheFirstCharacter) {
  EXPECT_EQ(Utf8Length("a\xC3\xA9"), 1u);
  EXPECT_EQ(Utf8Length("\xC3\xA9 more"), 2u);
  EXPECT_EQ(Utf8Length("審査"), 3u);
  EXPECT_EQ(Utf8Length("🜂"), 4u);
  for (const char* const wrong :
       {"\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xED\xA0\x80", "\xE5\xAF",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"})
    EXPECT_EQ(Utf8Length(wrong), 0u) << wrong;
}

}  // namespace
}  // namespace stele
