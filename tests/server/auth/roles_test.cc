// Every role and permission, compared with the table that people read.
#include "server/auth/roles.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace stele::server {
namespace {

std::string Trimmed(std::string text) {
  for (const char c : {'`', ' '}) std::erase(text, c);
  return text;
}

std::vector<std::string> CellsOf(const std::string& line) {
  std::vector<std::string> cells;
  size_t at = line.find('|');
  for (size_t end = line.find('|', at + 1); end != std::string::npos;
       at = end, end = line.find('|', at + 1))
    cells.push_back(Trimmed(line.substr(at + 1, end - at - 1)));
  return cells;
}

// permission -> role -> what its cell says, of docs/authentication.md.
std::map<std::string, std::map<std::string, std::string>> TableOfThePage() {
  std::ifstream page(STELE_SOURCE_DIR "/docs/authentication.md");
  std::map<std::string, std::map<std::string, std::string>> table;
  std::vector<std::string> head;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| permission |")) {
      head = CellsOf(line);
    } else if (!head.empty() && line.starts_with("| `")) {
      const auto cells = CellsOf(line);
      for (size_t i = 1; i <= kRoles; ++i) table[cells.at(0)][head.at(i)] = cells.at(i);
    } else if (!line.starts_with("|---")) {
      head.clear();
    }
  }
  return table;
}

TEST(Roles, AreAsThePageShowsThem) {
  const auto table = TableOfThePage();
  ASSERT_EQ(table.size(), kPermissions);
  for (size_t p = 0; p < kPermissions; ++p) {
    const auto permission = static_cast<Permission>(p);
    const auto row = table.find(std::string(PermissionName(permission)));
    ASSERT_NE(row, table.end()) << PermissionName(permission);
    ASSERT_EQ(row->second.size(), kRoles) << PermissionName(permission);
    for (size_t r = 0; r < kRoles; ++r) {
      const auto role = static_cast<Role>(r);
      EXPECT_EQ(row->second.at(std::string(RoleName(role))), MayDo(role, permission) ? "yes" : "–")
          << PermissionName(permission) << " " << RoleName(role);
    }
  }
}

TEST(Roles, HaveNamesThatAreFoundAgain) {
  for (size_t r = 0; r < kRoles; ++r)
    EXPECT_EQ(FindRole(RoleName(static_cast<Role>(r))), static_cast<Role>(r));
  for (size_t p = 0; p < kPermissions; ++p)
    EXPECT_EQ(FindPermission(PermissionName(static_cast<Permission>(p))),
              static_cast<Permission>(p));
  EXPECT_EQ(FindRole("Admin"), std::nullopt);
  EXPECT_EQ(FindRole(""), std::nullopt);
  EXPECT_EQ(FindPermission("everything"), std::nullopt);
}

TEST(Roles, LetAnAdminDoEverythingAndAWorkerOnlyWork) {
  for (size_t p = 0; p < kPermissions; ++p) {
    const auto permission = static_cast<Permission>(p);
    EXPECT_TRUE(MayDo(Role::kAdmin, permission)) << PermissionName(permission);
    EXPECT_EQ(MayDo(Role::kWorker, permission), permission == Permission::kWork)
        << PermissionName(permission);
  }
}

TEST(Roles, LetOnlyAnAdminSayWhoMayDoWhat) {
  for (const Role role :
       {Role::kOperator, Role::kDeveloper, Role::kWorker, Role::kAuditor, Role::kViewer}) {
    EXPECT_FALSE(MayDo(role, Permission::kManageUsers)) << RoleName(role);
    EXPECT_FALSE(MayDo(role, Permission::kAdminister)) << RoleName(role);
  }
}

}  // namespace
}  // namespace stele::server
