// Signatures: the RFCs' examples, and what must not pass.
#include "server/auth/jwt.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "server/auth/limits.h"
#include "tests/server/auth/auth_world.h"
#include "tests/server/auth/rfc_vectors.h"

namespace stele::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

KeySet SetOf(std::string_view jwk) {
  KeySet keys;
  const Status added = keys.AddJwks(fmt::format(R"({{"keys":[{}]}})", jwk), {});
  EXPECT_TRUE(added.has_value()) << (added ? "" : added.error().message);
  return keys;
}

KeySet SetOf(const SigningKey& key) {
  KeySet keys;
  EXPECT_TRUE(keys.AddForeign(key.verifier(), {}).has_value());
  return keys;
}

std::string TokenOf(const SigningKey& key, std::string_view header, std::string_view payload) {
  const std::string text = EncodeBase64Url(header) + "." + EncodeBase64Url(payload);
  return text + "." + EncodeBase64Url(key.Sign(text));
}

void ExpectBad(const Result<SignedText>& opened, std::string_view sentence) {
  ASSERT_FALSE(opened.has_value()) << sentence;
  EXPECT_EQ(opened.error().code, ErrorCode::kBadToken);
  EXPECT_THAT(opened.error().message, StartsWith("Expected"));
  EXPECT_THAT(opened.error().message, HasSubstr(sentence));
}

struct Vector {
  std::string_view token, jwk, payload;
};
const Vector kVectors[] = {{test::kHs256Token, test::kHs256Jwk, test::kRfc7515Payload},
                           {test::kRs256Token, test::kRs256Jwk, test::kRfc7515Payload},
                           {test::kEdDsaToken, test::kEdDsaJwk, test::kEdDsaPayload}};

TEST(OpenToken, TakesTheExamplesOfTheRfcs) {
  for (const auto& [token, jwk, payload] : kVectors) {
    const auto opened = OpenToken(token, SetOf(jwk));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(opened->payload, payload);
  }
}

TEST(OpenToken, IsRefusedWhenAnyByteIsAnother) {
  for (const auto& [token, jwk, payload] : kVectors) {
    const KeySet keys = SetOf(jwk);
    for (size_t at = 0; at < token.size(); ++at) {
      for (const int change : {1, 4, 0x20, 0x80}) {
        std::string changed(token);
        changed[at] = static_cast<char>(changed[at] ^ change);
        EXPECT_FALSE(OpenToken(changed, keys).has_value()) << at << " " << change;
      }
      std::string shorter(token);
      shorter.erase(at, 1);
      EXPECT_FALSE(OpenToken(shorter, keys).has_value()) << at;
    }
    EXPECT_FALSE(OpenToken(std::string(token) + "A", keys).has_value());
    EXPECT_FALSE(OpenToken(std::string(token) + "=", keys).has_value());
    EXPECT_FALSE(OpenToken(std::string(token) + "\n", keys).has_value());
  }
}

TEST(OpenToken, IsRefusedWhenTheKeyIsAnother) {
  for (const auto& [token, jwk, payload] : kVectors)
    for (const auto& other : kVectors)
      if (other.jwk != jwk)
        ExpectBad(OpenToken(token, SetOf(other.jwk)), "algorithm of the token's key");
  const SigningKey key = test::SecretKeyOf('a');
  ExpectBad(OpenToken(TokenOf(test::SecretKeyOf('b'), R"({"alg":"HS256"})", "{}"), SetOf(key)),
            "a signature that fits");
  const auto rsa = SigningKey::FromPem(test::MakeRsa().secret, "").value();
  ExpectBad(OpenToken(TokenOf(rsa, R"({"alg":"RS256"})", "{}"), SetOf(test::kRs256Jwk)),
            "a signature that fits");
  const auto edwards = SigningKey::FromPem(test::MakeEd25519().secret, "").value();
  ExpectBad(OpenToken(TokenOf(edwards, R"({"alg":"EdDSA"})", "{}"), SetOf(test::kEdDsaJwk)),
            "a signature that fits");
  ExpectBad(OpenToken(test::kHs256Token, {}), "trusts");
}

TEST(OpenToken, IsRefusedWhenTheTokenChoosesTheAlgorithm) {
  const std::string pem = test::MakeRsa().open;
  KeySet keys;
  ASSERT_TRUE(keys.AddPem(pem, "", {}).has_value());
  // The public key, which everybody has, as the secret of HS256.
  const SigningKey confused = SigningKey::FromSecret(pem, "").value();
  ExpectBad(OpenToken(TokenOf(confused, R"({"alg":"HS256"})", "{}"), keys), "algorithm");
  for (const std::string_view alg :
       {"none", "None", "NONE", "", "HS384", "RS1", "ES256", "hs256"}) {
    const std::string header = fmt::format(R"({{"alg":"{}"}})", alg);
    ExpectBad(OpenToken(EncodeBase64Url(header) + "." + EncodeBase64Url("{}") + ".", keys),
              "HS256, RS256 or EdDSA");
    ExpectBad(OpenToken(TokenOf(confused, header, "{}"), keys), "HS256, RS256 or EdDSA");
  }
  ExpectBad(OpenToken(TokenOf(confused, R"({"alg":"none","alg":"HS256"})", "{}"), keys), "differ");
  ExpectBad(OpenToken(TokenOf(confused, R"({"typ":"JWT"})", "{}"), keys), "alg");
  ExpectBad(OpenToken(TokenOf(confused, R"({"alg":["HS256"]})", "{}"), keys), "alg");
}

TEST(OpenToken, TakesTheKeyThatKidNames) {
  const SigningKey first = test::SecretKeyOf('a', "first");
  const SigningKey second = test::SecretKeyOf('b', "second");
  KeySet keys;
  ASSERT_TRUE(keys.AddForeign(first.verifier(), {}).has_value());
  ASSERT_TRUE(keys.AddForeign(second.verifier(), {}).has_value());
  const auto opened = OpenToken(SignToken(second, {}), keys);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->key, &keys.keys()[1]);
  EXPECT_TRUE(OpenToken(TokenOf(second, R"({"alg":"HS256"})", "{}"), keys).has_value())
      << "without kid every key is tried";
  ExpectBad(OpenToken(TokenOf(second, R"({"alg":"HS256","kid":"first"})", "{}"), keys),
            "signature");
  ExpectBad(OpenToken(TokenOf(second, R"({"alg":"HS256","kid":"third"})", "{}"), keys), "trusts");
  ExpectBad(OpenToken(TokenOf(second, R"({"alg":"HS256","kid":2})", "{}"), keys), "`kid`");
  // A key without a name of its own fits every name.
  EXPECT_TRUE(OpenToken(TokenOf(second, R"({"alg":"HS256","kid":"x"})", "{}"),
                        SetOf(test::SecretKeyOf('b')))
                  .has_value());
}

TEST(OpenToken, IsRefusedWhenTheHeaderAsksForMore) {
  const SigningKey key = test::SecretKeyOf('a');
  const KeySet keys = SetOf(key);
  ExpectBad(OpenToken(TokenOf(key, R"({"alg":"HS256","crit":["b64"],"b64":false})", "{}"), keys),
            "crit");
  ExpectBad(OpenToken(TokenOf(key, R"({"alg":"HS256","crit":[]})", "{}"), keys), "crit");
  ExpectBad(OpenToken(TokenOf(key, R"({"alg":"HS256","typ":"dpop+jwt"})", "{}"), keys), "typ");
  for (const std::string_view type : {"JWT", "jwt", "at+jwt", "application/at+jwt"})
    EXPECT_TRUE(
        OpenToken(TokenOf(key, fmt::format(R"({{"alg":"HS256","typ":"{}"}})", type), "{}"), keys)
            .has_value());
}

TEST(OpenToken, IsRefusedWhenItIsNoToken) {
  const SigningKey key = test::SecretKeyOf('a');
  const KeySet keys = SetOf(key);
  for (const std::string_view text : {"", ".", "a", "a.b", "a.b.c.d", "a.b.c.d.e"})
    ExpectBad(OpenToken(text, keys), text == "a.b.c" ? "" : "three parts");
  ExpectBad(OpenToken("..", keys), "header");
  ExpectBad(OpenToken("a.b.c", keys), "header");
  ExpectBad(OpenToken(TokenOf(key, "[]", "{}"), keys), "header");
  ExpectBad(OpenToken(TokenOf(key, "{\"alg\":\"HS256\"", "{}"), keys), "header");
  const std::string header = EncodeBase64Url(R"({"alg":"HS256"})");
  ExpectBad(OpenToken(header + "..", keys), "signature");
  ExpectBad(OpenToken(header + ".e30=.AA", keys), "base64url");
}

TEST(OpenToken, IsRefusedWhenItIsHuge) {
  const SigningKey key = test::SecretKeyOf('a');
  const KeySet keys = SetOf(key);
  const std::string header = R"({"alg":"HS256"})";
  // Three bytes become four; header and signature take 20 + 43 + 2.
  const size_t fitting = (kMaxTokenBytes - 65) / 4 * 3;
  EXPECT_TRUE(OpenToken(TokenOf(key, header, std::string(fitting, 'x')), keys).has_value());
  ExpectBad(OpenToken(TokenOf(key, header, std::string(fitting + 3, 'x')), keys), "8192 bytes");
  const std::string deep =
      R"({"alg":"HS256","x":)" + std::string(40, '[') + std::string(40, ']') + "}";
  ExpectBad(OpenToken(TokenOf(key, deep, "{}"), keys), "header");
}

TEST(SignToken, IsReadBackForEveryAlgorithm) {
  const Object claims{{"sub", "ada"}, {"n", 1}};
  const SigningKey keys[] = {test::SecretKeyOf('a', "k1"),
                             SigningKey::FromPem(test::MakeRsa().secret, "k2").value(),
                             SigningKey::FromPem(test::MakeEd25519().secret, "k3").value()};
  const Algorithm algorithms[] = {Algorithm::kHs256, Algorithm::kRs256, Algorithm::kEdDsa};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(keys[i].algorithm(), algorithms[i]);
    const std::string token = SignToken(keys[i], claims);
    const auto opened = OpenToken(token, SetOf(keys[i]));
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(ParseJson(opened->payload).value(), Value(claims));
  }
}

}  // namespace
}  // namespace stele::server
