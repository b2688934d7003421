#include "engine/secrets/secret_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "secret_files.h"

namespace stele::secrets {
namespace {

using testing::HasSubstr;
using testing::Not;

// The bytes 0, 1, … 31.
constexpr const char* kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST(SecretKey, ReadsHexadecimalAndBase64AsTheSameKey) {
  const auto hex = SecretKey::Parse(kHex, "a test");
  ASSERT_TRUE(hex.has_value());
  EXPECT_EQ(hex->ToText(), kBase64);
  const std::string text = kBase64;
  for (const std::string& form : {" " + text + "\n", text.substr(0, 43)}) {
    const auto key = SecretKey::Parse(form, "a test");
    ASSERT_TRUE(key.has_value()) << form;
    EXPECT_EQ(key->Id(), hex->Id());
  }
}

TEST(SecretKey, ReadsBase64ForUrls) {
  const std::string plain(43, '/');
  std::string url(43, '_');
  // 43 characters have 2 bits more than 32 bytes: they are zero.
  const auto first = SecretKey::Parse(plain.substr(0, 42) + "8", "a test");
  const auto second = SecretKey::Parse(url.substr(0, 42) + "8", "a test");
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->Id(), second->Id());
}

TEST(SecretKey, RefusesWhatIsNoKeyWithoutShowingIt) {
  const std::string text = kBase64;
  for (const std::string& bad : {std::string(), std::string("hunter2"), text + "A", text.substr(2),
                                 std::string(kHex) + "00", std::string(64, 'g')}) {
    const auto key = SecretKey::Parse(bad, "STELE_SECRETS_KEY");
    ASSERT_FALSE(key.has_value()) << bad;
    EXPECT_EQ(key.error().code, ErrorCode::kSecretKey);
    EXPECT_THAT(key.error().message, HasSubstr("STELE_SECRETS_KEY"));
    EXPECT_THAT(key.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(SecretKey, ComesFromAFileThatIsClosedToOthers) {
  const Directory files;
  const SecretKey key = SecretKey::Generate();
  const auto text = SecretKey::ReadFile(files.Write("text", key.ToText() + "\n"));
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->Id(), key.Id());
  const auto raw =
      SecretKey::ReadFile(files.Write("raw", std::string(key.bytes(), key.bytes() + kKeyBytes)));
  ASSERT_TRUE(raw.has_value());
  EXPECT_EQ(raw->Id(), key.Id());

  const auto open = SecretKey::ReadFile(files.Write("open", key.ToText(), 0644));
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().code, ErrorCode::kSecretExposed);
  const auto none = SecretKey::ReadFile(files.Path("none"));
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kSecretKey);
}

TEST(SecretKey, DiffersEachTimeAndHasAnIdOfItsOwn) {
  const SecretKey first = SecretKey::Generate();
  const SecretKey second = SecretKey::Generate();
  EXPECT_NE(first.ToText(), second.ToText());
  EXPECT_NE(first.Id(), second.Id());
}

}  // namespace
}  // namespace stele::secrets
