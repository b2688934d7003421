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

}  // namespace
}  // namespace stele
