// The six roles, what an edge lets somebody do, and the one table of both. docs/authentication.md
// has the same table; a test compares them.
//
// Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stele::server {

// The strongest first: of several roles that a token names, the first of this order counts.
enum class Role : uint8_t { kAdmin, kOperator, kDeveloper, kWorker, kAuditor, kViewer };
inline constexpr size_t kRoles = 6;

enum class Permission : uint8_t {
  kRead,             // instances, histories, views
  kReadDefinitions,  // definitions, types, triggers
  kStart,            // starting instances
  kSignal,           // signals and messages
  kOperate,          // pause, resume, cancel, retry, skip, roll back, variables, migrate, fork
  kDecideTasks,      // human tasks that name the caller or a group of theirs
  kActForOthers,     // human tasks that name somebody else
  kDefine,           // registering, activating, retiring definitions and types
  kTrigger,          // adding, changing and firing triggers
  kWork,             // serving tasks as a worker
  kReadFigures,      // metrics, the lag of views, the scheduler
  kManageUsers,      // users and API keys
  kAdminister,       // retention, backups, rebuilding views, settings
  kAudit,            // who did what, attempts that were denied, proofs
};
inline constexpr size_t kPermissions = 14;

// "operator"
std::string_view RoleName(Role role);
std::optional<Role> FindRole(std::string_view name);

// "act_for_others"
std::string_view PermissionName(Permission permission);
std::optional<Permission> FindPermission(std::string_view name);

// Rows in the order of Permission, columns in the order of Role. A worker serves tasks and nothing
// else; a viewer reads, so that the key of a dashboard decides nothing; an auditor reads that and
// what everybody did, and does nothing.
inline constexpr std::array<std::array<bool, kRoles>, kPermissions> kMayDo = {{
    // admin, operator, developer, worker, auditor, viewer
    {true, true, true, false, true, true},      // read
    {true, true, true, false, true, true},      // read_definitions
    {true, true, true, false, false, false},    // start
    {true, true, true, false, false, false},    // signal
    {true, true, false, false, false, false},   // operate
    {true, true, true, false, false, false},    // decide_tasks
    {true, true, false, false, false, false},   // act_for_others
    {true, false, true, false, false, false},   // define
    {true, true, true, false, false, false},    // trigger
    {true, false, false, true, false, false},   // work
    {true, true, true, false, true, true},      // read_figures
    {true, false, false, false, false, false},  // manage_users
    {true, false, false, false, false, false},  // administer
    {true, false, false, false, true, false},   // audit
}};

constexpr bool MayDo(Role role, Permission permission) {
  return kMayDo[static_cast<size_t>(permission)][static_cast<size_t>(role)];
}

// Whether it is about one definition and its instances, so that a definition can narrow it.
constexpr bool IsOfDefinition(Permission permission) {
  return permission <= Permission::kTrigger;
}

}  // namespace stele::server
