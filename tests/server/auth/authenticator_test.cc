// Who asks, by every kind of credential; and when a credential stops to count.
#include "server/auth/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/auth/claims.h"
#include "server/auth/grants.h"
#include "tests/server/auth/auth_world.h"

namespace stele::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AuthenticatorTest : public test::AuthWorld {
 protected:
  void ExpectRefused(const Result<Caller>& asked, ErrorCode code, std::string_view sentence) {
    ASSERT_FALSE(asked.has_value()) << sentence;
    EXPECT_EQ(asked.error().code, code) << asked.error().message;
    EXPECT_THAT(asked.error().message, HasSubstr(sentence));
    EXPECT_THAT(asked.error().message, testing::StartsWith("Expected"));
  }
  void ExpectBad(std::string_view credential, std::string_view sentence) {
    const auto asked = Ask(credential);
    ExpectRefused(asked, ErrorCode::kBadToken, sentence);
    EXPECT_THAT(asked.error().message, Not(HasSubstr(credential)));
  }
  MadeApiKey StoreKey() {
    MadeApiKey made = MakeApiKey(random, "robot", Role::kWorker, clock.Now());
    made.key.groups = {"builders"};
    StoreKey(made.key);
    return made;
  }
  void StoreKey(const ApiKey& key) {
    ASSERT_TRUE(accounts.Set(std::string(kKeyPrefix) + key.id, ToJson(key)).has_value());
  }
  void TrustIdp(IssuerRules rules = {}) {
    KeySet trusted;
    ASSERT_TRUE(trusted.AddForeign(idp.verifier(), rules).has_value());
    Trust(trusted);
  }
  std::string IdpToken(std::string_view name, std::string_view role) {
    const int64_t now = clock.Now().value / kSecondUs;
    return SignToken(idp, {{"sub", name}, {"role", role}, {"iat", now}, {"exp", now + 600}});
  }

  SigningKey idp = test::SecretKeyOf('i', "idp");
};

TEST_F(AuthenticatorTest, TakesItsOwnTokens) {
  const IssuedToken issued = LogInAda();
  const auto caller = Ask(issued.text);
  ASSERT_TRUE(caller.has_value()) << caller.error().message;
  EXPECT_EQ(*caller, issued.caller);
  EXPECT_EQ(caller->name, "ada");
  EXPECT_EQ(caller->role, Role::kOperator);
  EXPECT_THAT(caller->groups, ElementsAre("finance"));
  EXPECT_EQ(caller->kind, CallerKind::kPerson);
  EXPECT_EQ(caller->source, test::kSource);
  EXPECT_TRUE(caller->has_account);
}

TEST_F(AuthenticatorTest, IsRefusedWhenTheHeaderSaysNothingOfUse) {
  const auto header = [this](std::string_view value) {
    return authenticator->Authenticate(value, test::kSource);
  };
  ExpectRefused(header(""), ErrorCode::kUnauthenticated, "found none");
  ExpectRefused(header("Bearer"), ErrorCode::kUnauthenticated, "something else");
  ExpectRefused(header("Bearer "), ErrorCode::kUnauthenticated, "found none");
  ExpectRefused(header("Basic YWRhOng="), ErrorCode::kUnauthenticated, "found Basic");
  ExpectRefused(header("basic"), ErrorCode::kUnauthenticated, "found Basic");
  ExpectRefused(header("Digest x"), ErrorCode::kUnauthenticated, "something else");
  ExpectRefused(header("Bearerx y"), ErrorCode::kUnauthenticated, "something else");
  ExpectRefused(header("Bearer x"), ErrorCode::kBadToken, "three parts");
  const std::string token = LogInAda().text;
  EXPECT_TRUE(header("bearer   " + token).has_value());
  EXPECT_TRUE(header("BEARER " + token).has_value());
  EXPECT_FALSE(header("Bearer " + token + " ").has_value());
  EXPECT_FALSE(header(token).has_value());
}

TEST_F(AuthenticatorTest, GivesTheRoleThatTheAccountHasNow) {
  const std::string token = LogInAda().text;
  ChangeAda([](User& ada) {
    ada.role = Role::kViewer;
    ada.groups.clear();
  });
  const auto caller = Ask(token);
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->role, Role::kViewer);
  EXPECT_THAT(caller->groups, IsEmpty());
}

TEST_F(AuthenticatorTest, RefusesTokensOfUsersThatAreDisabledOrGone) {
  const std::string token = LogInAda().text;
  ChangeAda([](User& ada) { ada.disabled = true; });
  ExpectBad(token, "disabled");
  accounts.Remove("user:ada");
  ExpectBad(token, "gone");
}

TEST_F(AuthenticatorTest, RefusesTokensThatExpired) {
  const std::string token = LogInAda().text;
  clock.Advance(3599 * kSecondUs);
  EXPECT_TRUE(Ask(token).has_value());
  clock.Advance(kSecondUs);
  ExpectBad(token, "expired");
}

TEST_F(AuthenticatorTest, RefusesTokensFromBeforeAllWereCalledIn) {
  const std::string before = LogInAda().text;
  clock.Advance(1);
  ChangeAda([this](User& ada) { ada.tokens_valid_from = clock.Now(); });
  ExpectBad(before, "called in");
  const std::string after = LogInAda().text;
  EXPECT_TRUE(Ask(after).has_value()) << "though both were made in one second";
}

TEST_F(AuthenticatorTest, RefusesTokensThatWereGivenUp) {
  const IssuedToken one = LogInAda();
  const IssuedToken other = LogInAda();
  ASSERT_TRUE(authenticator->Revoke(Ask(one.text).value()).has_value());
  ExpectBad(one.text, "given up");
  EXPECT_TRUE(Ask(other.text).has_value());
  // What was recorded and read again says the same.
  const RevokedToken recorded{one.caller.name, one.caller.expires};
  accounts.revoked() = {};
  EXPECT_TRUE(Ask(one.text).has_value());
  ASSERT_TRUE(accounts.Set("revoked:" + one.caller.token_id, ToJson(recorded)).has_value());
  ExpectBad(one.text, "given up");
}

TEST_F(AuthenticatorTest, EndsNoSingleTokenOfWhoHasGivenUpManyAlready) {
  Caller ada = LogInAda().caller;
  for (size_t i = 0; i < kMaxRevokedOfUser; ++i) {
    ada.token_id = "t" + std::to_string(i);
    ASSERT_EQ(authenticator->Revoke(ada), true);
  }
  const IssuedToken one_more = LogInAda();
  EXPECT_EQ(authenticator->Revoke(one_more.caller), false);
  EXPECT_TRUE(Ask(one_more.text).has_value()) << "the owner is to call all of them in";
  EXPECT_EQ(accounts.revoked().size(), kMaxRevokedOfUser);
}

TEST_F(AuthenticatorTest, RefusesTokensOfAnotherServer) {
  const SigningKey other = SigningKey::Own(std::string(32, 'o')).value();
  ExpectBad(SignToken(other, OwnClaims(LogInAda().caller)), "trusts");
  const SigningKey forged =
      SigningKey::FromSecret(std::string(32, 'o'), SigningKey::Own(test::kOwnSecret)->kid())
          .value();
  ExpectBad(SignToken(forged, OwnClaims(LogInAda().caller)), "signature");
}

TEST_F(AuthenticatorTest, TakesTokensOfAFormerSecretOfItsOwn) {
  const SigningKey former = SigningKey::Own(std::string(32, 'o')).value();
  const std::string token = SignToken(former, OwnClaims(LogInAda().caller));
  KeySet trusted;
  ASSERT_TRUE(trusted.AddOwn(former.verifier()).has_value());
  Trust(trusted);
  EXPECT_TRUE(Ask(token).has_value());
  ASSERT_TRUE(authenticator->SetTrusted({}).has_value());
  ExpectBad(token, "trusts");
}

TEST_F(AuthenticatorTest, TakesApiKeys) {
  const MadeApiKey made = StoreKey();
  for (const auto& caller :
       {Ask(made.text), authenticator->AuthenticateText(made.text, test::kSource)}) {
    ASSERT_TRUE(caller.has_value()) << caller.error().message;
    EXPECT_EQ(caller->name, "robot");
    EXPECT_EQ(caller->role, Role::kWorker);
    EXPECT_THAT(caller->groups, ElementsAre("builders"));
    EXPECT_EQ(caller->kind, CallerKind::kMachine);
    EXPECT_EQ(caller->proof, Proof::kApiKey);
    EXPECT_EQ(caller->token_id, made.key.id);
    EXPECT_EQ(caller->source, test::kSource);
    EXPECT_TRUE(authenticator->StillValid(*caller));
  }
}

TEST_F(AuthenticatorTest, RefusesApiKeysThatDoNotCount) {
  MadeApiKey made = StoreKey();
  const auto other = MakeApiKey(SystemRandom(), "robot", Role::kAdmin, clock.Now());
  ExpectBad(other.text, "this server knows");
  ExpectBad("stele_" + made.key.id + other.text.substr(made.key.id.size() + 6), "knows");
  ExpectBad("stele_x", "stele_ID_SECRET");
  made.key.expires = clock.Now().Plus(kSecondUs);
  StoreKey(made.key);
  EXPECT_TRUE(Ask(made.text).has_value());
  clock.Advance(kSecondUs);
  ExpectBad(made.text, "expired");
  made.key.expires = {};
  made.key.disabled = true;
  StoreKey(made.key);
  ExpectBad(made.text, "disabled");
  accounts.Remove("key:" + made.key.id);
  ExpectBad(made.text, "knows");
}

TEST_F(AuthenticatorTest, TakesTokensOfAnIssuerThatItTrusts) {
  ExpectBad(IdpToken("grace", "developer"), "trusts");
  TrustIdp();
  const auto caller = Ask(IdpToken("grace", "developer"));
  ASSERT_TRUE(caller.has_value()) << caller.error().message;
  EXPECT_EQ(caller->name, "grace");
  EXPECT_EQ(caller->role, Role::kDeveloper);
  EXPECT_FALSE(caller->has_account);
  EXPECT_EQ(caller->proof, Proof::kForeignToken);
}

TEST_F(AuthenticatorTest, GivesWhoHasAnAccountItsRoleWhateverAnIssuerSays) {
  TrustIdp();
  const std::string token = IdpToken("ada", "admin");
  const auto caller = Ask(token);
  ASSERT_TRUE(caller.has_value()) << caller.error().message;
  EXPECT_EQ(caller->role, Role::kOperator);
  EXPECT_THAT(caller->groups, ElementsAre("finance"));
  EXPECT_TRUE(caller->has_account);
  ChangeAda([this](User& ada) { ada.tokens_valid_from = clock.Now(); });
  ExpectBad(token, "called in");
  ChangeAda([](User& ada) { ada.disabled = true; });
  ExpectBad(token, "disabled");
}

TEST_F(AuthenticatorTest, BelievesNoIssuerThatItIsThisServer) {
  TrustIdp();
  const IssuedToken own = LogInAda();
  const auto caller = Ask(SignToken(idp, OwnClaims(own.caller)));
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->proof, Proof::kForeignToken);
  EXPECT_FALSE(authenticator->Refresh(*caller).has_value());
}

TEST_F(AuthenticatorTest, CanRevokeATokenOfAnIssuer) {
  TrustIdp();
  const std::string token = IdpToken("grace", "developer");
  ASSERT_TRUE(authenticator->Revoke(Ask(token).value()).has_value());
  ExpectBad(token, "given up");
}

TEST_F(AuthenticatorTest, KnowsOfAConnectionThatItsTokenStillCounts) {
  const Caller ada = LogInAda().caller;
  EXPECT_TRUE(authenticator->StillValid(ada));
  const User before = *accounts.FindUser("ada");
  const auto still_after = [&](auto change) {
    ChangeAda(change);
    const bool still = authenticator->StillValid(ada);
    Store(before);
    return still;
  };
  EXPECT_TRUE(still_after([](User& user) { user.password_hash.clear(); }));
  EXPECT_FALSE(still_after([](User& user) { user.disabled = true; }));
  EXPECT_FALSE(still_after([](User& user) { user.role = Role::kAdmin; }));
  EXPECT_FALSE(still_after([](User& user) { user.groups.clear(); }));
  EXPECT_FALSE(still_after([](User& user) { user.must_change = true; }));
  EXPECT_FALSE(still_after([](User& user) { user.tokens_valid_from = test::kStart.Next(); }));
  EXPECT_TRUE(authenticator->StillValid(ada));
  accounts.Remove("user:ada");
  EXPECT_FALSE(authenticator->StillValid(ada));
  Store(before);
  ASSERT_TRUE(authenticator->Revoke(ada).has_value());
  EXPECT_FALSE(authenticator->StillValid(ada));
}

TEST_F(AuthenticatorTest, KnowsOfAConnectionThatItsTokenHasExpired) {
  const Caller ada = LogInAda().caller;
  clock.Set(TimeUs(ada.expires.value - 1));
  EXPECT_TRUE(authenticator->StillValid(ada));
  clock.Set(ada.expires);
  EXPECT_FALSE(authenticator->StillValid(ada));
}

TEST_F(AuthenticatorTest, KnowsOfAConnectionThatItsApiKeyStillCounts) {
  const MadeApiKey made = StoreKey();
  const Caller robot = Ask(made.text).value();
  const auto still_after = [&](auto change) {
    ApiKey key = made.key;
    change(key);
    StoreKey(key);
    return authenticator->StillValid(robot);
  };
  EXPECT_TRUE(still_after([](ApiKey&) {}));
  EXPECT_FALSE(still_after([](ApiKey& key) { key.disabled = true; }));
  EXPECT_FALSE(still_after([](ApiKey& key) { key.role = Role::kViewer; }));
  EXPECT_FALSE(still_after([](ApiKey& key) { key.groups = {"x"}; }));
  EXPECT_FALSE(still_after([](ApiKey& key) { key.created = key.created.Next(); }));
  EXPECT_FALSE(still_after([](ApiKey& key) { key.expires = test::kStart; }));
  accounts.Remove("key:" + made.key.id);
  EXPECT_FALSE(authenticator->StillValid(robot));
}

TEST_F(AuthenticatorTest, KnowsOfAConnectionThatItsAccountCameOrWent) {
  TrustIdp();
  const Caller grace = Ask(IdpToken("grace", "developer")).value();
  const Caller ada = Ask(IdpToken("ada", "admin")).value();
  EXPECT_TRUE(authenticator->StillValid(grace));
  EXPECT_TRUE(authenticator->StillValid(ada));
  User account = Ada();
  account.name = "grace";
  account.role = Role::kDeveloper;
  account.groups.clear();
  Store(account);
  accounts.Remove("user:ada");
  EXPECT_FALSE(authenticator->StillValid(grace));
  EXPECT_FALSE(authenticator->StillValid(ada));
}

TEST_F(AuthenticatorTest, LetsTheAnonymousDeveloperStay) {
  const Caller dev = AnonymousDeveloper("127.0.0.1");
  EXPECT_TRUE(authenticator->StillValid(dev));
  EXPECT_TRUE(Allows(dev, Permission::kAdminister, nullptr));
  EXPECT_FALSE(authenticator->StillValid(Caller{})) << "one that nobody has made";
}

TEST_F(AuthenticatorTest, LetsOnlyAPasswordsOwnerInBeforeItIsChanged) {
  ChangeAda([](User& ada) { ada.must_change = true; });
  const auto caller = Ask(LogInAda().text);
  ASSERT_TRUE(caller.has_value());
  EXPECT_TRUE(caller->must_change_password);
  EXPECT_FALSE(Allows(*caller, Permission::kRead, nullptr));
  TrustIdp();
  const auto by_issuer = Ask(IdpToken("ada", "viewer"));
  ASSERT_TRUE(by_issuer.has_value());
  EXPECT_TRUE(Allows(*by_issuer, Permission::kRead, nullptr));
}

}  // namespace
}  // namespace stele::server
