#include "server/auth/accounts.h"

#include <fmt/format.h>

#include <utility>

#include "server/auth/limits.h"

namespace stele::server {
namespace {

// A document with its name in front.
Object Shown(std::string_view key, const std::string& name, const Value& document) {
  Object shown{{std::string(key), name}};
  for (const Member& member : document.as_object()) shown.Set(member.key, member.value);
  return shown;
}

}  // namespace

Status RevokedTokens::Add(const std::string& id, TimeUs expires) {
  if (expires_.size() >= kMaxRevokedTokens && !expires_.contains(id))
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected at most {} revoked tokens but found more", kMaxRevokedTokens));
  expires_[id] = expires;
  return {};
}

size_t RevokedTokens::Forget(TimeUs now) {
  return std::erase_if(expires_, [now](const auto& entry) { return entry.second <= now; });
}

Value RevokedTokens::ToJson() const {
  std::vector<Member> members;
  members.reserve(expires_.size());
  for (const auto& [id, expires] : expires_) members.push_back({id, expires.value});
  return Object::Of(std::move(members));
}

Result<RevokedTokens> RevokedTokens::FromJson(const Value& document) {
  if (!document.is_object())
    return Fail(ErrorCode::kBadRequest,
                fmt::format("Expected revoked tokens as an object but found {}",
                            KindName(document.kind())));
  RevokedTokens revoked;
  for (const auto& [id, expires] : document.as_object()) {
    if (!expires.is_int())
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("Expected the time until which a token is revoked but found {}",
                              KindName(expires.kind())));
    STELE_RETURN_IF_ERROR(revoked.Add(id, TimeUs(expires.as_int())));
  }
  return revoked;
}

Status Accounts::Set(std::string_view setting, const Value& document) {
  if (setting == kRevokedSetting) {
    auto revoked = RevokedTokens::FromJson(document);
    if (!revoked) return std::unexpected(revoked.error());
    revoked_ = *std::move(revoked);
  } else if (setting.starts_with(kUserPrefix)) {
    const std::string name(setting.substr(kUserPrefix.size()));
    auto user = UserFromJson(name, document);
    if (!user) {
      users_.erase(name);
      return std::unexpected(user.error());
    }
    users_.insert_or_assign(name, *std::move(user));
  } else if (setting.starts_with(kKeyPrefix)) {
    const std::string id(setting.substr(kKeyPrefix.size()));
    auto key = KeyFromJson(id, document);
    if (!key) {
      keys_.erase(id);
      return std::unexpected(key.error());
    }
    keys_.insert_or_assign(id, *std::move(key));
  }
  return {};
}

void Accounts::Remove(std::string_view setting) {
  if (setting == kRevokedSetting) {
    revoked_ = {};
  } else if (setting.starts_with(kUserPrefix)) {
    users_.erase(std::string(setting.substr(kUserPrefix.size())));
  } else if (setting.starts_with(kKeyPrefix)) {
    keys_.erase(std::string(setting.substr(kKeyPrefix.size())));
  }
}

const User* Accounts::FindUser(std::string_view name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

const ApiKey* Accounts::FindKey(std::string_view id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &found->second;
}

Array Accounts::ListUsers() const {
  Array list;
  for (const auto& [name, user] : users_)
    list.emplace_back(Shown("name", name, ToJson(user, Secrets::kLeftOut)));
  return list;
}

Array Accounts::ListKeys() const {
  Array list;
  for (const auto& [id, key] : keys_)
    list.emplace_back(Shown("id", id, ToJson(key, Secrets::kLeftOut)));
  return list;
}

}  // namespace stele::server
