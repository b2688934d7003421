#include "server/auth/authenticator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/auth/claims.h"

namespace stele::server {
namespace {

std::unexpected<Error> Bad(std::string_view expected, std::string_view found) {
  return Fail(ErrorCode::kBadToken, fmt::format("Expected {} but found {}", expected, found));
}

// Names of schemes are read in any case (RFC 9110, 11.1).
bool IsScheme(std::string_view scheme, std::string_view lower) {
  return std::ranges::equal(scheme, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

}  // namespace

Authenticator::Authenticator(Accounts& accounts, SigningKey own, const Clock& clock,
                             RandomBytes random, AuthOptions options)
    : accounts_(&accounts),
      own_(std::move(own)),
      clock_(&clock),
      random_(std::move(random)),
      options_(options),
      hash_of_nobody_(HashOfNobody(random_, options.passwords)) {}

Result<Authenticator> Authenticator::Create(Accounts& accounts, SigningKey own,
                                            const KeySet& trusted, const Clock& clock,
                                            RandomBytes random, AuthOptions options) {
  Authenticator made(accounts, std::move(own), clock, std::move(random), options);
  STELE_RETURN_IF_ERROR(made.SetTrusted(trusted));
  return made;
}

Status Authenticator::SetTrusted(const KeySet& trusted) {
  KeySet keys = trusted;
  STELE_RETURN_IF_ERROR(keys.AddOwn(own_.verifier()));
  keys_ = std::move(keys);
  return {};
}

Result<Caller> Authenticator::Authenticate(std::string_view authorization_header,
                                           std::string_view source) const {
  const size_t blank = authorization_header.find(' ');
  const std::string_view scheme = authorization_header.substr(0, blank);
  if (scheme.empty())
    return Fail(ErrorCode::kUnauthenticated,
                "Expected `Authorization: Bearer` with a token or an API key but found none");
  if (IsScheme(scheme, "basic"))
    return Fail(ErrorCode::kUnauthenticated,
                "Expected `Authorization: Bearer` but found Basic: a password is given once, to "
                "log in, and gives a token");
  if (!IsScheme(scheme, "bearer") || blank == std::string_view::npos)
    return Fail(ErrorCode::kUnauthenticated,
                "Expected `Authorization: Bearer` with a token or an API key but found something "
                "else");
  std::string_view credential = authorization_header.substr(blank);
  credential.remove_prefix(std::min(credential.find_first_not_of(' '), credential.size()));
  return AuthenticateText(credential, source);
}

Result<Caller> Authenticator::AuthenticateText(std::string_view credential,
                                               std::string_view source) const {
  if (credential.empty())
    return Fail(ErrorCode::kUnauthenticated, "Expected a token or an API key but found none");
  auto caller = LooksLikeApiKey(credential) ? CallerOfKey(credential) : CallerOfToken(credential);
  if (caller) caller->source = source;
  return caller;
}

Result<Caller> Authenticator::CallerOfKey(std::string_view text) const {
  const auto parsed = ParseApiKey(text);
  if (!parsed.has_value()) return Bad("an API key, stele_ID_SECRET", "something else");
  const ApiKey* const key = accounts_->FindKey(parsed->id);
  if (key == nullptr || !IsSecretOf(*key, parsed->secret))
    return Bad("an API key that this server knows", "another one");
  if (key->disabled) return Bad("an API key that is enabled", "one that is disabled");
  if (key->expires && clock_->Now() >= key->expires)
    return Bad("an API key that has not expired", "one that has");
  Caller caller;
  caller.name = key->name;
  caller.role = key->role;
  caller.groups = key->groups;
  caller.kind = CallerKind::kMachine;
  caller.proof = Proof::kApiKey;
  caller.token_id = key->id;
  caller.issued = caller.logged_in = key->created;
  caller.expires = key->expires;
  return caller;
}

Result<Caller> Authenticator::CallerOfToken(std::string_view token) const {
  const auto verified = VerifyToken(token, keys_, clock_->Now());
  if (!verified) return std::unexpected(verified.error());
  auto caller = ReadCaller(*verified);
  if (!caller) return std::unexpected(caller.error());
  if (accounts_->revoked().Contains(caller->token_id))
    return Bad("a token that counts", "one that was given up");
  STELE_RETURN_IF_ERROR(TakeAccount(*caller));
  return caller;
}

// Role and groups of the account, if there is one; a token of our own is for an account alone.
Status Authenticator::TakeAccount(Caller& caller) const {
  const User* const user = accounts_->FindUser(caller.name);
  if (user == nullptr) {
    if (caller.proof == Proof::kOwnToken)
      return Bad("a token of a user that there is", "one of a user that is gone");
    return {};
  }
  if (user->disabled) return Bad("a token of a user that is enabled", "one that is disabled");
  if (caller.issued < user->tokens_valid_from)
    return Bad("a token made since the user's tokens were last called in", "an older one");
  caller.has_account = true;
  caller.role = user->role;
  caller.groups = user->groups;
  // The password is this server's affair, and plays no part for who comes from an issuer.
  caller.must_change_password = caller.proof == Proof::kOwnToken && user->must_change;
  return {};
}

bool Authenticator::StillValid(const Caller& caller) const {
  if (caller.expires && clock_->Now() >= caller.expires) return false;
  switch (caller.proof) {
    case Proof::kNone:
      return caller.kind == CallerKind::kAnonymousDev;
    case Proof::kApiKey: {
      const ApiKey* const key = accounts_->FindKey(caller.token_id);
      return key != nullptr && !key->disabled && key->created == caller.issued &&
             key->expires == caller.expires && key->name == caller.name &&
             key->role == caller.role && key->groups == caller.groups;
    }
    case Proof::kOwnToken:
    case Proof::kForeignToken: {
      if (accounts_->revoked().Contains(caller.token_id)) return false;
      Caller now = caller;
      now.has_account = false;
      return TakeAccount(now).has_value() && now == caller;
    }
  }
  return false;
}

}  // namespace stele::server
