#include "server/auth/passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/auth/limits.h"
#include "tests/server/auth/auth_world.h"

namespace stele::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const PasswordLimits kLeast = PasswordLimits::Least();

TEST(Passwords, FitTheirHashAndNoOther) {
  const std::string hash = HashPassword("correct horse battery", kLeast).value();
  EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=8,t=1,p=1$"));
  EXPECT_TRUE(IsPassword("correct horse battery", hash));
  EXPECT_FALSE(IsPassword("correct horse batterz", hash));
  EXPECT_FALSE(IsPassword("", hash));
  EXPECT_NE(HashPassword("correct horse battery", kLeast).value(), hash) << "salted";
}

TEST(Passwords, MayHoldAnyByte) {
  const std::string with_zero("abc\0def", 7);
  const std::string hash = HashPassword(with_zero, kLeast).value();
  EXPECT_TRUE(IsPassword(with_zero, hash));
  EXPECT_FALSE(IsPassword("abc", hash));
}

TEST(Passwords, FitNoHashThatIsNone) {
  const std::string hash = HashPassword("correct horse battery", kLeast).value();
  for (const std::string& other :
       {std::string(), std::string("plain"), hash.substr(0, 40), hash + std::string(100, 'A'),
        "$argon2i$" + hash.substr(10), hash + std::string(1, '\0')}) {
    EXPECT_FALSE(IsPassword("correct horse battery", other)) << other;
    EXPECT_FALSE(IsPassword("plain", other)) << other;
  }
}

TEST(Passwords, AreHashedAnewUnderOtherLimits) {
  const std::string hash = HashPassword("correct horse battery", kLeast).value();
  EXPECT_FALSE(NeedsRehash(hash, kLeast));
  EXPECT_TRUE(NeedsRehash(hash, PasswordLimits::Interactive()));
  EXPECT_TRUE(NeedsRehash("no hash", kLeast));
}

TEST(Passwords, OfNobodyCostAsMuchAsReal) {
  for (const PasswordLimits limits : {kLeast, PasswordLimits::Interactive()}) {
    const std::string hash = HashOfNobody(test::CountingBytes(), limits);
    EXPECT_FALSE(NeedsRehash(hash, limits)) << hash;
  }
  const std::string nobody = HashOfNobody(test::CountingBytes(), kLeast);
  const std::string real = HashPassword("correct horse battery", kLeast).value();
  EXPECT_EQ(nobody.size(), real.size());
  EXPECT_EQ(nobody.substr(0, 27), real.substr(0, 27));
  EXPECT_FALSE(IsPassword("correct horse battery", nobody));
}

TEST(CheckPassword, TakesWhatIsHardToGuess) {
  for (const std::string_view password :
       {"correct horse battery staple", "tr0ub4dor&3xyz", "kvetch-Jumbo-42", "ein längeres Wort",
        "adaloveslogic!x", "q8r7t6z5u4i3"})
    EXPECT_TRUE(CheckPassword(password, "ada").has_value()) << password;
  EXPECT_TRUE(CheckPassword("abcdefg12" + std::string(3, 'x'), "x").has_value());
}

TEST(CheckPassword, IsRefusedWhenItIsEasyToGuess) {
  const std::string long_one = std::string(kMaxPasswordBytes, 'x') + "y";
  for (const auto& [password, sentence] :
       std::initializer_list<std::pair<std::string, std::string>>{
           {"elevenbytes", "12 to 256 bytes but found one of 11"},
           {long_one, "found one of 257"},
           {"\xff\xfe"
            "abcdefghijk12",
            "UTF-8"},
           {"Ada.Lovelace", "beside the user's name"},
           {"ADA.lovelace1234567", "beside the user's name"},
           {"aaaaaaaaaaaa", "repeat"},
           {"adminadminadmin", "repeat"},
           {"passwordpassword", "repeat"},
           {"PassWordpassword", "repeat"},
           {"passwordpasswordpas", "repeat"},
           {"abcabbacabcbaa", "different characters"},
           {"123456789012", "neighbours"},
           {"098765432109", "neighbours"},
           {"abcdefghijklmn", "neighbours"},
           {"zyxwvutsrqpo", "neighbours"},
           {"qwertyuiopasdf", "neighbours"},
           {"QWERTYUIOPAS", "neighbours"}}) {
    const Status checked = CheckPassword(password, "ada.lovelace");
    ASSERT_FALSE(checked.has_value()) << password;
    EXPECT_EQ(checked.error().code, ErrorCode::kWeakPassword);
    EXPECT_THAT(checked.error().message, HasSubstr(sentence)) << password;
    EXPECT_THAT(checked.error().message, StartsWith("Expected a password"));
    EXPECT_EQ(checked.error().message.find(password), std::string::npos) << "it is a secret";
  }
}

TEST(MakePassword, MakesReadableOnesThatPass) {
  const RandomBytes random = SystemRandom();
  for (int i = 0; i < 50; ++i) {
    const SecretText made = MakePassword(random);
    const std::string_view password = made.view();
    EXPECT_EQ(password.size(), 20u);
    EXPECT_TRUE(CheckPassword(password, "admin").has_value()) << password;
    EXPECT_EQ(password.find_first_not_of("abcdefghijkmnpqrstuvwxyz23456789"), std::string::npos);
  }
}

}  // namespace
}  // namespace stele::server
