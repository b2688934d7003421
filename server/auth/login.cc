// How an authenticator gives tokens away, and takes them back.
#include <fmt/format.h>

#include <utility>

#include "server/auth/authenticator.h"
#include "server/auth/claims.h"

namespace stele::server {
namespace {

constexpr size_t kTokenIdBytes = 16;

std::unexpected<Error> WrongLogin() {
  return Fail(ErrorCode::kUnauthenticated,
              "Expected the name and the password of a user but found others");
}

}  // namespace

bool PasswordCheck::Verify() const {
  return IsPassword(password_.view(), hash_);
}

std::optional<int64_t> Authenticator::LoginWaitUs(std::string_view name,
                                                  std::string_view source) const {
  return throttle_.WaitUs(name, source, clock_->Now());
}

Result<PasswordCheck> Authenticator::Begin(std::string_view name, std::string_view password,
                                           std::string_view source) {
  const auto wait = LoginWaitUs(name, source);
  if (wait.has_value())
    return Fail(ErrorCode::kTooManyLogins,
                fmt::format("Expected a pause of {} s after wrong passwords but found another try",
                            (*wait + kSecondUs - 1) / kSecondUs));
  throttle_.Failed(name, source, clock_->Now());
  if (name.size() > kMaxNameBytes || password.size() > kMaxPasswordBytes) return WrongLogin();
  const User* const user = accounts_->FindUser(name);
  const bool has_password = user != nullptr && !user->password_hash.empty();
  return PasswordCheck(std::string(name), std::string(source),
                       has_password ? user->password_hash : hash_of_nobody_, password);
}

Result<IssuedToken> Authenticator::Finish(const PasswordCheck& check, bool verified) {
  const User* const user = accounts_->FindUser(check.name());
  // The account may have changed while the password was looked at.
  if (!verified || user == nullptr || user->password_hash != check.hash()) return WrongLogin();
  throttle_.Succeeded(check.name(), check.source());
  if (user->disabled)
    return Fail(ErrorCode::kUnauthenticated,
                "Expected a user that is enabled but found one that is disabled");
  IssuedToken issued = Issue(*user, clock_->Now());
  issued.caller.source = check.source();
  issued.needs_rehash = NeedsRehash(user->password_hash, options_.passwords);
  return issued;
}

IssuedToken Authenticator::Issue(const User& user, TimeUs logged_in) const {
  IssuedToken issued;
  Caller& caller = issued.caller;
  caller.name = user.name;
  caller.role = user.role;
  caller.groups = user.groups;
  caller.proof = Proof::kOwnToken;
  caller.has_account = true;
  caller.must_change_password = user.must_change;
  caller.token_id = EncodeBase64Url(TakeRandom(random_, kTokenIdBytes));
  caller.issued = clock_->Now();
  caller.logged_in = logged_in;
  // As the token can say it: whole seconds.
  const int64_t expires = (caller.issued.value + options_.token_lifetime_us) / kSecondUs;
  caller.expires = TimeUs(expires * kSecondUs);
  issued.text = SignToken(own_, OwnClaims(caller));
  return issued;
}

Result<IssuedToken> Authenticator::Refresh(const Caller& caller) {
  if (caller.proof != Proof::kOwnToken)
    return Fail(ErrorCode::kUnauthenticated,
                "Expected a token of this server but found another credential");
  if (!StillValid(caller))
    return Fail(ErrorCode::kBadToken, "Expected a token that counts but found one that does not");
  if (clock_->Now().value - caller.logged_in.value >= options_.session_us)
    return Fail(ErrorCode::kUnauthenticated,
                fmt::format("Expected a login of the last {} s but found an older one: log in",
                            options_.session_us / kSecondUs));
  IssuedToken issued = Issue(*accounts_->FindUser(caller.name), caller.logged_in);
  issued.caller.source = caller.source;
  return issued;
}

Result<bool> Authenticator::Revoke(const Caller& caller) {
  if (caller.proof != Proof::kOwnToken && caller.proof != Proof::kForeignToken)
    return Fail(ErrorCode::kBadRequest,
                "Expected a token to give up but found another credential: disable the API key");
  RevokedTokens& revoked = accounts_->revoked();
  if (caller.has_account && revoked.CountOf(caller.name) >= kMaxRevokedOfUser) return false;
  revoked.Add(caller.token_id, {.name = caller.name, .expires = caller.expires});
  return true;
}

}  // namespace stele::server
