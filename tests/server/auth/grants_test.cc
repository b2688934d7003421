#include "server/auth/grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace stele::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Caller Named(std::string name, Role role, std::vector<std::string> groups = {}) {
  Caller caller;
  caller.name = std::move(name);
  caller.role = role;
  caller.groups = std::move(groups);
  return caller;
}

Result<DefinitionPermissions> Read(std::string_view json) {
  return ReadPermissions(ParseJson(json).value());
}

TEST(Grants, AreTheRolesTableWhereADefinitionSaysNothing) {
  const auto nothing = Read("null").value();
  for (size_t r = 0; r < kRoles; ++r)
    for (size_t p = 0; p < kPermissions; ++p) {
      const auto role = static_cast<Role>(r);
      const auto permission = static_cast<Permission>(p);
      EXPECT_EQ(Allows(Named("x", role), permission, nullptr), MayDo(role, permission));
      EXPECT_EQ(Allows(Named("x", role), permission, &nothing), MayDo(role, permission));
    }
}

TEST(Grants, AreForThoseWhomAnEntryNames) {
  const auto permissions = Read(R"([{"action": "start", "users": "ada", "groups": ["finance"]},
                                    {"actions": ["start"], "roles": ["operator"]}])")
                               .value();
  const auto may_start = [&](const Caller& caller) {
    return Allows(caller, Permission::kStart, &permissions);
  };
  EXPECT_TRUE(may_start(Named("ada", Role::kDeveloper)));
  EXPECT_TRUE(may_start(Named("bob", Role::kDeveloper, {"sales", "finance"})));
  EXPECT_TRUE(may_start(Named("cem", Role::kOperator)));
  EXPECT_FALSE(may_start(Named("bob", Role::kDeveloper, {"sales"})));
  EXPECT_FALSE(may_start(Named("finance", Role::kDeveloper)));
}

TEST(Grants, OpenNothingToARoleThatWasTakenOnToDoLess) {
  const auto permissions =
      Read(R"([{"action": "read", "roles": ["viewer"], "users": ["ada"]}])").value();
  Caller handed_on = Named("bob", Role::kViewer);
  handed_on.narrowed = true;
  EXPECT_TRUE(Allows(Named("bob", Role::kViewer), Permission::kRead, &permissions));
  EXPECT_FALSE(Allows(handed_on, Permission::kRead, &permissions));
  handed_on.name = "ada";
  EXPECT_TRUE(Allows(handed_on, Permission::kRead, &permissions));
}

TEST(Grants, LeaveActionsThatNoEntryNamesAsTheyAre) {
  const auto permissions = Read(R"([{"action": "start", "users": ["ada"]}])").value();
  const Caller bob = Named("bob", Role::kDeveloper);
  EXPECT_FALSE(Allows(bob, Permission::kStart, &permissions));
  EXPECT_TRUE(Allows(bob, Permission::kSignal, &permissions));
}

TEST(Grants, GiveNobodyMoreThanTheRoleHas) {
  const auto permissions = Read(R"([{"action": "operate", "users": ["vera"]}])").value();
  EXPECT_FALSE(Allows(Named("vera", Role::kViewer), Permission::kOperate, &permissions));
  EXPECT_FALSE(Allows(Named("vera", Role::kDeveloper), Permission::kOperate, &permissions));
  EXPECT_TRUE(Allows(Named("vera", Role::kOperator), Permission::kOperate, &permissions));
}

TEST(Grants, NeverLockAnAdminOut) {
  const auto only_admins = OnlyAdmins();
  for (size_t p = 0; p < kPermissions; ++p) {
    const auto permission = static_cast<Permission>(p);
    EXPECT_TRUE(Allows(Named("root", Role::kAdmin), permission, &only_admins));
    EXPECT_EQ(Allows(Named("ada", Role::kOperator), permission, &only_admins),
              MayDo(Role::kOperator, permission) && !IsOfDefinition(permission))
        << PermissionName(permission);
  }
}

TEST(Grants, LetNobodyDoAnythingBeforeTheFirstPasswordIsChanged) {
  Caller caller = Named("root", Role::kAdmin);
  caller.must_change_password = true;
  for (size_t p = 0; p < kPermissions; ++p)
    EXPECT_FALSE(Allows(caller, static_cast<Permission>(p), nullptr));
  EXPECT_THAT(Authorize(caller, Permission::kRead).error().message, HasSubstr("password"));
}

TEST(Grants, SayWhyNot) {
  const auto permissions = Read(R"([{"action": "start", "users": ["ada"]}])").value();
  const Status by_role = Authorize(Named("vera", Role::kViewer), Permission::kOperate);
  ASSERT_FALSE(by_role.has_value());
  EXPECT_EQ(by_role.error().code, ErrorCode::kForbidden);
  EXPECT_THAT(by_role.error().message,
              AllOf(HasSubstr("`operate`"), HasSubstr("vera"), HasSubstr("viewer")));
  const Status by_definition =
      Authorize(Named("bob", Role::kDeveloper), Permission::kStart, &permissions);
  ASSERT_FALSE(by_definition.has_value());
  EXPECT_EQ(by_definition.error().code, ErrorCode::kForbidden);
  EXPECT_THAT(by_definition.error().message, HasSubstr("definition"));
  EXPECT_TRUE(Authorize(Named("ada", Role::kDeveloper), Permission::kStart, &permissions));
}

TEST(Grants, AreRefusedWithEveryFaultAtOnce) {
  const auto read = Read(R"([{"action": "strat", "users": ["ada"]}, {"actions": ["start"]},
                             {"action": "manage_users", "roles": ["boss"]}, 7,
                             {"action": ["start", 1], "users": ["ada"], "team": "x"}])");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kInvalidDefinition);
  for (const std::string_view part :
       {"permissions[0] but found `strat`", "users, groups or roles in permissions[1]",
        "permissions[2] but found `manage_users`", "permissions[2] but found `boss`",
        "permissions[3] as a mapping", "`action` of permissions[4]",
        "permissions[4] but found `team`"})
    EXPECT_THAT(read.error().message, HasSubstr(part));
  EXPECT_FALSE(Read(R"({"start": ["ada"]})").has_value());
  EXPECT_FALSE(Read(R"("ada")").has_value());
}

}  // namespace
}  // namespace stele::server
