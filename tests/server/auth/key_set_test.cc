#include "server/auth/key_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "server/auth/limits.h"
#include "tests/server/auth/auth_world.h"
#include "tests/server/auth/rfc_vectors.h"

namespace stele::server {
namespace {

using testing::HasSubstr;

Status AddTo(KeySet& keys, std::string_view jwks) {
  return keys.AddJwks(fmt::format(R"({{"keys":[{}]}})", jwks), {});
}

void ExpectRefused(std::string_view jwks, std::string_view sentence) {
  KeySet keys;
  const Status added = AddTo(keys, jwks);
  ASSERT_FALSE(added.has_value()) << jwks;
  EXPECT_THAT(added.error().message, HasSubstr(sentence)) << jwks;
  EXPECT_TRUE(keys.keys().empty());
}

TEST(Jwks, HoldsKeysOfEveryKind) {
  KeySet keys;
  ASSERT_TRUE(
      AddTo(keys, fmt::format("{},{},{}", test::kHs256Jwk, test::kRs256Jwk, test::kEdDsaJwk)));
  ASSERT_EQ(keys.keys().size(), 3u);
  EXPECT_EQ(keys.keys()[0].key.algorithm(), Algorithm::kHs256);
  EXPECT_EQ(keys.keys()[1].key.algorithm(), Algorithm::kRs256);
  EXPECT_EQ(keys.keys()[2].key.algorithm(), Algorithm::kEdDsa);
}

TEST(Jwks, LeavesOutWhatIsNotForUs) {
  const std::string secret = EncodeBase64Url(std::string(32, 's'));
  KeySet keys;
  const std::string ours = fmt::format(
      R"({{"kty":"oct","k":"{}","kid":"ours","use":"sig","alg":"HS256","key_ops":["sign","verify"]}})",
      secret);
  ASSERT_TRUE(AddTo(keys, fmt::format(R"({{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}},
      {{"kty":"OKP","crv":"X25519","x":"AA"}}, {{"kty":"oct","k":"{0}","use":"enc"}},
      {{"kty":"oct","k":"{0}","alg":"HS512"}}, {{"kty":"oct","k":"{0}","key_ops":["encrypt"]}},
      {{"kty":"oct","k":"{0}","key_ops":"verify"}}, {{"k":"{0}"}}, 7, {1})",
                                      secret, ours)));
  ASSERT_EQ(keys.keys().size(), 1u);
  EXPECT_EQ(keys.keys()[0].key.kid(), "ours");
}

TEST(Jwks, IsRefusedWhenItHasNoKeyForUs) {
  ExpectRefused("", "found none");
  ExpectRefused(R"({"kty":"EC"})", "found none");
  KeySet keys;
  for (const std::string_view text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[)", "7"})
    EXPECT_FALSE(keys.AddJwks(text, {}).has_value()) << text;
}

TEST(Jwks, IsRefusedAsAWholeWhenOneKeyIsFaulty) {
  const std::string short_one = EncodeBase64Url(std::string(31, 's'));
  const std::string odd = EncodeBase64Url(std::string(256, '\xff'));
  const std::string even = EncodeBase64Url(std::string(255, '\xff') + "\x02");
  const std::string weak = EncodeBase64Url(std::string(128, '\xff'));
  const std::string huge = EncodeBase64Url(std::string(1025, '\xff'));
  const auto rsa = [](std::string_view n, std::string_view e) {
    return fmt::format(R"({{"kty":"RSA","n":"{}","e":"{}"}})", n, e);
  };
  ExpectRefused(fmt::format(R"({},{{"kty":"oct","k":"{}"}})", test::kEdDsaJwk, short_one),
                "keys[1]: Expected a secret of at least 32 bytes but found one of 31");
  ExpectRefused(R"({"kty":"oct","kty":"RSA"})", "`kty` twice");
  ExpectRefused(R"({"kty":"oct"})", "keys[0]: Expected `k`");
  ExpectRefused(R"({"kty":"oct","k":7})", "`k`");
  ExpectRefused(R"({"kty":"oct","k":"AA=="})", "`k`");
  ExpectRefused(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "32 bytes but found one of 3");
  ExpectRefused(R"({"kty":"RSA","e":"AQAB"})", "`n`");
  ExpectRefused(fmt::format(R"({{"kty":"RSA","n":"{}"}})", odd), "`e`");
  ExpectRefused(rsa(weak, "AQAB"), "2048 to 8192 bits but found one of 1024");
  ExpectRefused(rsa(huge, "AQAB"), "longer");
  ExpectRefused(rsa(even, "AQAB"), "odd");
  ExpectRefused(rsa(odd, "AQ"), "exponent above 1");
  ExpectRefused(rsa(odd, "AAAB"), "exponent above 1");
  ExpectRefused(rsa(odd, "Ag"), "odd");
}

TEST(Jwks, IsRefusedWhenItIsHuge) {
  KeySet keys;
  EXPECT_FALSE(AddTo(keys, fmt::format(R"({{"x":"{}"}},{})", std::string(kMaxJwksBytes, 'x'),
                                       test::kEdDsaJwk))
                   .has_value());
}

TEST(KeySet, HoldsABoundedNumber) {
  KeySet keys;
  for (size_t i = 0; i < kMaxTrustedKeys; ++i) ASSERT_TRUE(AddTo(keys, test::kEdDsaJwk));
  const Status added = AddTo(keys, test::kEdDsaJwk);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(keys.keys().size(), kMaxTrustedKeys);
}

TEST(Pem, OfAPublicKeyChecksWhatThePrivateOneSigns) {
  for (const auto& [secret, open] : {test::MakeRsa(), test::MakeEd25519()}) {
    const SigningKey key = SigningKey::FromPem(secret, "k").value();
    const auto verifier = VerificationKey::FromPem(open, "k").value();
    EXPECT_EQ(verifier.algorithm(), key.algorithm());
    const std::string signature = key.Sign("text");
    EXPECT_TRUE(verifier.Verifies("text", signature));
    EXPECT_TRUE(key.verifier().Verifies("text", signature));
    EXPECT_FALSE(verifier.Verifies("texu", signature));
    EXPECT_FALSE(verifier.Verifies("text", signature + "x"));
    EXPECT_FALSE(verifier.Verifies("text", ""));
  }
}

TEST(Pem, IsRefusedWhenItIsNoKeyOfOurs) {
  const auto refused = [](std::string_view pem, std::string_view sentence) {
    const auto key = VerificationKey::FromPem(pem, "");
    ASSERT_FALSE(key.has_value()) << sentence;
    EXPECT_THAT(key.error().message, HasSubstr(sentence));
  };
  refused("", "public key in PEM");
  refused("no PEM", "public key in PEM");
  refused(test::MakeEd25519().secret, "public key in PEM");
  refused(test::MakeElliptic().open, "RSA or Ed25519");
  refused(test::MakeRsa(1024).open, "found one of 1024");
  EXPECT_FALSE(SigningKey::FromPem(test::MakeElliptic().secret, "").has_value());
  EXPECT_FALSE(SigningKey::FromPem(test::MakeRsa(1024).secret, "").has_value());
  EXPECT_FALSE(SigningKey::FromPem(test::MakeRsa().open, "").has_value());
}

TEST(Keys, LeaveNoErrorsOfOpenSslBehind) {
  ERR_clear_error();
  EXPECT_FALSE(VerificationKey::FromPem("no PEM", "").has_value());
  KeySet keys;
  ASSERT_TRUE(AddTo(keys, test::kRs256Jwk));
  EXPECT_FALSE(keys.keys()[0].key.Verifies("text", std::string(256, 'x')));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(SigningKey, OfTheServerIsNamedByItsSecret) {
  const SigningKey own = SigningKey::Own(test::kOwnSecret).value();
  EXPECT_EQ(own.kid(), SigningKey::Own(test::kOwnSecret)->kid());
  EXPECT_NE(own.kid(), SigningKey::Own(std::string(32, 'x'))->kid());
  EXPECT_EQ(own.kid().size(), 8u);
  EXPECT_FALSE(SigningKey::Own("short").has_value());
}

}  // namespace
}  // namespace stele::server
