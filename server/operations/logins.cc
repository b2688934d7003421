#include "server/operations/logins.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/json.h"

namespace stele::server {

namespace {

template <class T>
Promised<T> Refuse(const Error& error) {
  return Result<T>(std::unexpected(error));
}

Error UnknownUser(std::string_view name) {
  return {ErrorCode::kUnknownUser, fmt::format("Expected a user but found no \"{}\"", name)};
}

// The document, which does not say its own name, with it.
Object Named(std::string_view member, const std::string& name, const Value& document) {
  Object named{{std::string(member), name}};
  for (const Member& each : document.as_object()) named.Set(each.key, each.value);
  return named;
}

// REQUIRES: the document can be read.
void Take(Accounts& accounts, const std::string& setting, const std::optional<Value>& document) {
  if (!document.has_value()) return accounts.Remove(setting);
  const Status taken = accounts.Set(setting, *document);
  CHECK(taken.has_value(), "{}: {}", setting, taken.error().message);
}

// Whom a server makes that has no users.
constexpr std::string_view kFirstAdmin = "admin";

}  // namespace

std::vector<Error> Logins::ReadAccounts(const model::Registry& registry, Accounts& accounts) {
  std::vector<Error> faults;
  for (const auto& [name, document] : registry.settings) {
    if (!IsOfAccounts(name)) continue;
    const auto value = ParseJson(document, nullptr, kWrittenJson);
    const Status taken =
        value.has_value() ? accounts.Set(name, *value) : std::unexpected(value.error());
    if (!taken.has_value())
      faults.push_back({taken.error().code, fmt::format("{}: {}", name, taken.error().message)});
  }
  return faults;
}

Promised<Written> Logins::Record(const std::string& setting, std::optional<Value> document,
                                 model::Asker asker) {
  // What could not be read back would take the account away.
  if (document.has_value())
    if (const Status reads = Accounts().Set(setting, *document); !reads.has_value())
      return Refuse<Written>(reads.error());
  auto answering = desk_.Await();
  const std::string text = document.has_value() ? ToJson(*document) : std::string();
  // Nobody gets in, or is kept out, by what a power cut could take back; and whether or not
  // somebody still waits to be told.
  desk_.shard().ChangeSetting(
      setting, text, asker,
      [&accounts = accounts_, setting, document = std::move(document),
       answer = std::move(answering.answer)](const Result<Position>& written) {
        if (written.has_value()) Take(accounts, setting, document);
        answer(written);
      });
  return kj::mv(answering.promise);
}

Promised<std::string> Logins::Hash(const SecretText& password) {
  return desk_.HashPassword(
      [password, limits = limits_] { return HashPassword(password.view(), limits); });
}

Promised<SecretText> Logins::MakeFirstAdmin() {
  const User* known = accounts_.FindUser(kFirstAdmin);
  const bool unclaimed = known != nullptr && known->unclaimed;
  if (!unclaimed && !accounts_.ListUsers().empty()) return Result<SecretText>(SecretText());
  const SecretText password = MakePassword(random_);
  return Hash(password).then([this, password](Result<std::string> hash) -> Promised<SecretText> {
    if (!hash.has_value()) return Refuse<SecretText>(hash.error());
    const User admin{.name = std::string(kFirstAdmin),
                     .role = Role::kAdmin,
                     .groups = {},
                     .password_hash = *hash,
                     .must_change = true,
                     .unclaimed = true,
                     .created = desk_.Now()};
    return RecordUser(admin, "stele").then([password](const Result<Written>& written) {
      return written.has_value() ? Result<SecretText>(password)
                                 : Result<SecretText>(std::unexpected(written.error()));
    });
  });
}

Promised<Written> Logins::Claim(const model::KeptAsker& asker) {
  return InTurn<Written>([this, asker]() -> Promised<Written> {
    const User* known = accounts_.FindUser(asker.actor);
    if (known == nullptr) return Refuse<Written>(UnknownUser(asker.actor));
    User user = *known;
    user.unclaimed = false;
    return RecordUser(user, asker);
  });
}

Result<Caller> Logins::Authenticate(std::string_view authorization, std::string_view source) {
  auto caller = authenticator_.Authenticate(authorization, source);
  if (!caller.has_value() && caller.error().code == ErrorCode::kBadToken)
    denials_.NoteStranger("", source, "token");
  return caller;
}

Result<Caller> Logins::AuthenticateText(std::string_view credential, std::string_view source) {
  auto caller = authenticator_.AuthenticateText(credential, source);
  if (!caller.has_value() && caller.error().code == ErrorCode::kBadToken)
    denials_.NoteStranger("", source, "token");
  return caller;
}

Promised<IssuedToken> Logins::Login(const std::string& name, const SecretText& password,
                                    const std::string& source) {
  auto begun = authenticator_.Begin(name, password.view(), source);
  if (!begun.has_value()) {
    const bool too_many = begun.error().code == ErrorCode::kTooManyLogins;
    denials_.NoteStranger(too_many ? "" : name, source, "login");
    return Refuse<IssuedToken>(begun.error());
  }
  const auto check = std::make_shared<const PasswordCheck>(*std::move(begun));
  return desk_.HashPassword([check] { return Result<bool>(check->Verify()); })
      .then([this, check](Result<bool> verified) -> Promised<IssuedToken> {
        if (!verified.has_value()) return Refuse<IssuedToken>(verified.error());
        auto issued = authenticator_.Finish(*check, *verified);
        if (!issued.has_value()) denials_.NoteStranger(check->name(), check->source(), "login");
        if (!issued.has_value() || !accounts_.FindUser(check->name())->unclaimed) return issued;
        return Claim({check->name(), check->source()})
            .then([issued = *std::move(issued)](const Result<Written>& written) mutable {
              return written.has_value() ? Result<IssuedToken>(std::move(issued))
                                         : Result<IssuedToken>(std::unexpected(written.error()));
            });
      });
}

Result<IssuedToken> Logins::Refresh(const Caller& caller) {
  return authenticator_.Refresh(caller);
}

Promised<Written> Logins::Logout(const Caller& caller) {
  const Result<bool> revoked = authenticator_.Revoke(caller);
  if (!revoked.has_value()) return Refuse<Written>(revoked.error());
  ForgetExpiredTokens(AskerOf(caller));
  if (!*revoked) return CallIn(caller.name, AskerOf(caller).Keep(), caller.issued.Next());
  return Record(std::string(kRevokedPrefix) + caller.token_id,
                ToJson(RevokedToken{.name = caller.name, .expires = caller.expires}),
                AskerOf(caller));
}

void Logins::ForgetExpiredTokens(model::Asker asker) {
  for (const std::string& id : accounts_.revoked().ExpiredBy(desk_.Now(), kMaxForgottenTokens)) {
    accounts_.revoked().Remove(id);
    desk_.shard().ChangeSetting(std::string(kRevokedPrefix) + id, "", asker,
                                [](const Result<Position>&) {});
  }
}

Promised<Written> Logins::CallIn(const std::string& name, const model::KeptAsker& asker,
                                 TimeUs at_least) {
  return InTurn<Written>([this, name, asker, at_least]() -> Promised<Written> {
    const User* known = accounts_.FindUser(name);
    if (known == nullptr) return Refuse<Written>(UnknownUser(name));
    User user = *known;
    user.tokens_valid_from = std::max({user.tokens_valid_from, desk_.Now(), at_least});
    return RecordUser(user, asker);
  });
}

Promised<IssuedToken> Logins::ChangePassword(const Caller& caller, const SecretText& old_password,
                                             const SecretText& new_password) {
  if (!caller.has_account)
    return Refuse<IssuedToken>(
        {ErrorCode::kForbidden,
         fmt::format("Expected a user with a password but found \"{}\", who has none here",
                     caller.name)});
  if (const Status good = CheckPassword(new_password.view(), caller.name); !good.has_value())
    return Refuse<IssuedToken>(good.error());
  if (old_password.view() == new_password.view())
    return Refuse<IssuedToken>(
        {ErrorCode::kWeakPassword, "Expected another password but found the one that it is"});
  return Login(caller.name, old_password, caller.source)
      .then([this, new_password](Result<IssuedToken> issued) -> Promised<IssuedToken> {
        if (!issued.has_value()) return Refuse<IssuedToken>(issued.error());
        return Hash(new_password)
            .then([this, new_password,
                   issued = *issued](Result<std::string> hash) -> Promised<IssuedToken> {
              if (!hash.has_value()) return Refuse<IssuedToken>(hash.error());
              return SetPassword(AskerOf(issued.caller).Keep(), *hash)
                  .then([this, new_password,
                         caller = issued.caller](Result<Written> written) -> Promised<IssuedToken> {
                    if (!written.has_value()) return Refuse<IssuedToken>(written.error());
                    return Login(caller.name, new_password, caller.source);
                  });
            });
      });
}

Promised<Written> Logins::SetPassword(const model::KeptAsker& asker, const std::string& hash) {
  return InTurn<Written>([this, asker, hash]() -> Promised<Written> {
    const User* known = accounts_.FindUser(asker.actor);
    if (known == nullptr) return Refuse<Written>(UnknownUser(asker.actor));
    User user = *known;
    user.password_hash = hash;
    user.must_change = false;
    user.unclaimed = false;
    user.tokens_valid_from = desk_.Now();
    return RecordUser(user, asker);
  });
}

Result<Array> Logins::Users(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kManageUsers));
  return accounts_.ListUsers();
}

Result<User> Logins::FindUser(const Caller& caller, const std::string& name) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kManageUsers));
  const User* known = accounts_.FindUser(name);
  if (known == nullptr) return std::unexpected(UnknownUser(name));
  return *known;
}

Status Logins::KeepAnAdmin(const std::string& name, const std::optional<User>& becomes) const {
  const User* known = accounts_.FindUser(name);
  const auto is_admin = [](const User& user) {
    return user.role == Role::kAdmin && !user.disabled;
  };
  if (known == nullptr || !is_admin(*known)) return {};
  if (becomes.has_value() && is_admin(*becomes)) return {};
  for (const Value& each : accounts_.ListUsers()) {
    const User* other = accounts_.FindUser(each.Find("name")->as_string());
    if (other != nullptr && other->name != name && is_admin(*other)) return {};
  }
  return Fail(
      ErrorCode::kWrongState,
      fmt::format("Expected another admin that is enabled but \"{}\" is the last one", name));
}

Promised<ChangedUser> Logins::PutUser(const Caller& caller, const std::string& name,
                                      UserChange change) {
  if (const Status allowed = desk_.Allow(caller, Permission::kManageUsers); !allowed.has_value())
    return Refuse<ChangedUser>(allowed.error());
  if (const Status fits = CheckUserName(name); !fits.has_value())
    return Refuse<ChangedUser>(fits.error());
  SecretText made;
  if (!change.password.has_value() && accounts_.FindUser(name) == nullptr) {
    made = MakePassword(random_);
    change.password = made;
  } else if (change.password.has_value()) {
    if (const Status good = CheckPassword(change.password->view(), name); !good.has_value())
      return Refuse<ChangedUser>(good.error());
  }
  auto hashed = change.password.has_value() ? Hash(*change.password)
                                            : Promised<std::string>(Result<std::string>(""));
  change.password.reset();
  return hashed.then([this, name, made, change = std::move(change), asker = AskerOf(caller).Keep()](
                         Result<std::string> hash) -> Promised<ChangedUser> {
    if (!hash.has_value()) return Refuse<ChangedUser>(hash.error());
    return InTurn<ChangedUser>([this, name, made, change, asker, hash = *std::move(hash)] {
      return RecordChange(name, change, hash, made, asker);
    });
  });
}

Promised<ChangedUser> Logins::RecordChange(const std::string& name, const UserChange& change,
                                           const std::string& hash, const SecretText& made,
                                           const model::KeptAsker& asker) {
  const User* known = accounts_.FindUser(name);
  const bool is_new = known == nullptr;
  User user = is_new ? User{.name = name, .groups = {}, .password_hash = {}, .created = desk_.Now()}
                     : *known;
  user.role = change.role.value_or(user.role);
  if (change.groups.has_value()) user.groups = *change.groups;
  user.disabled = change.disabled.value_or(user.disabled);
  if (!hash.empty()) {
    // Whoever knows it besides the user is to know it no more.
    user.password_hash = hash;
    user.must_change = true;
    user.unclaimed = false;
    user.tokens_valid_from = desk_.Now();
  }
  if (const Status kept = KeepAnAdmin(name, user); !kept.has_value())
    return Refuse<ChangedUser>(kept.error());
  return RecordUser(user, asker)
      .then([user, made, is_new](Result<Written> written) -> Result<ChangedUser> {
        if (!written.has_value()) return std::unexpected(written.error());
        return ChangedUser{Named("name", user.name, ToJson(user, Secrets::kLeftOut)), made, is_new};
      });
}

Promised<Written> Logins::RemoveUser(const Caller& caller, const std::string& name) {
  if (const auto known = FindUser(caller, name); !known.has_value())
    return Refuse<Written>(known.error());
  return InTurn<Written>([this, name, asker = AskerOf(caller).Keep()]() -> Promised<Written> {
    if (const Status kept = KeepAnAdmin(name, std::nullopt); !kept.has_value())
      return Refuse<Written>(kept.error());
    return Record(std::string(kUserPrefix) + name, std::nullopt, asker);
  });
}

Promised<Written> Logins::RevokeTokens(const Caller& caller, const std::string& name) {
  if (const auto known = FindUser(caller, name); !known.has_value())
    return Refuse<Written>(known.error());
  return CallIn(name, AskerOf(caller).Keep());
}

Result<Array> Logins::Keys(const Caller& caller) {
  STELE_RETURN_IF_ERROR(desk_.Allow(caller, Permission::kManageUsers));
  return accounts_.ListKeys();
}

Promised<MadeKey> Logins::MakeKey(const Caller& caller, const KeyRequest& request) {
  if (const Status allowed = desk_.Allow(caller, Permission::kManageUsers); !allowed.has_value())
    return Refuse<MadeKey>(allowed.error());
  if (const Status fits = CheckUserName(request.name); !fits.has_value())
    return Refuse<MadeKey>(fits.error());
  if (request.expires && request.expires <= desk_.Now())
    return Refuse<MadeKey>({ErrorCode::kInvalidInput,
                            "Expected a key that expires in the future but found an earlier time"});
  MadeApiKey made = MakeApiKey(random_, request.name, request.role, desk_.Now());
  made.key.groups = request.groups;
  made.key.expires = request.expires;
  return Record(std::string(kKeyPrefix) + made.key.id, ToJson(made.key), AskerOf(caller))
      .then([made](Result<Written> written) -> Result<MadeKey> {
        if (!written.has_value()) return std::unexpected(written.error());
        return MadeKey{Named("id", made.key.id, ToJson(made.key, Secrets::kLeftOut)), made.text};
      });
}

Promised<Written> Logins::RemoveKey(const Caller& caller, const std::string& id) {
  if (const Status allowed = desk_.Allow(caller, Permission::kManageUsers); !allowed.has_value())
    return Refuse<Written>(allowed.error());
  if (accounts_.FindKey(id) == nullptr)
    return Refuse<Written>(
        {ErrorCode::kUnknownUser, fmt::format("Expected an API key but found no \"{}\"", id)});
  return Record(std::string(kKeyPrefix) + id, std::nullopt, AskerOf(caller));
}

}  // namespace stele::server
