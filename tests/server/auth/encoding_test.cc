#include "server/auth/encoding.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "server/auth/random.h"
#include "tests/server/auth/auth_world.h"

namespace stele::server {
namespace {

TEST(Base64Url, ReadsBackWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes) << i;
    bytes += static_cast<char>(i * 37);
  }
  EXPECT_EQ(EncodeBase64Url("\xfb\xff"), "-_8");
}

TEST(Base64Url, IsRefusedWhenThereIsAnotherTextForIt) {
  for (const std::string_view text : {"-_8=", "-_9", "+/8", "-_8\n", " -_8", "a", "ab=d", "Zh",
                                      "Zg==", "Zm9=", "Zm9v!", "Z g", "Zm9\xf6", "\xdam9v"})
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  EXPECT_EQ(DecodeBase64Url(std::string_view("Zm9v\0", 5)), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("Zg"), "f");
  EXPECT_EQ(DecodeBase64Url(""), "");
}

// FIPS 180-4's example; RFC 4231's test case 2.
TEST(Digests, AreThoseOfTheStandards) {
  EXPECT_EQ(EncodeBase64Url(Sha256("abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  EXPECT_EQ(EncodeBase64Url(HmacSha256("Jefe", "what do ya want for nothing?")),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
}

TEST(SameBytes, TellsThemApart) {
  EXPECT_TRUE(SameBytes("", ""));
  EXPECT_TRUE(SameBytes("abc", "abc"));
  EXPECT_FALSE(SameBytes("abc", "abd"));
  EXPECT_FALSE(SameBytes("abc", "ab"));
}

TEST(SecretText, IsKeptByWhoHasIt) {
  SecretText first("one secret");
  SecretText second = first;
  SecretText third = std::move(first);
  EXPECT_EQ(second.view(), "one secret");
  EXPECT_EQ(third.view(), "one secret");
  second = SecretText("another");
  EXPECT_EQ(second.view(), "another");
  third = second;
  EXPECT_EQ(third.view(), "another");
}

TEST(RandomBytes, AreTheGiversOwn) {
  const RandomBytes counting = test::CountingBytes();
  EXPECT_EQ(TakeRandom(counting, 3), std::string("\0\1\2", 3));
  EXPECT_EQ(TakeRandom(counting, 2), "\3\4");
}

TEST(RandomBytes, OfTheSystemDiffer) {
  const RandomBytes random = SystemRandom();
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(TakeRandom(random, 16));
  EXPECT_EQ(seen.size(), 100u);
}

TEST(ReadableWord, UsesEveryLetterOfItsAlphabet) {
  const std::string word = ReadableWord(test::CountingBytes(), 256);
  EXPECT_EQ(std::set<char>(word.begin(), word.end()).size(), 32u);
  EXPECT_EQ(word.find_first_of("lo01"), std::string::npos);
}

}  // namespace
}  // namespace stele::server
