#include "server/auth/accounts.h"

#include <utility>

namespace stele::server {
namespace {

// A document with its name in front.
Object Shown(std::string_view key, const std::string& name, const Value& document) {
  Object shown{{std::string(key), name}};
  for (const Member& member : document.as_object()) shown.Set(member.key, member.value);
  return shown;
}

}  // namespace

bool IsOfAccounts(std::string_view setting) {
  return setting.starts_with(kUserPrefix) || setting.starts_with(kKeyPrefix) ||
         setting.starts_with(kRevokedPrefix);
}

void RevokedTokens::Add(const std::string& id, RevokedToken token) {
  Remove(id);
  ++counts_[token.name];
  by_expiry_.emplace(token.expires, id);
  by_id_.emplace(id, std::move(token));
}

void RevokedTokens::Remove(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  by_expiry_.erase({found->second.expires, id});
  const auto count = counts_.find(found->second.name);
  if (--count->second == 0) counts_.erase(count);
  by_id_.erase(found);
}

std::vector<std::string> RevokedTokens::ExpiredBy(TimeUs now, size_t most) const {
  std::vector<std::string> expired;
  for (const auto& [expires, id] : by_expiry_) {
    if (expires > now || expired.size() == most) break;
    expired.push_back(id);
  }
  return expired;
}

size_t RevokedTokens::CountOf(std::string_view name) const {
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

Status Accounts::Set(std::string_view setting, const Value& document) {
  if (setting.starts_with(kRevokedPrefix)) {
    auto token = RevokedTokenFromJson(document);
    if (!token) return std::unexpected(token.error());
    revoked_.Add(std::string(setting.substr(kRevokedPrefix.size())), *std::move(token));
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
  if (setting.starts_with(kRevokedPrefix)) {
    revoked_.Remove(std::string(setting.substr(kRevokedPrefix.size())));
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
