// The keys that a server trusts, each with what is asked of the tokens that it has signed.
//
// Thread: any, as long as nobody changes it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/auth/roles.h"
#include "server/auth/signing_key.h"

namespace stele::server {

// Somebody else who says who is who.
struct IssuerRules {
  std::string issuer;    // what `iss` must be; empty: anything
  std::string audience;  // what `aud` must be or hold; empty: anything
  // Claims that say who it is. One with dots is looked for as it stands, then as a path
  // (`realm_access.roles`).
  std::string name_claim = "sub";
  std::string role_claim = "role";
  std::string groups_claim = "groups";
  // Of tokens that name no role of ours; without it they are refused.
  std::optional<Role> default_role;
};

struct TrustedKey {
  VerificationKey key;
  std::shared_ptr<const IssuerRules> issuer;  // null: this server itself
};

class KeySet {
 public:
  Status AddOwn(VerificationKey key);
  Status AddForeign(VerificationKey key, const IssuerRules& rules);
  Status AddPem(std::string_view pem, std::string kid, const IssuerRules& rules);
  // A JWK Set (RFC 7517): all of its keys or, when one is faulty, none. Keys of kinds, uses or
  // algorithms that are not ours are left out, as the RFC asks; there must be one that is.
  Status AddJwks(std::string_view text, const IssuerRules& rules);

  std::span<const TrustedKey> keys() const { return keys_; }

 private:
  Status Add(VerificationKey key, std::shared_ptr<const IssuerRules> issuer);
  std::vector<TrustedKey> keys_;
};

}  // namespace stele::server
