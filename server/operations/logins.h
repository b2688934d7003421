// Who may come in: logins, users, API keys. They are settings of the registry, each change a
// record.
//
// Thread: the loop's; passwords are hashed on threads of their own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/accounts.h"
#include "server/auth/authenticator.h"
#include "server/auth/encoding.h"
#include "server/operations/denials.h"
#include "server/operations/desk.h"

namespace stele::server {

// What is said of a user; what is not said stays as it is, or as a new one has it.
struct UserChange {
  std::optional<Role> role;
  std::optional<std::vector<std::string>> groups;
  std::optional<bool> disabled;
  // Absent for a new user: one is made, and shown once.
  std::optional<SecretText> password;
};
struct ChangedUser {
  Object user;          // without hashes
  SecretText password;  // the one that was made; empty: none was
  bool is_new = false;
};

struct KeyRequest {
  std::string name;
  Role role = Role::kWorker;
  std::vector<std::string> groups;
  TimeUs expires;  // 0: never
};
struct MadeKey {
  Object key;
  std::string text;  // shown once
};

class Logins {
 public:
  // REQUIRES: all of them outlive it; the accounts hold what the registry has (ReadAccounts).
  Logins(Desk& desk, Denials& denials, Accounts& accounts, Authenticator& authenticator,
         RandomBytes random, PasswordLimits limits)
      : desk_(desk),
        denials_(denials),
        accounts_(accounts),
        authenticator_(authenticator),
        random_(std::move(random)),
        limits_(limits) {}

  // Takes the accounts of a registry over. What cannot be read is left out, and told.
  static std::vector<Error> ReadAccounts(const model::Registry& registry, Accounts& accounts);

  // Makes the user "admin" when there is no user at all: its one-time password. Another one as long
  // as nobody has logged in with it: who was to see it may not have. Empty otherwise.
  Promised<SecretText> MakeFirstAdmin();

  // `Authorization`, or the bare credential of X-API-Key; notes what is denied.
  Result<Caller> Authenticate(std::string_view authorization, std::string_view source);
  Result<Caller> AuthenticateText(std::string_view credential, std::string_view source);
  bool StillValid(const Caller& caller) const { return authenticator_.StillValid(caller); }
  std::optional<int64_t> WaitUs(std::string_view name, std::string_view source) const {
    return authenticator_.LoginWaitUs(name, source);
  }

  Promised<IssuedToken> Login(const std::string& name, const SecretText& password,
                              const std::string& source);
  Result<IssuedToken> Refresh(const Caller& caller);
  // The token counts no more, when it is durable.
  Promised<Written> Logout(const Caller& caller);
  // Every token that was made before counts no more; the new one is for who asked.
  Promised<IssuedToken> ChangePassword(const Caller& caller, const SecretText& old_password,
                                       const SecretText& new_password);

  Result<Array> Users(const Caller& caller);
  Promised<ChangedUser> PutUser(const Caller& caller, const std::string& name, UserChange change);
  Promised<Written> RemoveUser(const Caller& caller, const std::string& name);
  // Every token of the user's that was made before now counts no more.
  Promised<Written> RevokeTokens(const Caller& caller, const std::string& name);

  Result<Array> Keys(const Caller& caller);
  Promised<MadeKey> MakeKey(const Caller& caller, const KeyRequest& request);
  Promised<Written> RemoveKey(const Caller& caller, const std::string& id);

 private:
  Promised<Written> Record(const std::string& setting, std::optional<Value> document,
                           model::Asker asker);
  Promised<Written> RecordUser(const User& user, model::Asker asker) {
    return Record(std::string(kUserPrefix) + user.name, ToJson(user), asker);
  }
  Promised<std::string> Hash(const SecretText& password);
  // From now on the first admin's password is somebody's.
  Promised<Written> Claim(const model::KeptAsker& user);
  // Changes of users one after the other, each to its durable end, whether or not somebody waits to
  // be told: none is undone by another that began with what was before it.
  template <class T>
  Promised<T> InTurn(std::function<Promised<T>()> change) {
    auto answered = kj::newPromiseAndFulfiller<Result<T>>();
    last_ = last_.then([change = std::move(change)] { return change(); })
                .then([fulfiller = kj::mv(answered.fulfiller)](Result<T> result) mutable {
                  fulfiller->fulfill(std::move(result));
                })
                .catch_([](kj::Exception&&) {})
                .eagerlyEvaluate(nullptr);
    return kj::mv(answered.promise);
  }
  // Tokens of the user's that were made before now, or before `at_least`, count no more.
  Promised<Written> CallIn(const std::string& name, const model::KeptAsker& asker,
                           TimeUs at_least = {});
  // Their settings go, some at each token that is given up.
  void ForgetExpiredTokens(model::Asker asker);
  Promised<Written> SetPassword(const model::KeptAsker& user, const std::string& hash);
  // `hash` empty: the password stays.
  Promised<ChangedUser> RecordChange(const std::string& name, const UserChange& change,
                                     const std::string& hash, const SecretText& made,
                                     const model::KeptAsker& asker);
  Result<User> FindUser(const Caller& caller, const std::string& name);
  Status KeepAnAdmin(const std::string& name, const std::optional<User>& becomes) const;

  Desk& desk_;
  Denials& denials_;
  Accounts& accounts_;
  Authenticator& authenticator_;
  RandomBytes random_;
  PasswordLimits limits_;
  kj::Promise<void> last_ = kj::READY_NOW;  // of the changes in turn
};

}  // namespace stele::server
