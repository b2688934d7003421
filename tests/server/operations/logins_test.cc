// Logins, users and keys over a real registry; denied attempts in its log.
#include "server/operations/logins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>

#include "base/json.h"
#include "replay/history.h"
#include "server/operations/denials.h"
#include "server/operations/limits.h"
#include "tests/server/support/served_world.h"

namespace stele::server {
namespace {

constexpr std::string_view kGood = "quite-a-good-one-7";
constexpr std::string_view kOther = "another-good-one-8";

class LoginWorld : public testing::Test {
 protected:
  ~LoginWorld() noexcept override = default;
  LoginWorld() {
    admin_.name = "root";
    admin_.role = Role::kAdmin;
  }

  // What has come of a user's login.
  Result<IssuedToken> Login(const std::string& name, std::string_view password) {
    return world_.Await(logins_.Login(name, SecretText(password), "10.0.0.1"));
  }
  // A user whose password is kGood and their own.
  Caller Own(const std::string& name, Role role) {
    world_.Get(logins_.PutUser(
        admin_, name,
        {.role = role, .groups = {}, .disabled = {}, .password = SecretText(kOther)}));
    const auto first = Login(name, kOther);
    EXPECT_TRUE(first.has_value() && first->caller.must_change_password);
    world_.clock().Advance(1);
    return world_.Get(logins_.ChangePassword(first->caller, SecretText(kOther), SecretText(kGood)))
        .caller;
  }
  // A minute of denied attempts is over.
  void EndMinute() {
    minutes_.advanceTo(minutes_.now() + 61 * kj::SECONDS);
    world_.Settle();
  }
  // The denied attempts of the log.
  std::vector<std::string> Denied() {
    world_.Settle();
    std::vector<std::string> texts;
    const auto cursor = world_.desk().store().ReadInstance(ShardId(), InstanceId(), Seq(1));
    for (auto record = (*cursor)->Next(); record->has_value(); record = (*cursor)->Next()) {
      const auto events = model::Decode((*record)->body);
      for (const model::Event& event : *events)
        if (const auto* denied = std::get_if<model::AccessDenied>(&event))
          texts.push_back(std::string((*record)->header.actor) + " " + denied->name + " " +
                          denied->document + " from " + std::string((*record)->header.source));
    }
    return texts;
  }

  ServedWorld world_;
  kj::TimerImpl minutes_{kj::origin<kj::TimePoint>()};
  Denials denials_{world_.desk(), minutes_};
  Accounts accounts_;
  Authenticator authenticator_{
      Authenticator::Create(accounts_, SigningKey::Own(std::string(32, 'k')).value(), KeySet(),
                            world_.clock(), SystemRandom(), {.passwords = PasswordLimits::Least()})
          .value()};
  Logins logins_{world_.desk(),  denials_,       accounts_,
                 authenticator_, SystemRandom(), PasswordLimits::Least()};
  Caller admin_;
};

TEST_F(LoginWorld, TheFirstAdminIsMadeOnce) {
  const SecretText password = world_.Get(logins_.MakeFirstAdmin());
  EXPECT_EQ(password.view().size(), 20u);
  const auto issued = Login("admin", password.view());
  ASSERT_TRUE(issued.has_value());
  EXPECT_EQ(world_.Get(logins_.MakeFirstAdmin()).view(), "");
  EXPECT_EQ(issued->caller.role, Role::kAdmin);
  // Nothing but the password may be changed with it.
  EXPECT_EQ(logins_.Users(issued->caller).error().code, ErrorCode::kForbidden);
}

TEST_F(LoginWorld, TheFirstAdminGetsAnotherPasswordUntilSomebodyHasLoggedIn) {
  const SecretText unseen = world_.Get(logins_.MakeFirstAdmin());
  // The next start reads what the last one recorded.
  Accounts again;
  EXPECT_TRUE(Logins::ReadAccounts(world_.desk().registry(), again).empty());
  EXPECT_TRUE(again.FindUser("admin")->unclaimed);
  const SecretText seen = world_.Get(logins_.MakeFirstAdmin());
  EXPECT_EQ(seen.view().size(), 20u);
  EXPECT_NE(seen.view(), unseen.view());
  EXPECT_EQ(Login("admin", unseen.view()).error().code, ErrorCode::kUnauthenticated);
  EXPECT_TRUE(accounts_.FindUser("admin")->unclaimed) << "somebody was wrong, nobody was in";
  world_.clock().Advance(60'000'000);
  ASSERT_TRUE(Login("admin", seen.view()).has_value());
  EXPECT_EQ(world_.Get(logins_.MakeFirstAdmin()).view(), "");
  EXPECT_TRUE(Logins::ReadAccounts(world_.desk().registry(), again).empty());
  EXPECT_FALSE(again.FindUser("admin")->unclaimed);
  for (const auto& [name, document] : world_.desk().registry().settings)
    EXPECT_EQ(document.find(seen.view()), std::string::npos) << name;
}

TEST_F(LoginWorld, NobodyWaitsForQuestionsToLogIn) {
  Own("ada", Role::kViewer);
  std::promise<void> door;
  const std::shared_future<void> opened = door.get_future().share();
  std::latch begun(kSlowThreads);
  std::vector<kj::Promise<Result<int>>> questions;
  const auto wait = [opened] {
    opened.wait();
    return Result<int>(1);
  };
  for (size_t i = 0; i < 2 * kReadingThreads; ++i) questions.push_back(world_.desk().Read(wait));
  for (size_t i = 0; i < kSlowThreads; ++i)
    questions.push_back(world_.desk().ReadLong([&begun, wait] {
      begun.count_down();
      return wait();
    }));
  begun.wait();
  for (size_t i = 0; i < kMaxSlowQuestions; ++i) questions.push_back(world_.desk().ReadLong(wait));
  EXPECT_TRUE(Login("ada", kGood).has_value());
  // What is more than may wait is refused, and the rest is answered.
  EXPECT_EQ(world_.CodeOf(world_.desk().ReadLong(wait)), ErrorCode::kBackPressure);
  door.set_value();
  for (auto& question : questions) EXPECT_EQ(world_.Get(kj::mv(question)), 1);
}

TEST_F(LoginWorld, AccountsAreReadBackFromTheRegistry) {
  Own("ada", Role::kOperator);
  const MadeKey key = world_.Get(logins_.MakeKey(
      admin_, {.name = "ci", .role = Role::kDeveloper, .groups = {"x"}, .expires = {}}));
  Accounts again;
  EXPECT_TRUE(Logins::ReadAccounts(world_.desk().registry(), again).empty());
  ASSERT_NE(again.FindUser("ada"), nullptr);
  EXPECT_EQ(*again.FindUser("ada"), *accounts_.FindUser("ada"));
  EXPECT_EQ(again.ListKeys().size(), 1u);
  const auto caller = logins_.AuthenticateText(key.text, "10.0.0.1");
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->name, "ci");
}

TEST_F(LoginWorld, AnAccountThatCannotBeReadIsTold) {
  auto answering = world_.desk().Await();
  world_.shard().ChangeSetting("user:eve", "{\"role\": \"king\"}", "test",
                               std::move(answering.answer));
  ASSERT_TRUE(world_.Await(kj::mv(answering.promise)).has_value());
  Accounts accounts;
  const auto faults = Logins::ReadAccounts(world_.desk().registry(), accounts);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_NE(faults[0].message.find("user:eve"), std::string::npos);
  EXPECT_EQ(accounts.FindUser("eve"), nullptr);
}

TEST_F(LoginWorld, AChangedPasswordEndsTheTokensBefore) {
  const Caller ada = Own("ada", Role::kViewer);
  EXPECT_TRUE(logins_.StillValid(ada));
  world_.clock().Advance(1);
  const auto next =
      world_.Await(logins_.ChangePassword(ada, SecretText(kGood), SecretText(kOther)));
  ASSERT_TRUE(next.has_value());
  EXPECT_FALSE(logins_.StillValid(ada));
  EXPECT_TRUE(logins_.StillValid(next->caller));
  EXPECT_FALSE(Login("ada", kGood).has_value());
}

TEST_F(LoginWorld, AWeakOrTheSamePasswordIsRefused) {
  const Caller ada = Own("ada", Role::kViewer);
  EXPECT_EQ(world_.CodeOf(logins_.ChangePassword(ada, SecretText(kGood), SecretText("short"))),
            ErrorCode::kWeakPassword);
  EXPECT_EQ(world_.CodeOf(logins_.ChangePassword(ada, SecretText(kGood), SecretText(kGood))),
            ErrorCode::kWeakPassword);
  EXPECT_EQ(world_.CodeOf(
                logins_.ChangePassword(ada, SecretText(kOther), SecretText("yet-another-one-9"))),
            ErrorCode::kUnauthenticated);
}

TEST_F(LoginWorld, LoggingOutIsRecorded) {
  const Caller ada = Own("ada", Role::kViewer);
  world_.Get(logins_.Logout(ada));
  EXPECT_FALSE(logins_.StillValid(ada));
  Accounts again;
  EXPECT_TRUE(Logins::ReadAccounts(world_.desk().registry(), again).empty());
  EXPECT_TRUE(again.revoked().Contains(ada.token_id));
}

TEST_F(LoginWorld, LoggingOutRecordsThatTokenAlone) {
  const Caller ada = Own("ada", Role::kViewer);
  const auto size_of_log = [this] {
    world_.Settle();
    uint64_t bytes = 0;
    const auto cursor = world_.desk().store().ReadInstance(ShardId(), InstanceId(), Seq(1));
    for (auto record = (*cursor)->Next(); record->has_value(); record = (*cursor)->Next())
      bytes += (*record)->body.size();
    return bytes;
  };
  std::vector<uint64_t> sizes{size_of_log()};
  Caller token = ada;
  for (int i = 0; i < 20; ++i) {
    const Caller next = logins_.Refresh(token)->caller;
    world_.Get(logins_.Logout(token));
    token = next;
    sizes.push_back(size_of_log());
  }
  EXPECT_EQ(sizes[20] - sizes[19], sizes[1] - sizes[0]);
}

TEST_F(LoginWorld, SettingsOfTokensGoWhenTheyHaveExpired) {
  const auto revoked = [this] {
    world_.Settle();
    return std::ranges::count_if(world_.desk().registry().settings, [](const auto& setting) {
      return setting.first.starts_with(kRevokedPrefix);
    });
  };
  const Caller ada = Own("ada", Role::kViewer);
  Caller token = ada;
  for (int i = 0; i < 5; ++i) {
    const Caller next = logins_.Refresh(token)->caller;
    world_.Get(logins_.Logout(token));
    token = next;
  }
  EXPECT_EQ(revoked(), 5);
  world_.clock().Advance(kTokenLifetimeUs);
  world_.Get(logins_.Logout(Login("ada", kGood)->caller));
  EXPECT_EQ(revoked(), 1);
  EXPECT_EQ(accounts_.revoked().size(), 1u);
}

TEST_F(LoginWorld, GivingUpOneTokenTooManyCallsAllOfTheUsersIn) {
  Caller token = Own("ada", Role::kViewer);
  const Caller eve = Own("eve", Role::kViewer);
  for (size_t i = 0; i < kMaxRevokedOfUser; ++i) {
    const Caller next = logins_.Refresh(token)->caller;
    world_.Get(logins_.Logout(token));
    token = next;
  }
  const Caller other = logins_.Refresh(token)->caller;
  EXPECT_TRUE(logins_.StillValid(token));
  world_.Get(logins_.Logout(token));
  EXPECT_FALSE(logins_.StillValid(token));
  EXPECT_FALSE(logins_.StillValid(other));
  EXPECT_EQ(accounts_.revoked().size(), kMaxRevokedOfUser);
  EXPECT_TRUE(logins_.StillValid(eve));
  world_.Get(logins_.Logout(eve));
  EXPECT_FALSE(logins_.StillValid(eve));
  Accounts again;
  EXPECT_TRUE(Logins::ReadAccounts(world_.desk().registry(), again).empty());
  EXPECT_GT(again.FindUser("ada")->tokens_valid_from, other.issued);
  world_.clock().Advance(1);
  EXPECT_TRUE(logins_.StillValid(Login("ada", kGood)->caller));
}

TEST_F(LoginWorld, TheLastAdminStays) {
  world_.Get(logins_.MakeFirstAdmin());
  EXPECT_EQ(world_.CodeOf(logins_.RemoveUser(admin_, "admin")), ErrorCode::kWrongState);
  EXPECT_EQ(
      world_.CodeOf(logins_.PutUser(
          admin_, "admin", {.role = Role::kViewer, .groups = {}, .disabled = {}, .password = {}})),
      ErrorCode::kWrongState);
  EXPECT_EQ(world_.CodeOf(logins_.PutUser(
                admin_, "admin", {.role = {}, .groups = {}, .disabled = true, .password = {}})),
            ErrorCode::kWrongState);
  Own("ada", Role::kAdmin);
  EXPECT_TRUE(world_.Await(logins_.RemoveUser(admin_, "admin")).has_value());
}

TEST_F(LoginWorld, ANewUserWithoutAPasswordGetsOne) {
  const ChangedUser made = world_.Get(logins_.PutUser(
      admin_, "bo", {.role = Role::kWorker, .groups = {{"a"}}, .disabled = {}, .password = {}}));
  EXPECT_TRUE(made.is_new);
  EXPECT_EQ(made.user.Find("must_change")->as_bool(), true);
  EXPECT_EQ(made.user.Find("password_hash"), nullptr);
  ASSERT_TRUE(Login("bo", made.password.view()).has_value());
  // What is not said stays.
  const ChangedUser changed = world_.Get(
      logins_.PutUser(admin_, "bo", {.role = {}, .groups = {}, .disabled = true, .password = {}}));
  EXPECT_FALSE(changed.is_new);
  EXPECT_TRUE(changed.password.empty());
  EXPECT_EQ(accounts_.FindUser("bo")->role, Role::kWorker);
  EXPECT_EQ(Login("bo", made.password.view()).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(LoginWorld, ChangesOfAUserDoNotUndoEachOther) {
  Own("ada", Role::kOperator);
  // The first one is still hashing when the second one is durable.
  auto password = logins_.PutUser(
      admin_, "ada", {.role = {}, .groups = {}, .disabled = {}, .password = SecretText(kOther)});
  auto disabled =
      logins_.PutUser(admin_, "ada", {.role = {}, .groups = {}, .disabled = true, .password = {}});
  EXPECT_TRUE(world_.Await(kj::mv(disabled)).has_value());
  EXPECT_TRUE(world_.Await(kj::mv(password)).has_value());
  EXPECT_TRUE(accounts_.FindUser("ada")->disabled);
  EXPECT_TRUE(accounts_.FindUser("ada")->must_change);
}

TEST_F(LoginWorld, AChangeHoldsThoughNobodyWaitsForIt) {
  Own("ada", Role::kOperator);
  {
    const auto dropped = logins_.RemoveUser(admin_, "ada");
  }
  world_.Until([&] { return accounts_.FindUser("ada") == nullptr; });
}

TEST_F(LoginWorld, WhatCouldNotBeReadBackIsNotRecorded) {
  const std::vector<std::string> groups{std::string(10'000, 'g')};
  EXPECT_FALSE(
      world_
          .Await(logins_.PutUser(
              admin_, "bo",
              {.role = {}, .groups = groups, .disabled = {}, .password = SecretText(kGood)}))
          .has_value());
  EXPECT_EQ(world_.desk().registry().settings.count("user:bo"), 0u);
}

TEST_F(LoginWorld, WhoMayNotManageUsersIsRefusedAndNoted) {
  const Caller viewer = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(logins_.Users(viewer).error().code, ErrorCode::kForbidden);
  EXPECT_EQ(world_.CodeOf(logins_.RemoveUser(viewer, "admin")), ErrorCode::kForbidden);
  const auto denied = Denied();
  // The same attempt twice within a minute is one record.
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_NE(denied[0].find(viewer.name + " manage_users"), std::string::npos) << denied[0];
  EndMinute();
  const auto later = Denied();
  ASSERT_EQ(later.size(), 2u);
  EXPECT_NE(later[1].find(viewer.name + " manage_users"), std::string::npos) << later[1];
  EXPECT_NE(later[1].find("\"times\":1"), std::string::npos) << later[1];
}

TEST_F(LoginWorld, WhatIsDeniedAgainIsNotedOnceAMinuteWithWhoAndFromWhere) {
  const Caller viewer = ServedWorld::Somebody(Role::kViewer);
  const auto attempt = [&](int times) {
    for (int i = 0; i < times; ++i) denials_.Note(viewer, "operate", {"flow", InstanceId(7)});
  };
  attempt(3);
  EXPECT_EQ(Denied().size(), 1u);
  EndMinute();
  attempt(4);
  EXPECT_EQ(Denied().size(), 2u);
  EndMinute();
  const auto denied = Denied();
  ASSERT_EQ(denied.size(), 3u);
  for (const auto& [text, times] :
       {std::pair(denied[0], 1), std::pair(denied[1], 2), std::pair(denied[2], 4)}) {
    EXPECT_NE(text.find(viewer.name + " operate"), std::string::npos) << text;
    EXPECT_NE(text.find("\"times\":" + std::to_string(times)), std::string::npos) << text;
    EXPECT_NE(text.find("\"instance\":7"), std::string::npos) << text;
    EXPECT_NE(text.find("from " + viewer.source), std::string::npos) << text;
  }
  // After a minute without it, it is a new one.
  EndMinute();
  attempt(1);
  EXPECT_EQ(Denied().size(), 4u);
}

TEST_F(LoginWorld, WhatWasCountedIsNotedAtTheEnd) {
  for (int i = 0; i < 5; ++i) denials_.NoteStranger("ada", "rest 10.0.0.7", "login");
  EXPECT_EQ(Denied().size(), 1u);
  denials_.Close();
  const auto denied = Denied();
  ASSERT_EQ(denied.size(), 2u);
  EXPECT_NE(denied[1].find("ada login"), std::string::npos) << denied[1];
  EXPECT_NE(denied[1].find("\"times\":4"), std::string::npos) << denied[1];
  EXPECT_EQ(denied[1].find("role"), std::string::npos) << denied[1];
  EndMinute();
  EXPECT_EQ(Denied().size(), 2u);
}

TEST_F(LoginWorld, WrongPasswordsAndTokensAreNoted) {
  EXPECT_FALSE(Login("nobody", "wrong-wrong-wrong").has_value());
  EXPECT_FALSE(logins_.Authenticate("Bearer a.b.c", "10.0.0.2").has_value());
  const auto denied = Denied();
  ASSERT_EQ(denied.size(), 2u);
  EXPECT_NE(denied[0].find("nobody login"), std::string::npos);
  EXPECT_NE(denied[1].find("10.0.0.2"), std::string::npos);
}

TEST_F(LoginWorld, StrangersCannotFillTheLog) {
  for (uint64_t i = 1; i <= 1'500; ++i)
    denials_.Note(ServedWorld::Somebody(Role::kViewer), "operate", {"flow", InstanceId(i)});
  EXPECT_EQ(Denied().size(), kMaxDenialsNoted);
  EndMinute();
  auto denied = Denied();
  ASSERT_EQ(denied.size(), kMaxDenialsNoted + 1);
  EXPECT_NE(denied.back().find("others"), std::string::npos) << denied.back();
  EXPECT_NE(denied.back().find("\"times\":1380"), std::string::npos) << denied.back();
  // The next minute has room again.
  denials_.Note(ServedWorld::Somebody(Role::kViewer), "start", {"another", {}});
  denied = Denied();
  ASSERT_EQ(denied.size(), kMaxDenialsNoted + 2);
  EXPECT_NE(denied.back().find("another"), std::string::npos) << denied.back();
}

}  // namespace
}  // namespace stele::server
