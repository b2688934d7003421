// Times, issuers, and what claims say about who it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/auth/claims.h"
#include "server/auth/jwt.h"
#include "server/auth/limits.h"
#include "tests/server/auth/auth_world.h"
#include "tests/server/auth/rfc_vectors.h"

namespace stele::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimeUs kNow(1'700'000'000'000'000);
constexpr int64_t kNowS = 1'700'000'000;

class ForeignToken : public testing::Test {
 protected:
  Object Claims(std::initializer_list<Member> more = {}) const {
    Object claims{{"sub", "ada"}, {"role", "operator"}, {"exp", kNowS + 60}};
    for (const Member& member : more) claims.Set(member.key, member.value);
    return claims;
  }
  Result<VerifiedToken> Verify(const Object& claims, TimeUs now = kNow) {
    keys_ = {};
    EXPECT_TRUE(keys_.AddForeign(key_.verifier(), rules_).has_value());
    return VerifyToken(SignToken(key_, claims), keys_, now);
  }
  Result<Caller> Read(const Object& claims) {
    const auto verified = Verify(claims);
    if (!verified) return std::unexpected(verified.error());
    return ReadCaller(*verified);
  }
  void ExpectBad(const Object& claims, std::string_view sentence) {
    const auto caller = Read(claims);
    ASSERT_FALSE(caller.has_value()) << sentence;
    EXPECT_EQ(caller.error().code, ErrorCode::kBadToken);
    EXPECT_THAT(caller.error().message, HasSubstr(sentence));
  }

  SigningKey key_ = test::SecretKeyOf('f', "f");
  IssuerRules rules_;
  KeySet keys_;
};

TEST_F(ForeignToken, OfTheRfcIsRightUntilItExpires) {
  ASSERT_TRUE(
      keys_.AddJwks(R"({"keys":[)" + std::string(test::kHs256Jwk) + "]}", {.issuer = "joe"}));
  const TimeUs expires(1'300'819'380 * kSecondUs);
  const auto verified = VerifyToken(test::kHs256Token, keys_, TimeUs(expires.value - 1));
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  EXPECT_EQ(verified->expires, expires);
  EXPECT_EQ(*verified->claims.Find("http://example.com/is_root"), Value(true));
  const auto late = VerifyToken(test::kHs256Token, keys_, expires);
  ASSERT_FALSE(late.has_value());
  EXPECT_THAT(late.error().message, HasSubstr("expired"));
}

TEST_F(ForeignToken, MustExpire) {
  ExpectBad({{"sub", "ada"}, {"role", "viewer"}}, "`exp`");
  ExpectBad(Claims({{"exp", kNowS}}), "expired");
  ExpectBad(Claims({{"exp", kNowS - 61}}), "expired but found one that has, 61 s ago");
  EXPECT_TRUE(Verify(Claims({{"exp", kNowS + 1}})).has_value());
  for (const Value& odd : {Value("tomorrow"), Value(-1), Value(1e300), Value(nullptr),
                           Value(int64_t{1} << 62), Value(Array{})})
    ExpectBad(Claims({{"exp", odd}}), "`exp` of a token as seconds");
  EXPECT_TRUE(Verify(Claims({{"exp", static_cast<double>(kNowS) + 0.5}})).has_value());
}

TEST_F(ForeignToken, MayComeFromAClockThatIsAMinuteAhead) {
  for (const std::string claim : {"nbf", "iat"}) {
    EXPECT_TRUE(Verify(Claims({{claim, kNowS + 60}})).has_value()) << claim;
    ExpectBad(Claims({{claim, kNowS + 61}}), "`" + claim + "` is to come");
    ExpectBad(Claims({{claim, "now"}}), "`" + claim + "`");
  }
}

TEST_F(ForeignToken, MustBeOfTheIssuerAndForTheAudience) {
  rules_.issuer = "https://id.example";
  rules_.audience = "stele";
  ExpectBad(Claims({{"aud", "stele"}}), "issuer https://id.example");
  ExpectBad(Claims({{"iss", "https://other.example"}, {"aud", "stele"}}), "issuer");
  ExpectBad(Claims({{"iss", Array{"https://id.example"}}, {"aud", "stele"}}), "issuer");
  ExpectBad(Claims({{"iss", "https://id.example"}}), "audience stele");
  ExpectBad(Claims({{"iss", "https://id.example"}, {"aud", "stele2"}}), "audience");
  ExpectBad(Claims({{"iss", "https://id.example"}, {"aud", Array{"x", 7}}}), "audience");
  EXPECT_TRUE(Read(Claims({{"iss", "https://id.example"}, {"aud", "stele"}})).has_value());
  EXPECT_TRUE(Read(Claims({{"iss", "https://id.example"}, {"aud", Array{"x", "stele"}}})));
}

TEST_F(ForeignToken, MustHaveClaimsThatAreAnObject) {
  ASSERT_TRUE(keys_.AddJwks(R"({"keys":[)" + std::string(test::kEdDsaJwk) + "]}", {}));
  const auto verified = VerifyToken(test::kEdDsaToken, keys_, kNow);
  ASSERT_FALSE(verified.has_value());
  EXPECT_THAT(verified.error().message, HasSubstr("claims"));
}

TEST_F(ForeignToken, MustSayNothingTwice) {
  keys_ = {};
  ASSERT_TRUE(keys_.AddForeign(key_.verifier(), rules_).has_value());
  const auto verify = [this](std::string_view claims) {
    const std::string text = EncodeBase64Url(R"({"alg":"HS256"})") + "." + EncodeBase64Url(claims);
    return VerifyToken(text + "." + EncodeBase64Url(key_.Sign(text)), keys_, kNow);
  };
  EXPECT_TRUE(verify(R"({"exp":1700000060,"sub":"ada"})").has_value());
  for (const std::string_view twice :
       {R"({"exp":1700000060,"sub":"ada","sub":"root"})",
        R"({"exp":1700000060,"sub":"ada","su\u0062":"root"})",
        R"({"exp":1700000060,"sub":"ada","a":{"roles":1,"roles":2}})"}) {
    const auto verified = verify(twice);
    ASSERT_FALSE(verified.has_value()) << twice;
    EXPECT_THAT(verified.error().message, HasSubstr("members differ"));
  }
}

TEST_F(ForeignToken, SaysWhoItIs) {
  const auto caller =
      Read(Claims({{"groups", Array{"finance", 7, "sales"}}, {"jti", "t-1"}, {"iat", kNowS - 5}}));
  ASSERT_TRUE(caller.has_value()) << caller.error().message;
  EXPECT_EQ(caller->name, "ada");
  EXPECT_EQ(caller->role, Role::kOperator);
  EXPECT_THAT(caller->groups, ElementsAre("finance", "sales"));
  EXPECT_EQ(caller->kind, CallerKind::kPerson);
  EXPECT_EQ(caller->proof, Proof::kForeignToken);
  EXPECT_EQ(caller->token_id, "t-1");
  EXPECT_EQ(caller->issued, TimeUs((kNowS - 5) * kSecondUs));
  EXPECT_EQ(caller->expires, TimeUs((kNowS + 60) * kSecondUs));
}

TEST_F(ForeignToken, HasTheStrongestOfItsRoles) {
  EXPECT_EQ(Read(Claims({{"role", Array{"viewer", "boss", "developer", "worker"}}}))->role,
            Role::kDeveloper);
  EXPECT_EQ(Read(Claims({{"role", Array{"viewer", "worker"}}}))->role, Role::kWorker);
  for (const Value& none : {Value("boss"), Value(Array{}), Value(1), Value("Admin")})
    ExpectBad(Claims({{"role", none}}), "a role of this server in `role`");
  rules_.default_role = Role::kViewer;
  EXPECT_EQ(Read(Claims({{"role", "boss"}}))->role, Role::kViewer);
}

TEST_F(ForeignToken, MayHaveItsClaimsElsewhere) {
  rules_.name_claim = "preferred_username";
  rules_.role_claim = "realm_access.roles";
  rules_.groups_claim = "https://id.example/groups";
  const auto caller =
      Read(Claims({{"preferred_username", "lovelace"},
                   {"realm_access", Object{{"roles", Array{"offline_access", "developer"}}}},
                   {"https://id.example/groups", "finance"}}));
  ASSERT_TRUE(caller.has_value()) << caller.error().message;
  EXPECT_EQ(caller->name, "lovelace");
  EXPECT_EQ(caller->role, Role::kDeveloper);
  EXPECT_THAT(caller->groups, ElementsAre("finance"));
  ExpectBad(Claims({{"preferred_username", "lovelace"}, {"realm_access", "roles"}}),
            "realm_access.roles");
}

TEST_F(ForeignToken, MustNameSomebody) {
  for (const Value& odd :
       {Value(""), Value(7), Value(nullptr), Value(std::string(129, 'x')), Value("a\nb"),
        Value(Array{"ada"}), Value("  "), Value("worker:press"), Value("trigger:3"),
        Value("ad\xE2\x80\xAE"
              "a")})
    ExpectBad(Claims({{"sub", odd}}), "`sub`");
  EXPECT_EQ(Read(Claims({{"sub", "Ada Lovelace"}}))->name, "Ada Lovelace");
}

TEST_F(ForeignToken, IsKnownByADigestWhereItHasNoId) {
  const auto first = Read(Claims());
  const auto second = Read(Claims({{"groups", "x"}}));
  EXPECT_EQ(first->token_id.size(), 43u);
  EXPECT_NE(first->token_id, second->token_id);
  EXPECT_EQ(Read(Claims())->token_id, first->token_id);
  for (const Value& odd : {Value(7), Value(""), Value(std::string(257, 'x'))})
    ExpectBad(Claims({{"jti", odd}}), "`jti`");
}

TEST_F(ForeignToken, HasABoundedNumberOfGroups) {
  Array groups;
  for (size_t i = 0; i < kMaxGroups; ++i) groups.emplace_back("g");
  EXPECT_TRUE(Read(Claims({{"groups", groups}})).has_value());
  groups.emplace_back("g");
  ExpectBad(Claims({{"groups", groups}}), "128 groups");
}

TEST(OwnClaims, AreReadBackWithTheirMicroseconds) {
  const SigningKey own = SigningKey::Own(test::kOwnSecret).value();
  KeySet keys;
  ASSERT_TRUE(keys.AddOwn(own.verifier()).has_value());
  Caller caller;
  caller.name = "ada";
  caller.role = Role::kOperator;
  caller.proof = Proof::kOwnToken;
  caller.token_id = "t1";
  caller.issued = kNow.Plus(123'456);
  caller.logged_in = kNow.Plus(-654'321);
  caller.expires = kNow.Plus(3600 * kSecondUs);
  const auto verified = VerifyToken(SignToken(own, OwnClaims(caller)), keys, kNow);
  ASSERT_TRUE(verified.has_value()) << verified.error().message;
  Caller read = ReadCaller(*verified).value();
  EXPECT_EQ(read.role, Role::kViewer) << "the account has the role";
  EXPECT_THAT(read.groups, IsEmpty());
  read.role = caller.role;
  EXPECT_EQ(read, caller);
}

TEST(OwnClaims, AreNotBelievedOfATokenThatIsNotOurs) {
  const SigningKey own = SigningKey::Own(test::kOwnSecret).value();
  KeySet keys;
  ASSERT_TRUE(keys.AddOwn(own.verifier()).has_value());
  const Object claims{{"sub", "ada"}, {"exp", kNowS + 60}};
  const auto other_issuer = VerifyToken(SignToken(own, claims), keys, kNow);
  ASSERT_FALSE(other_issuer.has_value());
  EXPECT_THAT(other_issuer.error().message, HasSubstr("issuer stele"));
  Object with_issuer = claims;
  with_issuer.Set("iss", kOwnIssuer);
  const auto verified = VerifyToken(SignToken(own, with_issuer), keys, kNow);
  ASSERT_TRUE(verified.has_value());
  const auto caller = ReadCaller(*verified);
  ASSERT_FALSE(caller.has_value());
  EXPECT_THAT(caller.error().message, HasSubstr("without its times"));
}

TEST(FindClaim, PrefersTheWholeName) {
  const Object claims{{"a.b", 1}, {"a", Object{{"b", 2}, {"c", Object{{"d", 3}}}}}};
  EXPECT_EQ(*FindClaim(claims, "a.b"), Value(1));
  EXPECT_EQ(*FindClaim(claims, "a.c.d"), Value(3));
  EXPECT_EQ(FindClaim(claims, "a.c.e"), nullptr);
  EXPECT_EQ(FindClaim(claims, "a.b.c"), nullptr);
  EXPECT_EQ(FindClaim(claims, ""), nullptr);
}

}  // namespace
}  // namespace stele::server
