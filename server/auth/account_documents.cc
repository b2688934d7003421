// Users and API keys as JSON, and back with every fault named.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/auth/accounts.h"
#include "server/auth/encoding.h"
#include "server/auth/limits.h"

namespace stele::server {
namespace {

constexpr std::string_view kArgon2idStart = "$argon2id$";
constexpr size_t kMaxPasswordHashBytes = 127;
constexpr size_t kSha256Bytes = 32;

// The members of a document, each taken once, and what is wrong with them.
class Members {
 public:
  Members(std::string what, const Value& document) : what_(std::move(what)) {
    if (document.is_object()) {
      object_ = &document.as_object();
    } else {
      Fault("an object", KindName(document.kind()));
    }
  }

  // A member that must be there.
  std::string Text(std::string_view key) {
    const Value* const value = Take(key, true);
    if (value == nullptr) return {};
    if (value->is_string() && value->as_string().size() <= kMaxNameBytes) return value->as_string();
    Fault(fmt::format("`{}` as text of at most {} bytes", key, kMaxNameBytes), "something else");
    return {};
  }

  Role RoleOf(std::string_view key) {
    const Value* const value = Take(key, true);
    const auto role =
        value != nullptr && value->is_string() ? FindRole(value->as_string()) : std::nullopt;
    if (value != nullptr && !role.has_value())
      Fault(fmt::format("`{}` as admin, operator, developer, worker, auditor or viewer", key),
            "something else");
    return role.value_or(Role::kViewer);
  }

  bool Flag(std::string_view key) {
    const Value* const value = Take(key, false);
    if (value == nullptr) return false;
    if (value->is_bool()) return value->as_bool();
    Fault(fmt::format("`{}` as true or false", key), KindName(value->kind()));
    return false;
  }

  TimeUs Time(std::string_view key) {
    const Value* const value = Take(key, false);
    if (value == nullptr) return {};
    if (value->is_int() && value->as_int() >= 0) return TimeUs(value->as_int());
    Fault(fmt::format("`{}` as microseconds since 1970", key), KindName(value->kind()));
    return {};
  }

  std::vector<std::string> Words(std::string_view key) {
    const Value* const value = Take(key, false);
    std::vector<std::string> words;
    if (value == nullptr) return words;
    if (value->is_array())
      for (const Value& item : value->as_array())
        if (item.is_string() && !item.as_string().empty() &&
            item.as_string().size() <= kMaxNameBytes)
          words.push_back(item.as_string());
    if (value->is_array() && words.size() == value->as_array().size() && words.size() <= kMaxGroups)
      return words;
    Fault(fmt::format("`{}` as a list of at most {} names", key, kMaxGroups), "something else");
    return {};
  }

  void Fault(std::string_view expected, std::string_view found) {
    if (!faults_.empty()) faults_ += "; ";
    faults_ += fmt::format("Expected {} in {} but found {}", expected, what_, found);
  }

  // What was not taken is not known.
  Status Done() {
    if (object_ != nullptr)
      for (const Member& member : *object_)
        if (std::ranges::find(taken_, member.key) == taken_.end())
          Fault("only members that are known", "another one");
    if (faults_.empty()) return {};
    return Fail(ErrorCode::kBadRequest, faults_);
  }

 private:
  const Value* Take(std::string_view key, bool required) {
    if (object_ == nullptr) return nullptr;
    taken_.push_back(key);
    const Value* const value = object_->Find(key);
    if (value == nullptr && required) Fault(fmt::format("`{}`", key), "no such member");
    return value;
  }

  std::string what_;
  const Object* object_ = nullptr;
  std::vector<std::string_view> taken_;
  std::string faults_;
};

Array WordsToJson(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

}  // namespace

Status CheckUserName(std::string_view name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-@+").contains(c);
  });
  if (is_plain && !name.empty() && name.size() <= kMaxNameBytes) return {};
  return Fail(ErrorCode::kBadRequest,
              fmt::format("Expected a name of 1 to {} letters, digits and . _ - @ + but found "
                          "something else",
                          kMaxNameBytes));
}

Value ToJson(const User& user, Secrets secrets) {
  Object document{{"role", RoleName(user.role)}, {"groups", WordsToJson(user.groups)}};
  if (secrets == Secrets::kIncluded) document.Set("password_hash", user.password_hash);
  document.Set("must_change", user.must_change);
  document.Set("disabled", user.disabled);
  // Servers before this one do not know it.
  if (user.unclaimed && secrets == Secrets::kIncluded) document.Set("unclaimed", true);
  document.Set("created_us", user.created.value);
  document.Set("tokens_valid_from_us", user.tokens_valid_from.value);
  return document;
}

Value ToJson(const ApiKey& key, Secrets secrets) {
  Object document{
      {"name", key.name}, {"role", RoleName(key.role)}, {"groups", WordsToJson(key.groups)}};
  if (secrets == Secrets::kIncluded) document.Set("hash", EncodeBase64Url(key.secret_hash));
  document.Set("created_us", key.created.value);
  document.Set("expires_us", key.expires.value);
  document.Set("disabled", key.disabled);
  return document;
}

Result<User> UserFromJson(std::string_view name, const Value& document) {
  STELE_RETURN_IF_ERROR(CheckUserName(name));
  Members members(fmt::format("the user {}", name), document);
  User user;
  user.name = name;
  user.role = members.RoleOf("role");
  user.groups = members.Words("groups");
  user.password_hash = members.Text("password_hash");
  if (!user.password_hash.empty() && (!user.password_hash.starts_with(kArgon2idStart) ||
                                      user.password_hash.size() > kMaxPasswordHashBytes))
    members.Fault("`password_hash` of Argon2id", "another kind");
  user.must_change = members.Flag("must_change");
  user.disabled = members.Flag("disabled");
  user.unclaimed = members.Flag("unclaimed");
  user.created = members.Time("created_us");
  user.tokens_valid_from = members.Time("tokens_valid_from_us");
  STELE_RETURN_IF_ERROR(members.Done());
  return user;
}

Result<ApiKey> KeyFromJson(std::string_view id, const Value& document) {
  if (!IsApiKeyId(id))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("Expected an id of {} lower-case letters and digits but found "
                            "something else",
                            kApiKeyIdCharacters));
  Members members(fmt::format("the API key {}", id), document);
  ApiKey key;
  key.id = id;
  key.name = members.Text("name");
  if (auto named = CheckUserName(key.name); !named && !key.name.empty())
    members.Fault("`name` of letters, digits and . _ - @ +", "something else");
  key.role = members.RoleOf("role");
  key.groups = members.Words("groups");
  const auto hash = DecodeBase64Url(members.Text("hash"));
  key.secret_hash = hash.value_or("");
  if (key.secret_hash.size() != kSha256Bytes)
    members.Fault("`hash` as SHA-256 in base64url", "something else");
  key.created = members.Time("created_us");
  key.expires = members.Time("expires_us");
  key.disabled = members.Flag("disabled");
  STELE_RETURN_IF_ERROR(members.Done());
  return key;
}

Value ToJson(const RevokedToken& token) {
  return Object{{"name", token.name}, {"expires_us", token.expires.value}};
}

Result<RevokedToken> RevokedTokenFromJson(const Value& document) {
  Members members("a token that was given up", document);
  RevokedToken token{.name = members.Text("name"), .expires = members.Time("expires_us")};
  STELE_RETURN_IF_ERROR(members.Done());
  return token;
}

}  // namespace stele::server
