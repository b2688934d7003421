#include "base/base64.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(Base64, PadsAsTheStandardSays) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xff\xfe\xfd"), "//79");
}

TEST(DecodeBase64, TakesItWithPaddingAndWithout) {
  for (const char* text : {"Zm9vYg==", "Zm9vYg"}) EXPECT_EQ(DecodeBase64(text), "foob") << text;
  EXPECT_EQ(DecodeBase64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(DecodeBase64("//79"), "\xff\xfe\xfd");
  EXPECT_EQ(DecodeBase64(""), "");
}

TEST(DecodeBase64, RefusesWhatIsNone) {
  for (const char* text : {"Zm9vYg=", "Z", "Zm9v=", "Zm9v Yg==", "Zm9v_g==", "Z===", "=Zm9"})
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace stele
