// What the claims of a token say about who it is for, and the claims of a server's own tokens.
//
// Thread: any.
#pragma once

#include "base/error.h"
#include "base/value.h"
#include "server/auth/caller.h"
#include "server/auth/jwt.h"

namespace stele::server {

// The claims of an own token. `role` is there for clients to show; nobody here believes it.
Object OwnClaims(const Caller& caller);

// Name, role, groups, times. Of a token of our own, role and groups are the account's: not filled.
// kBadToken.
Result<Caller> ReadCaller(const VerifiedToken& token);

}  // namespace stele::server
