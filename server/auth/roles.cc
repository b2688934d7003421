#include "server/auth/roles.h"

namespace stele::server {
namespace {

constexpr std::array<std::string_view, kRoles> kRoleNames = {"admin",  "operator", "developer",
                                                             "worker", "auditor",  "viewer"};
constexpr std::array<std::string_view, kPermissions> kPermissionNames = {
    "read",         "read_definitions", "start",      "signal",  "operate",
    "decide_tasks", "act_for_others",   "define",     "trigger", "work",
    "read_figures", "manage_users",     "administer", "audit"};

template <class Enum, size_t kSize>
std::optional<Enum> FindName(const std::array<std::string_view, kSize>& names,
                             std::string_view name) {
  for (size_t i = 0; i < kSize; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view RoleName(Role role) {
  return kRoleNames[static_cast<size_t>(role)];
}

std::optional<Role> FindRole(std::string_view name) {
  return FindName<Role>(kRoleNames, name);
}

std::string_view PermissionName(Permission permission) {
  return kPermissionNames[static_cast<size_t>(permission)];
}

std::optional<Permission> FindPermission(std::string_view name) {
  return FindName<Permission>(kPermissionNames, name);
}

}  // namespace stele::server
