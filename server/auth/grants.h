// What a definition says about who may do what with it: the `permissions` of a workflow file.
//
//   permissions:
//     - actions: [start, signal]
//       users: [ada]
//       groups: [finance]
//     - action: operate
//       roles: [operator]
//
// An action that some entry names is for those whom its entries name; what no entry names is as the
// role's table has it. Entries only narrow that table, and never lock an admin out.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "server/auth/caller.h"
#include "server/auth/roles.h"

namespace stele::server {

struct Grant {
  std::vector<Permission> actions;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<Role> roles;
  bool operator==(const Grant&) const = default;
};

struct DefinitionPermissions {
  std::vector<Grant> grants;
  bool operator==(const DefinitionPermissions&) const = default;
};

// Of the value of `permissions`; kInvalidDefinition names every fault. A null value says nothing.
Result<DefinitionPermissions> ReadPermissions(const Value& permissions);

// Of a definition whose `permissions` cannot be read: every action is for admins alone.
DefinitionPermissions OnlyAdmins();

// `definition` is null where there is none, or where it says nothing of permissions.
bool Allows(const Caller& caller, Permission permission, const DefinitionPermissions* definition);

// The same, with a sentence: kForbidden.
Status Authorize(const Caller& caller, Permission permission,
                 const DefinitionPermissions* definition = nullptr);

// Whether `next` may count from now on in place of `counting`, either of them null where nothing is
// said. What guards a definition is changed by an admin, or by whom it names for `define`:
// kForbidden. REQUIRES: the caller may define it.
Status AuthorizeChange(const Caller& caller, const DefinitionPermissions* counting,
                       const DefinitionPermissions* next);

}  // namespace stele::server
