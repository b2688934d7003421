// JSON Web Tokens (RFC 7519) as compact JWS (RFC 7515), read strictly (RFC 8725): the algorithm is
// the key's, never the token's choice; what is not understood, or may be understood in two ways, is
// refused. No sentence holds any part of a token.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "server/auth/key_set.h"
#include "server/auth/signing_key.h"

namespace stele::server {

// What `iss` of a server's own tokens is.
inline constexpr std::string_view kOwnIssuer = "stele";

// A text whose signature is right. `key` is one of the set's.
struct SignedText {
  std::string payload;
  const TrustedKey* key = nullptr;
};

// A token that is right at a moment.
struct VerifiedToken {
  Object claims;
  const TrustedKey* key = nullptr;
  std::string id;  // `jti`, or a digest of the token where it has none
  TimeUs issued;   // zero: it does not say
  TimeUs expires;
};

std::string SignToken(const SigningKey& key, const Object& claims);

// The signature alone. `kid` chooses the key; keys without one fit every `kid`. kBadToken.
Result<SignedText> OpenToken(std::string_view token, const KeySet& keys);

// The signature, then `exp` (which there must be), `nbf`, `iat`, `iss`, `aud`. kBadToken.
Result<VerifiedToken> VerifyToken(std::string_view token, const KeySet& keys, TimeUs now);

// A claim by its name or, where there is none, by its path (`realm_access.roles`). Null: none.
const Value* FindClaim(const Object& claims, std::string_view path);

}  // namespace stele::server
