// Who may say anew what guards a definition.
#include "tests/server/support/guarded_world.h"

namespace stele::server {
namespace {

class GuardTest : public testing::Test {
 protected:
  GuardTest() {
    world_.desk().WatchDenied(
        [this](const Caller&, Permission permission, const Desk::Target& target) {
          denied_.push_back(std::string(PermissionName(permission)) + " " +
                            std::string(target.definition));
        });
  }
  // Registers a version that differs from every other by its number.
  Judged<DefinitionStatus> Register(const Caller& caller, int number, const std::string& guard,
                                    bool draft = false) {
    return world_.Await(world_.definitions().Register(
        caller, {.text = fmt::format("version: '1.0'\nname: flow\ndescription: Version {}\n{}"
                                     "steps: [{{id: a, type: script}}]\n",
                                     number, guard),
                 .draft = draft}));
  }
  ErrorCode Refusal(const Caller& caller, int number, const std::string& guard,
                    bool draft = false) {
    const auto refused = Register(caller, number, guard, draft);
    EXPECT_FALSE(refused.has_value());
    return refused.has_value() ? ErrorCode::kIo : refused.error().error.code;
  }
  Promised<DefinitionStatus> Change(const Caller& caller, uint32_t version,
                                    model::DefinitionState state) {
    return world_.definitions().Change(caller, "flow", version, state, "");
  }
  bool MayStart(const Caller& caller) {
    return world_.desk().Allow(caller, Permission::kStart, "flow").has_value();
  }
  static Caller Developer(const std::string& name) {
    Caller caller = ServedWorld::Somebody(Role::kDeveloper);
    caller.name = name;
    return caller;
  }

  ServedWorld world_;
  const Caller admin_ = ServedWorld::Somebody(Role::kAdmin);
  const Caller ada_ = Developer("ada");
  const Caller bob_ = Developer("bob");
  std::vector<std::string> denied_;
};

TEST_F(GuardTest, IsNotTakenAwayByAnotherVersion) {
  const std::string guard = ForAdaAlone("start");
  ASSERT_TRUE(Register(admin_, 1, guard).has_value());
  EXPECT_EQ(Refusal(bob_, 2, ""), ErrorCode::kForbidden);
  EXPECT_EQ(Refusal(bob_, 2, "permissions: []\n"), ErrorCode::kForbidden);
  EXPECT_EQ(Refusal(bob_, 2, ForAdaAlone("signal")), ErrorCode::kForbidden);
  EXPECT_EQ(Refusal(bob_, 2, "", /*draft=*/true), ErrorCode::kForbidden);
  EXPECT_EQ(denied_, std::vector<std::string>(4, "define flow"));
  // Whom it names for something else is named for nothing here.
  EXPECT_EQ(Refusal(ada_, 2, ""), ErrorCode::kForbidden);
  EXPECT_FALSE(MayStart(bob_));
  // What says the same may be registered, as ever.
  EXPECT_TRUE(Register(bob_, 2, guard).has_value());
  EXPECT_FALSE(MayStart(bob_));
  EXPECT_TRUE(Register(admin_, 3, "").has_value());
  EXPECT_TRUE(MayStart(bob_));
}

TEST_F(GuardTest, IsChangedByWhomItNamesForDefine) {
  ASSERT_TRUE(Register(admin_, 1, ForAdaAlone("start, define")).has_value());
  EXPECT_EQ(Refusal(bob_, 2, ""), ErrorCode::kForbidden);
  EXPECT_TRUE(Register(ada_, 2, "").has_value());
  EXPECT_TRUE(MayStart(bob_));
}

TEST_F(GuardTest, IsSetByWhoeverDefinesWhereThereIsNone) {
  ASSERT_TRUE(Register(bob_, 1, "").has_value());
  EXPECT_TRUE(Register(bob_, 2, ForAdaAlone("start")).has_value());
  EXPECT_EQ(Refusal(bob_, 3, ""), ErrorCode::kForbidden);
}

TEST_F(GuardTest, IsNotTakenAwayByTheStateOfAVersion) {
  using model::DefinitionState;
  ASSERT_TRUE(Register(admin_, 1, "").has_value());
  ASSERT_TRUE(Register(admin_, 2, ForAdaAlone("start")).has_value());
  ASSERT_TRUE(Register(admin_, 3, "", /*draft=*/true).has_value());
  ASSERT_FALSE(MayStart(bob_));
  EXPECT_EQ(world_.CodeOf(Change(bob_, 3, DefinitionState::kActive)), ErrorCode::kForbidden);
  for (const DefinitionState state : {DefinitionState::kPaused, DefinitionState::kRetired})
    EXPECT_EQ(world_.CodeOf(Change(bob_, 2, state)), ErrorCode::kForbidden);
  EXPECT_EQ(denied_,
            (std::vector<std::string>{"start flow", "define flow", "define flow", "define flow"}));
  EXPECT_FALSE(MayStart(bob_));
  // Another version's counts as before.
  EXPECT_EQ(world_.Get(Change(bob_, 1, DefinitionState::kRetired)).state, "retired");
  EXPECT_EQ(world_.Get(Change(admin_, 3, DefinitionState::kActive)).state, "active");
  EXPECT_TRUE(MayStart(bob_));
}

TEST(FindDefinition, NamesNoneThatTheCallerMayNotSee) {
  ServedWorld world;
  RegisterTelling(world, "secret", ForAdaAlone("read_definitions"));
  RegisterTelling(world, "plain");
  const Caller developer = ServedWorld::Somebody(Role::kDeveloper);
  for (const char* name : {"elsewhere", "secret-flaw", "plain-flaw"}) {
    const auto got = world.definitions().Get(developer, name, 0);
    const auto listed = world.definitions().List(developer, name);
    const auto started = world.Await(world.instances().Start(developer, {.definition = name}));
    ASSERT_FALSE(got.has_value() || listed.has_value() || started.has_value());
    for (const Error& error : {got.error(), listed.error(), started.error()}) {
      EXPECT_EQ(error.code, ErrorCode::kUnknownDefinition);
      EXPECT_EQ(error.message.find("secret-flow"), std::string::npos) << error.message;
      EXPECT_NE(error.message.find("plain-flow"), std::string::npos) << error.message;
    }
  }
  EXPECT_NE(world.definitions().Get(Ada(), "secret-flaw", 0).error().message.find(kGuarded),
            std::string::npos);
}

}  // namespace
}  // namespace stele::server
