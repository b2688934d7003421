#include "server/auth/grants.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::server {
namespace {

class GrantReader {
 public:
  DefinitionPermissions Read(const Value& permissions) {
    DefinitionPermissions read;
    if (permissions.is_null()) return read;
    if (!permissions.is_array()) {
      Fault("`permissions` as a list", KindName(permissions.kind()));
      return read;
    }
    for (const Value& entry : permissions.as_array()) {
      place_ = fmt::format("permissions[{}]", read.grants.size());
      read.grants.push_back(ReadGrant(entry));
    }
    return read;
  }
  const std::string& faults() const { return faults_; }

 private:
  Grant ReadGrant(const Value& entry) {
    Grant grant;
    if (!entry.is_object()) {
      Fault(place_ + " as a mapping", KindName(entry.kind()));
      return grant;
    }
    for (const auto& [key, value] : entry.as_object()) {
      if (key == "action" || key == "actions") {
        for (const std::string& word : Words(key, value)) AddAction(word, grant);
      } else if (key == "users") {
        grant.users = Words(key, value);
      } else if (key == "groups") {
        grant.groups = Words(key, value);
      } else if (key == "roles") {
        for (const std::string& word : Words(key, value)) AddRole(word, grant);
      } else {
        Fault("actions, users, groups and roles in " + place_, "`" + key + "`");
      }
    }
    if (grant.actions.empty()) Fault("at least one action in " + place_, "none");
    if (grant.users.empty() && grant.groups.empty() && grant.roles.empty())
      Fault("users, groups or roles in " + place_, "none");
    return grant;
  }

  void AddAction(const std::string& word, Grant& grant) {
    const auto action = FindPermission(word);
    if (action.has_value() && IsOfDefinition(*action)) {
      grant.actions.push_back(*action);
    } else {
      Fault("an action that is about a definition in " + place_, "`" + word + "`");
    }
  }

  void AddRole(const std::string& word, Grant& grant) {
    if (const auto role = FindRole(word); role.has_value()) {
      grant.roles.push_back(*role);
    } else {
      Fault("admin, operator, developer, worker, auditor or viewer in " + place_, "`" + word + "`");
    }
  }

  // One word, or a list of words.
  std::vector<std::string> Words(const std::string& key, const Value& value) {
    if (value.is_string()) return {value.as_string()};
    std::vector<std::string> words;
    if (value.is_array())
      for (const Value& item : value.as_array())
        if (item.is_string()) words.push_back(item.as_string());
    if (!value.is_array() || words.size() != value.as_array().size())
      Fault(fmt::format("`{}` of {} as a list of words", key, place_), "something else");
    return words;
  }

  void Fault(std::string_view expected, std::string_view found) {
    if (!faults_.empty()) faults_ += "; ";
    faults_ += fmt::format("Expected {} but found {}", expected, found);
  }

  std::string place_;
  std::string faults_;
};

template <class T>
bool Holds(const std::vector<T>& list, const T& item) {
  return std::ranges::find(list, item) != list.end();
}

bool Names(const Grant& grant, const Caller& caller) {
  // A role that somebody took on to do less must not open what their own one does not.
  return Holds(grant.users, caller.name) || (!caller.narrowed && Holds(grant.roles, caller.role)) ||
         std::ranges::any_of(caller.groups,
                             [&](const std::string& group) { return Holds(grant.groups, group); });
}

}  // namespace

Result<DefinitionPermissions> ReadPermissions(const Value& permissions) {
  GrantReader reader;
  DefinitionPermissions read = reader.Read(permissions);
  if (!reader.faults().empty()) return Fail(ErrorCode::kInvalidDefinition, reader.faults());
  return read;
}

DefinitionPermissions OnlyAdmins() {
  Grant nobody;
  for (size_t i = 0; i < kPermissions; ++i)
    if (IsOfDefinition(static_cast<Permission>(i)))
      nobody.actions.push_back(static_cast<Permission>(i));
  return {.grants = {std::move(nobody)}};
}

bool Allows(const Caller& caller, Permission permission, const DefinitionPermissions* definition) {
  if (caller.must_change_password || !MayDo(caller.role, permission)) return false;
  if (caller.role == Role::kAdmin || definition == nullptr) return true;
  bool narrowed = false;
  for (const Grant& grant : definition->grants) {
    if (!Holds(grant.actions, permission)) continue;
    if (Names(grant, caller)) return true;
    narrowed = true;
  }
  return !narrowed;
}

Status Authorize(const Caller& caller, Permission permission,
                 const DefinitionPermissions* definition) {
  if (Allows(caller, permission, definition)) return {};
  if (caller.must_change_password)
    return Fail(ErrorCode::kForbidden,
                "Expected a password of the user's own choice but found the first one: change it");
  if (MayDo(caller.role, permission))
    return Fail(ErrorCode::kForbidden,
                fmt::format("Expected somebody whom the definition names for `{}` but found {}",
                            PermissionName(permission), caller.name));
  return Fail(ErrorCode::kForbidden,
              fmt::format("Expected a role that may do `{}` but found {} with the role {}",
                          PermissionName(permission), caller.name, RoleName(caller.role)));
}

Status AuthorizeChange(const Caller& caller, const DefinitionPermissions* counting,
                       const DefinitionPermissions* next) {
  if (caller.role == Role::kAdmin || counting == nullptr || counting->grants.empty()) return {};
  if (next != nullptr && *next == *counting) return {};
  const bool is_named = std::ranges::any_of(counting->grants, [&caller](const Grant& grant) {
    return Holds(grant.actions, Permission::kDefine) && Names(grant, caller);
  });
  if (is_named) return {};
  return Fail(
      ErrorCode::kForbidden,
      fmt::format("Expected the `permissions` that count, or an admin or somebody whom they "
                  "name for `define`, but found others and {}",
                  caller.name));
}

}  // namespace stele::server
