// Passwords for tokens, refreshed tokens, and those who try too often.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "server/auth/authenticator.h"
#include "tests/server/auth/auth_world.h"

namespace stele::server {
namespace {

using testing::HasSubstr;

class Login : public test::AuthWorld {};

TEST_F(Login, GivesATokenForAnHour) {
  const IssuedToken issued = LogInAda();
  EXPECT_EQ(issued.caller.issued, test::kStart);
  EXPECT_EQ(issued.caller.logged_in, test::kStart);
  EXPECT_EQ(issued.caller.expires.value,
            test::kStart.value / kSecondUs * kSecondUs + kTokenLifetimeUs);
  EXPECT_FALSE(issued.needs_rehash);
  EXPECT_NE(LogInAda().caller.token_id, issued.caller.token_id);
}

TEST_F(Login, SaysTheSameWhateverWasWrong) {
  User silent = Ada();
  silent.name = "silent";
  silent.password_hash.clear();
  Store(silent);
  std::vector<Error> errors;
  for (const auto& [name, password] : std::initializer_list<std::pair<std::string, std::string>>{
           {"ada", "wrong"},
           {"nobody", std::string(test::kPassword)},
           {"silent", ""},
           {"ada", ""},
           {"", ""},
           {"ada", std::string(300, 'x')},
           {std::string(300, 'x'), std::string(test::kPassword)}}) {
    const auto issued = LogIn(name, password, "10.0.1." + std::to_string(errors.size()));
    ASSERT_FALSE(issued.has_value()) << name;
    errors.push_back(issued.error());
  }
  EXPECT_EQ(errors.front().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(errors, testing::Each(errors.front()));
}

TEST_F(Login, LooksAsLongForNamesThatThereAreNot) {
  const auto real = authenticator->Begin("ada", "wrong", test::kSource);
  const auto nobody = authenticator->Begin("nobody", "wrong", test::kSource);
  ASSERT_TRUE(real.has_value() && nobody.has_value());
  EXPECT_EQ(real->hash().substr(0, 27), nobody->hash().substr(0, 27)) << "the limits are the same";
  EXPECT_EQ(real->hash().size(), nobody->hash().size());
  EXPECT_FALSE(NeedsRehash(nobody->hash(), PasswordLimits::Least()));
  EXPECT_FALSE(nobody->Verify());
}

TEST_F(Login, IsRefusedWhenTheUserIsDisabledAndSaysSoToItsOwnerAlone) {
  ChangeAda([](User& ada) { ada.disabled = true; });
  const auto with_password = LogIn("ada", test::kPassword);
  ASSERT_FALSE(with_password.has_value());
  EXPECT_THAT(with_password.error().message, HasSubstr("disabled"));
  const auto without = LogIn("ada", "wrong");
  ASSERT_FALSE(without.has_value());
  EXPECT_THAT(without.error().message, testing::Not(HasSubstr("disabled")));
}

TEST_F(Login, IsRefusedWhenTheAccountChangedMeanwhile) {
  const auto check = authenticator->Begin("ada", test::kPassword, test::kSource);
  ASSERT_TRUE(check->Verify());
  ChangeAda([](User& ada) {
    ada.password_hash = HashPassword("another password", PasswordLimits::Least()).value();
  });
  EXPECT_FALSE(authenticator->Finish(*check, true).has_value());
  accounts.Remove("user:ada");
  EXPECT_FALSE(authenticator->Finish(*check, true).has_value());
}

TEST_F(Login, VerifiesOnAnotherThread) {
  const auto check = authenticator->Begin("ada", test::kPassword, test::kSource);
  bool verified = false;
  std::thread([&] { verified = check->Verify(); }).join();
  EXPECT_TRUE(authenticator->Finish(*check, verified).has_value());
}

TEST_F(Login, SaysWhenTheHashIsOfOtherLimits) {
  const PasswordLimits more{.passes = 2, .memory_bytes = 16 << 10};
  ChangeAda([more](User& ada) { ada.password_hash = HashPassword(test::kPassword, more).value(); });
  EXPECT_TRUE(LogInAda().needs_rehash);
}

TEST_F(Login, HasToWaitAfterFiveWrongPasswords) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(LogIn("ada", "wrong").error().code, ErrorCode::kUnauthenticated);
  const auto refused = LogIn("ada", test::kPassword);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooManyLogins);
  EXPECT_THAT(refused.error().message, HasSubstr("a pause of 1 s"));
  EXPECT_EQ(authenticator->LoginWaitUs("ada", test::kSource), kSecondUs);
  EXPECT_EQ(LogIn("ada", test::kPassword, "10.0.0.99").error().code, ErrorCode::kTooManyLogins);
  EXPECT_EQ(LogIn("bob", "x").error().code, ErrorCode::kTooManyLogins);
  clock.Advance(kSecondUs);
  EXPECT_TRUE(LogIn("ada", test::kPassword).has_value());
}

TEST_F(Login, CountsAttemptsThatAreStillBeingLookedAt) {
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(authenticator->Begin("ada", "guess", test::kSource).has_value());
  EXPECT_EQ(authenticator->Begin("ada", "guess", test::kSource).error().code,
            ErrorCode::kTooManyLogins);
}

TEST_F(Login, MayBeDoneAsOftenAsOneLikesWithTheRightPassword) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(LogIn("ada", test::kPassword).has_value());
  EXPECT_EQ(authenticator->LoginWaitUs("ada", test::kSource), std::nullopt);
}

TEST_F(Login, IsRefreshedForTwelveHours) {
  IssuedToken token = LogInAda();
  const TimeUs end = test::kStart.Plus(kSessionUs);
  for (clock.Advance(kTokenLifetimeUs / 2); clock.Now() < end;
       clock.Advance(kTokenLifetimeUs / 2)) {
    const auto next = authenticator->Refresh(Ask(token.text).value());
    ASSERT_TRUE(next.has_value()) << next.error().message;
    EXPECT_EQ(next->caller.logged_in, test::kStart);
    EXPECT_NE(next->caller.token_id, token.caller.token_id);
    EXPECT_EQ(next->caller.source, test::kSource);
    token = *next;
  }
  const auto over = authenticator->Refresh(Ask(token.text).value());
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(over.error().message, HasSubstr("log in"));
}

TEST_F(Login, IsNotRefreshedForWhoMayNotAskAnyMore) {
  const IssuedToken token = LogInAda();
  ASSERT_TRUE(authenticator->Revoke(token.caller).has_value());
  EXPECT_EQ(authenticator->Refresh(token.caller).error().code, ErrorCode::kBadToken);
  const IssuedToken other = LogInAda();
  ChangeAda([](User& ada) { ada.disabled = true; });
  EXPECT_EQ(authenticator->Refresh(other.caller).error().code, ErrorCode::kBadToken);
  EXPECT_FALSE(authenticator->Refresh(AnonymousDeveloper("127.0.0.1")).has_value());
}

TEST_F(Login, GivesNoTokenToRevokeForAnApiKey) {
  const MadeApiKey made = MakeApiKey(random, "robot", Role::kWorker, clock.Now());
  ASSERT_TRUE(accounts.Set("key:" + made.key.id, ToJson(made.key)).has_value());
  const Caller robot = Ask(made.text).value();
  EXPECT_THAT(authenticator->Revoke(robot).error().message, HasSubstr("disable the API key"));
  EXPECT_FALSE(authenticator->Refresh(robot).has_value());
  EXPECT_TRUE(Ask(made.text).has_value());
}

}  // namespace
}  // namespace stele::server
