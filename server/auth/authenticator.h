// Finds out who asks: from a token of this server's own, a token of an issuer that it trusts, or an
// API key; and gives tokens to who shows a password.
//
// Role and groups of somebody with an account are those of the account now, whatever a token says.
// A token of an issuer that names an account of this server is that account's: the issuer is
// trusted with names. Without an account, they are as the token's claims have them.
//
// A login has three parts, so that the slow one can run elsewhere:
//
//   auto check = authenticator.Begin(name, password, source);   // on the owner's thread
//   const bool verified = check->Verify();                      // on any thread
//   auto issued = authenticator.Finish(*check, verified);       // on the owner's thread
//
// Owns: the keys and what slows down logins. The accounts are somebody else's and outlive it.
// Thread: one at a time, the one that changes the accounts; PasswordCheck::Verify on any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "server/auth/accounts.h"
#include "server/auth/caller.h"
#include "server/auth/encoding.h"
#include "server/auth/jwt.h"
#include "server/auth/key_set.h"
#include "server/auth/limits.h"
#include "server/auth/login_throttle.h"
#include "server/auth/passwords.h"
#include "server/auth/random.h"

namespace stele::server {

struct AuthOptions {
  PasswordLimits passwords = PasswordLimits::Interactive();
  int64_t token_lifetime_us = kTokenLifetimeUs;
  int64_t session_us = kSessionUs;  // how long a login can be refreshed
};

// A password that is to be compared with a hash: the account's, or nobody's.
class PasswordCheck {
 public:
  PasswordCheck(std::string name, std::string source, std::string hash, std::string_view password)
      : name_(std::move(name)),
        source_(std::move(source)),
        hash_(std::move(hash)),
        password_(password) {}

  // Tens of milliseconds, and the memory of PasswordLimits.
  bool Verify() const;

  const std::string& name() const { return name_; }
  const std::string& source() const { return source_; }
  const std::string& hash() const { return hash_; }

 private:
  std::string name_;
  std::string source_;
  std::string hash_;
  SecretText password_;
};

struct IssuedToken {
  std::string text;
  Caller caller;
  bool needs_rehash = false;  // the account's hash was made under other limits
};

class Authenticator {
 public:
  // `own` signs this server's tokens; `trusted` has the keys of others, and former ones of its own.
  // kLimitExceeded when those are too many.
  static Result<Authenticator> Create(Accounts& accounts, SigningKey own, const KeySet& trusted,
                                      const Clock& clock, RandomBytes random,
                                      AuthOptions options = {});

  // The value of `Authorization`: `Bearer` and a token or an API key. kUnauthenticated where there
  // is none, kBadToken where it does not count.
  Result<Caller> Authenticate(std::string_view authorization_header, std::string_view source) const;
  // A token or an API key by itself: `X-API-Key`, or as a native client gives it.
  Result<Caller> AuthenticateText(std::string_view credential, std::string_view source) const;

  // Whether the same credential would still give the same caller, for connections that last. A key
  // that is trusted no longer ends what it had opened when the token expires, not before.
  bool StillValid(const Caller& caller) const;

  // kTooManyLogins, or kUnauthenticated for what can be no password.
  Result<PasswordCheck> Begin(std::string_view name, std::string_view password,
                              std::string_view source);
  // One sentence for all that may be wrong, so that names are not given away. kUnauthenticated.
  Result<IssuedToken> Finish(const PasswordCheck& check, bool verified);
  // How long a login has to wait: for `Retry-After`.
  std::optional<int64_t> LoginWaitUs(std::string_view name, std::string_view source) const;

  // Another token for who has one of this server's own, until the session ends. The old one stays
  // valid until it expires or is revoked.
  Result<IssuedToken> Refresh(const Caller& caller);
  // Ends the caller's token at once; the owner records it as `revoked:ID`. False, and nothing has
  // ended: the user has given up so many that the owner is to call all of theirs in. Who has no
  // account may give up any number: each is one that the issuer made. Not of API keys.
  Result<bool> Revoke(const Caller& caller);

  // Instead of the keys that were trusted.
  Status SetTrusted(const KeySet& trusted);

 private:
  Authenticator(Accounts& accounts, SigningKey own, const Clock& clock, RandomBytes random,
                AuthOptions options);

  Result<Caller> CallerOfToken(std::string_view token) const;
  Result<Caller> CallerOfKey(std::string_view text) const;
  Status TakeAccount(Caller& caller) const;
  IssuedToken Issue(const User& user, TimeUs logged_in) const;

  Accounts* accounts_;
  SigningKey own_;
  KeySet keys_;
  const Clock* clock_;
  RandomBytes random_;
  AuthOptions options_;
  std::string hash_of_nobody_;
  LoginThrottle throttle_;
};

}  // namespace stele::server
